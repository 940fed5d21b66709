"""The SQL files: pieces filled in, nothing unused, nothing left over."""

import re
from pathlib import Path

import pytest

from grafana.dashboards import made
from grafana.dashboards.statements import FOLDER, UnknownStatementError, statement

NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def test_pieces_are_filled_in_and_comments_left_out() -> None:
    sql = statement("comparaisons", "rate_by_pole")
    assert "school.pole" in sql
    assert "--" not in sql
    assert "@" not in sql


def test_an_unknown_name_is_refused_with_those_that_are_there() -> None:
    with pytest.raises(UnknownStatementError, match=r"no statement is called nothing: there are .*connections"):
        statement("accueil", "nothing")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.sql")), ids=lambda path: path.stem)
def test_every_statement_is_used(path: Path) -> None:
    """By a dashboard's Python or by another statement."""
    python = "".join(file.read_text() for file in FOLDER.parent.glob("*.py"))
    sql = "".join(file.read_text() for file in FOLDER.glob("*.sql"))
    for name in NAME.findall(path.read_text()):
        assert f'"{name}"' in python or re.search(rf"@{name}\b", sql), f"{path.name}: {name} is not used"


def test_no_name_is_given_twice_within_a_dashboard() -> None:
    """Except the values of a variable: a dashboard may offer fewer than the shared choice does."""
    shared = set(NAME.findall((FOLDER / "fragments.sql").read_text()))
    for path in FOLDER.glob("*.sql"):
        names = NAME.findall(path.read_text())
        assert len(names) == len(set(names)), path.name
        again = set() if path.stem == "fragments" else shared.intersection(names)
        assert all(name.startswith("choose_") for name in again), path.name


def test_no_generated_statement_cuts_days_on_utc() -> None:
    """`$__timeInterval` does, and so does a day without a zone."""
    for board in made().values():
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                assert not re.search(r"\$__timeInterval|toStartOfDay\(|toDate\(slice\)", target.get("rawSql", "")), (
                    panel["title"]
                )
