"""Audiences become roles, policies, quotas and users: what is made, what each sees, what a plan changes."""

from __future__ import annotations

import pytest
from pydantic import SecretStr, ValidationError

from sinks.clickhouse.access import Audience, Directory, Kind, Wanted, row_filter, wanted
from sinks.clickhouse.access_plan import Found, plan

DIRECTORY = Directory({"A": ("Ville", "Circo 1"), "B": ("Ville", "Circo 2"), "C": ("Ailleurs", "Circo 1")})
ECOLE = Audience(name="ecole_a", kind=Kind.ECOLE, places=("A",))
CIRCO = Audience(name="circo_1", kind=Kind.CIRCONSCRIPTION, places=("Circo 1",))
VILLE = Audience(name="ville", kind=Kind.VILLE, places=("Ville",))
ACADEMIE = Audience(name="academie", kind=Kind.ACADEMIE)
EXACT = Audience(name="agents", kind=Kind.ECOLE, places=("A",), reading="exact")
EVERYBODY = [ECOLE, CIRCO, VILLE, ACADEMIE, EXACT]


def made(*audiences: Audience, passwords: dict[str, SecretStr] | None = None) -> list[Wanted]:
    return wanted(audiences, DIRECTORY, passwords or {}, "ent")


def found(objects: list[Wanted]) -> list[Found]:
    """What a server says once all of it is made."""
    return [Found(each.kind, each.name, f"({each.filter})") for each in objects]


@pytest.mark.parametrize(
    ("audience", "schools"), [(ECOLE, ["A"]), (CIRCO, ["A", "C"]), (VILLE, ["A", "B"]), (ACADEMIE, ["A", "B", "C"])]
)
def test_an_audience_sees_the_schools_of_its_kind(audience: Audience, schools: list[str]) -> None:
    assert DIRECTORY.of(audience) == schools


def test_a_school_sees_itself_and_the_whole_territory_and_nothing_else() -> None:
    assert row_filter(ECOLE, "place", ["A"]) == "place IN ('', 'A')"
    assert row_filter(ECOLE, "uai", ["A"]) == "uai IN ('A')"
    assert row_filter(CIRCO, "place", ["A", "C"]) == "place IN ('', 'A', 'C', 'Circo 1')"


def test_an_audience_without_a_school_sees_no_row() -> None:
    assert row_filter(VILLE, "uai", []) == "0"


def test_a_name_in_a_filter_cannot_end_it() -> None:
    """A commune or circonscription is data: quotes and backslashes in it stay inside."""
    evil = Audience(name="evil", kind=Kind.CIRCONSCRIPTION, places=("x') OR 1=1 --\\",))
    assert row_filter(evil, "uai", []) == "uai IN ('x\\') OR 1=1 --\\\\')"


def test_readers_of_the_published_figures_get_nothing_of_the_exact_ones() -> None:
    """Not one statement names a table of the other database."""
    statements = [each.statement for each in made(ECOLE, CIRCO, VILLE, ACADEMIE)]
    assert not [statement for statement in statements if " ent." in statement]
    assert "GRANT SELECT ON ent_public.* TO ent_ecole_a" in statements


def test_exact_figures_never_bring_events_or_dead_letters() -> None:
    grants = [each.name for each in made(EXACT) if each.kind == "grant"]
    assert grants
    assert not [name for name in grants if "events" in name or "dead_letters" in name or name.endswith(".*")]


def test_who_opens_the_exact_figures_is_told_what_that_gives_away() -> None:
    assert ECOLE.gives_away is None
    assert "1 to 4 persons" in (EXACT.gives_away or "")


def test_every_table_with_rows_of_schools_has_a_policy_for_every_audience() -> None:
    """One that is missing would show all rows of that table."""
    for audience in EVERYBODY:
        policies = [each.name for each in made(audience) if each.kind == "policy"]
        assert len(policies) == (10 if audience is EXACT else 4)


def test_a_password_is_in_no_statement() -> None:
    statements = made(ECOLE, passwords={"ecole_a": SecretStr("the password itself")})
    assert statements[-1].kind == "user"
    assert not any("the password itself" in each.statement for each in statements)


def test_nothing_changes_where_everything_is_there() -> None:
    objects = made(*EVERYBODY)
    assert plan(objects, found(objects), set()) == []


def test_a_school_that_moved_changes_its_circonscriptions_policies_only() -> None:
    objects = made(CIRCO)
    moved = wanted([CIRCO], Directory({"A": ("Ville", "Circo 1")}), {}, "ent")
    steps = plan(moved, found(objects), set())
    assert {step.sign for step in steps} == {"~"}
    assert all("POLICY OR REPLACE" in step.statement for step in steps)


def test_an_audience_that_is_gone_is_taken_away_users_first() -> None:
    objects = made(ECOLE, CIRCO, passwords={"ecole_a": SecretStr("p"), "circo_1": SecretStr("p")})
    steps = plan(made(CIRCO), found(objects), {"ent_circo_1"})
    assert [step.sign for step in steps] == ["-"] * len(steps)
    assert steps[0].statement == "DROP USER IF EXISTS ent_ecole_a"
    assert steps[-1].statement == "DROP ROLE IF EXISTS ent_ecole_a"
    assert not [step for step in steps if "circo_1" in step.statement]


@pytest.mark.parametrize(
    "told",
    [
        {"name": "A", "kind": "ecole", "places": ["A"]},
        {"name": "a b", "kind": "ecole", "places": ["A"]},
        {"name": "ecole", "kind": "ecole"},
        {"name": "academie", "kind": "academie", "places": ["A"]},
        {"name": "x", "kind": "quartier", "places": ["A"]},
        {"name": "x", "kind": "ecole", "places": ["A"], "reading": "all"},
    ],
)
def test_an_audience_that_makes_no_sense_is_refused(told: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Audience.model_validate(told)
