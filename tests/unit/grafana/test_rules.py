"""The inspection of alert rules must find a statement that fails, and one that a rule cannot judge."""

from datetime import UTC, datetime

from grafana.dashboards.rules import check_rules
from grafana.viewer.failure import QueryError
from grafana.viewer.frames import Table

NOW = datetime(2026, 11, 20, 13, 37, tzinfo=UTC)


async def number(sql: str) -> Table:
    return Table(["uai", "n"], ["String", "Float64"], [["x"], [1.0]])


async def test_one_number_beside_a_text_is_what_a_rule_judges() -> None:
    assert await check_rules(number, NOW) == []


async def test_nothing_to_tell_is_no_problem() -> None:
    async def nothing(sql: str) -> Table:
        return Table(["n"], ["Float64"], [[]])

    assert await check_rules(nothing, NOW) == []


async def test_a_second_number_is_a_problem_and_says_of_which_rule() -> None:
    async def two(sql: str) -> Table:
        return Table(["a", "b"], ["Float64", "UInt8"], [[1.0], [2]])

    problems = await check_rules(two, NOW)
    assert "alert rule ent-donnees-en-retard: one number beside texts, not number, number" in problems


async def test_a_statement_that_fails_is_a_problem() -> None:
    async def broken(sql: str) -> Table:
        raise QueryError("Code: 60. UNKNOWN_TABLE")

    assert "alert rule ent-registre-ouvert: Code: 60. UNKNOWN_TABLE" in await check_rules(broken, NOW)
