"""Variables in statements, as Grafana's front end fills them in."""

import pytest

from grafana.dashboards.interpolation import Choice, UnknownVariableError, fill_in

CHOICES = {"ecole": Choice(["a", "b"], everything=True), "profil": Choice(["x'y"]), "two": Choice(["1", "2"])}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("IN (${ecole:sqlstring})", "IN ('a','b')"),
        ("IN (${profil:sqlstring})", "IN ('x''y')"),
        ("$profil ${profil}", "x'y x'y"),
        ("$two", "'1','2'"),
        ("$__conditionalAll(u IN (${ecole:sqlstring}), $ecole)", "1=1"),
        ("$__conditionalAll(p IN (${profil:sqlstring}), $profil)", "p IN ('x''y')"),
        ("$__conditionalAll(f(a, b) AND $__conditionalAll(c, $ecole), $two) AND d", "f(a, b) AND 1=1 AND d"),
        ("$__fromTime $__timeFilter(t)", "$__fromTime $__timeFilter(t)"),
    ],
)
def test_a_statement_is_filled_in(sql: str, expected: str) -> None:
    assert fill_in(sql, CHOICES) == expected


@pytest.mark.parametrize(
    "sql",
    ["$nobody", "${ecole:csv}", "$__conditionalAll(1, $nobody)", "$__conditionalAll(1)", "$__conditionalAll(1, $e"],
)
def test_what_cannot_be_filled_in_is_refused(sql: str) -> None:
    with pytest.raises(UnknownVariableError):
        fill_in(sql, CHOICES)
