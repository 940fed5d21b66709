"""One query of a request: its frame, or its error while the others go on."""

from datetime import UTC, datetime
from typing import Any

import pytest

from grafana.viewer.answer import answer
from grafana.viewer.failure import QueryError
from grafana.viewer.frames import Table
from grafana.viewer.period import Period

PERIOD = Period(datetime(2026, 11, 16, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC))
LONG = Table(["time", "l", "n"], ["DateTime", "String", "UInt64"], [[1, 2], ["a", "b"], [3, 4]])


async def long_table(_: str) -> Table:
    return LONG


async def nothing(_: str) -> Table:
    return Table(["n"], ["UInt64"], [[]])


async def broken(_: str) -> Table:
    raise QueryError("error querying the database: Code: 60. DB::Exception: no (UNKNOWN_TABLE)")


@pytest.mark.parametrize(("format_", "columns", "visual"), [(0, 3, "graph"), (1, 3, "table"), (None, 3, "graph")])
async def test_the_format_says_whether_a_long_table_is_turned_wide(
    format_: int | None, columns: int, visual: str
) -> None:
    result = await answer(long_table, {"refId": "A", "rawSql": "SELECT", "format": format_}, PERIOD)
    schema = result["frames"][0]["schema"]
    assert len(schema["fields"]) == columns
    assert schema["meta"]["preferredVisualisationType"] == visual
    assert ("labels" in schema["fields"][1]) == (format_ != 1)


async def test_no_rows_are_an_empty_frame_and_no_error() -> None:
    result = await answer(nothing, {"refId": "C", "rawSql": "SELECT n"}, PERIOD)
    assert result["status"] == 200
    assert result["frames"][0]["data"]["values"] == []
    assert result["frames"][0]["schema"]["refId"] == "C"


async def test_the_database_sees_the_macros_filled_in_and_the_frame_says_so() -> None:
    asked: list[str] = []

    async def remember(sql: str) -> Table:
        asked.append(sql)
        return LONG

    result = await answer(remember, {"rawSql": "SELECT $__interval_s", "intervalMs": 30_000}, PERIOD)
    assert asked == ["SELECT 30"]
    assert result["frames"][0]["schema"]["meta"]["executedQueryString"] == "SELECT 30"


@pytest.mark.parametrize(
    ("query", "source"),
    [
        ({"rawSql": "SELECT"}, "downstream"),
        ({"rawSql": "$__timeFilter"}, "downstream"),
        ({"rawSql": "SELECT", "meta": {"timezone": "Mars/Olympus"}}, "plugin"),
    ],
)
async def test_a_failure_is_an_answer(query: dict[str, Any], source: str) -> None:
    run = long_table if "meta" in query else broken
    result = await answer(run, query, PERIOD)
    assert result["error"]
    assert result["errorSource"] == source
    assert result["frames"][0]["data"]["values"] == []
