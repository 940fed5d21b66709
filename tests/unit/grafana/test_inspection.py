"""The inspection must find what is wrong: each test spoils a sound dashboard in one way."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from grafana.dashboards.inspection import MAX_POINTS, check, check_published
from grafana.viewer.failure import QueryError
from grafana.viewer.frames import Table

NOW = datetime(2026, 11, 20, 13, 37, 30, tzinfo=UTC)
SOUND: dict[str, Any] = {
    "uid": "ent-x",
    "title": "X",
    "time": {"from": "now-4w/d", "to": "now"},
    "templating": {"list": [{"name": "ecole", "type": "query", "query": "SELECT uai", "multi": True}]},
    "annotations": {"list": [{"name": "M", "target": {"refId": "Anno", "rawSql": "SELECT mark", "format": 1}}]},
    "panels": [
        {
            "id": 1,
            "type": "stat",
            "title": "A",
            "description": "Source : v_schools.",
            "gridPos": {"x": 0, "y": 0, "w": 4, "h": 4},
            "fieldConfig": {"defaults": {"unit": "locale", "links": [{"url": "/d/ent-x?var-ecole=1"}]}},
            "targets": [
                {"refId": "A", "rawSql": "SELECT n FROM v_schools WHERE u IN (${ecole:sqlstring})", "format": 1}
            ],
        }
    ],
}


async def three(_: str) -> Table:
    return Table(["n"], ["String"], [["a", "b", "c"]])


def spoilt(**changes: Any) -> dict[str, Any]:
    board = copy.deepcopy(SOUND)
    board["panels"][0] |= changes
    return board


async def test_a_sound_dashboard_has_no_problems() -> None:
    assert await check(three, NOW, [SOUND]) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"title": ""}, "no title"),
        ({"description": ""}, "no description"),
        ({"description": "Autre source."}, "does not say that it reads v_schools"),
        ({"fieldConfig": {"defaults": {}}}, "no unit"),
        ({"gridPos": {"x": 22, "y": 0, "w": 4, "h": 4}}, "wider than the board"),
        ({"targets": [{"rawSql": "SELECT 1 WHERE uai = '0689901T'"}]}, "0689901T in a statement"),
        ({"targets": [{"rawSql": "SELECT 1 FROM ent.v_schools"}]}, "ent. in a statement"),
        ({"targets": [{"rawSql": "SELECT $__timeInterval(slice)"}]}, "$__timeInterval in a statement"),
        ({"targets": [{"rawSql": "SELECT now()"}]}, "now( in a statement"),
        ({"targets": [{"rawSql": "SELECT $nobody"}]}, "no variable is called nobody"),
        ({"links": [{"url": "/d/ent-y"}]}, "leads to ent-y, which is no dashboard"),
        ({"links": [{"url": "/d/ent-x?var-classe=1"}]}, "sets classe, which ent-x does not have"),
    ],
)
async def test_a_spoilt_panel_is_found(changes: dict[str, Any], problem: str) -> None:
    assert any(problem in found for found in await check(three, NOW, [spoilt(**changes)]))


async def test_panels_over_each_other_and_with_the_same_id_are_found() -> None:
    board = copy.deepcopy(SOUND)
    board["panels"].append(copy.deepcopy(board["panels"][0]) | {"title": "B"})
    problems = await check(three, NOW, [board])
    assert "X: two panels have the same id" in problems
    assert "X: B lies over A" in problems


async def test_every_statement_is_run_with_all_one_and_three_values() -> None:
    asked: list[str] = []

    async def remember(sql: str) -> Table:
        asked.append(sql)
        return await three(sql)

    await check(remember, NOW, [SOUND])
    lists = [sql.partition(" IN ")[2] for sql in asked if "v_schools" in sql]
    assert lists == ["('a','b','c')", "('a')", "('a','b','c')"]
    assert asked.count("SELECT mark") == 3


async def test_a_failing_empty_or_overlong_answer_is_a_problem() -> None:
    async def bad(sql: str) -> Table:
        if "uai" in sql:
            return Table(["n"], ["String"], [[]])
        if "mark" in sql:
            raise QueryError("Code: 47. UNKNOWN_IDENTIFIER")
        return Table(["n"], ["UInt64"], [list(range(MAX_POINTS + 1))])

    problems = await check(bad, NOW, [SOUND])
    assert "X, variable ecole: no values" in problems
    assert "X, annotation M (ecole=All): Code: 47. UNKNOWN_IDENTIFIER" in problems
    assert f"X, A (ecole=1): {MAX_POINTS + 1} points, more than {MAX_POINTS}" not in problems
    assert f"X, A (ecole=All): {MAX_POINTS + 1} points, more than {MAX_POINTS}" in problems


async def test_what_is_reserved_must_give_no_row_and_the_rest_may() -> None:
    async def one(sql: str) -> Table:
        return Table(["n"], ["UInt64"], [[1]])

    def asking(sql: str) -> dict[str, Any]:
        return spoilt(targets=[{"rawSql": sql}])

    reserved = await check_published(one, NOW, [asking("SELECT 1 FROM v_events")])
    assert "X, A (ecole=All): rows of what is reserved" in reserved
    assert await check_published(one, NOW, [asking("SELECT 1 FROM v_events UNION ALL SELECT 1 FROM v_published")]) == []
    operators = asking("SELECT 1 FROM v_events")
    operators["templating"]["list"].append({"name": "ds", "type": "datasource", "regex": "/exacts/"})
    assert await check_published(one, NOW, [operators]) == []


async def test_a_statement_without_rows_is_a_problem() -> None:
    async def empty_panel(sql: str) -> Table:
        return Table(["n"], ["UInt64"], [[]]) if "v_schools" in sql else await three(sql)

    assert "X, A (ecole=3): no rows" in await check(empty_panel, NOW, [SOUND])
