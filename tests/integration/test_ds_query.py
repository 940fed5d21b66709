"""`POST /api/ds/query` over a real engine: a table of questions, and the answers of the ClickHouse data source to them.

Their forms are those of grafana-clickhouse-datasource 4.14.1, whose back end was seen to answer alike when the page was
designed; it does not run here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from grafana.viewer import Clock, Source, make_app
from sinks.clickhouse.embedded.process import EmbeddedDatabase
from tests.database import client_of, database, settings_of

__all__ = ["database"]

NOW = datetime(2026, 11, 20, 13, 37, 30, tzinfo=UTC)
FROM, TO = 1794812400000, 1795181850000
SERIES, TABLE = 0, 1
PARIS = {"timezone": "Europe/Paris"}

Column = tuple[str, str, str, bool, list[Any]]
"""Name, type in JSON, type in Go, nullable, values."""

FRAMES: dict[str, tuple[dict[str, Any], str | None, list[Column]]] = {
    "numbers of all widths": (
        {"rawSql": "SELECT toUInt8(1) AS a, toInt64(-2) AS b, toFloat32(0.5) AS c, toDecimal32('1.25', 2) AS d"},
        "table",
        [
            ("a", "number", "uint8", False, [1]),
            ("b", "number", "int64", False, [-2]),
            ("c", "number", "float32", False, [0.5]),
            ("d", "number", "float64", False, [1.25]),
        ],
    ),
    "null, and nothing known": (
        {"rawSql": "SELECT CAST(NULL, 'Nullable(UInt16)') AS a, NULL AS b, toNullable('x') AS c"},
        "table",
        [
            ("a", "number", "uint16", True, [None]),
            ("b", "string", "string", True, [None]),
            ("c", "string", "string", True, ["x"]),
        ],
    ),
    "texts": (
        {"rawSql": "SELECT 'é' AS a, toLowCardinality('x') AS b, CAST('v', 'Enum8(\\'v\\' = 1)') AS c, true AS d"},
        "table",
        [
            ("a", "string", "string", False, ["é"]),
            ("b", "string", "string", False, ["x"]),
            ("c", "string", "string", False, ["v"]),
            ("d", "boolean", "bool", False, [True]),
        ],
    ),
    "a day begins at midnight of the reader's zone": (
        {"rawSql": "SELECT toDate('2026-11-20') AS jour, toDate('2026-07-20') AS ete", "meta": PARIS},
        "table",
        [
            ("jour", "time", "time.Time", False, [1795129200000]),
            ("ete", "time", "time.Time", False, [1784498400000]),
        ],
    ),
    "and of UTC where no zone is said": (
        {"rawSql": "SELECT toDate('2026-11-20') AS jour"},
        "table",
        [("jour", "time", "time.Time", False, [1795132800000])],
    ),
    "instants, whatever zone they are shown in": (
        {"rawSql": "SELECT toDateTime(1795181850, 'Europe/Paris') AS a, toDateTime64(1795181850.123, 3, 'UTC') AS b"},
        "table",
        [
            ("a", "time", "time.Time", False, [1795181850000]),
            ("b", "time", "time.Time", False, [1795181850123]),
        ],
    ),
    "the period's macros": (
        {"rawSql": "SELECT toUnixTimestamp($__fromTime) AS a, toUnixTimestamp($__toTime) AS b, $__interval_s AS c"},
        "table",
        [
            ("a", "number", "uint32", False, [FROM // 1000]),
            ("b", "number", "uint32", False, [TO // 1000]),
            ("c", "number", "uint8", False, [60]),
        ],
    ),
    "a filter on the period keeps both of its ends": (
        {
            "rawSql": "SELECT count() AS n FROM (SELECT toDateTime(arrayJoin([1794812399, 1794812400, 1795181850, "
            "1795181851])) AS t) WHERE $__timeFilter(t)"
        },
        "table",
        [("n", "number", "uint64", False, [2])],
    ),
    "one series without a label stays as it is": (
        {"rawSql": "SELECT toDateTime(1795181850) AS time, toUInt8(7) AS n", "format": SERIES},
        "graph",
        [("time", "time", "time.Time", False, [1795181850000]), ("n", "number", "uint8", False, [7])],
    ),
    "no rows are no columns": ({"rawSql": "SELECT 1 AS n WHERE 0"}, "table", []),
}

ERRORS = {
    "an unknown table": (
        {"rawSql": "SELECT * FROM nowhere"},
        "downstream",
        "Code: 60. DB::Exception: Unknown table expression identifier 'nowhere'",
    ),
    "an unknown function": ({"rawSql": "SELECT no_such(1)"}, "downstream", "Code: 46. DB::Exception: "),
    "a macro without its argument": (
        {"rawSql": "SELECT $__timeFilter"},
        "downstream",
        "unexpected number of arguments: expected 1 arguments, received 0",
    ),
    "a bracket that is not closed": ({"rawSql": "SELECT $__timeFilter(t"}, "downstream", "missing close bracket?"),
    "times out of order": (
        {
            "rawSql": "SELECT toDateTime(arrayJoin([2, 1])) AS time, 'a' AS label, toUInt8(1) AS n",
            "format": SERIES,
        },
        "plugin",
        "it is not sorted in ascending order by time",
    ),
    "a statement that writes": (
        {"rawSql": "DROP TABLE events"},
        "downstream",
        "Code: 164. DB::Exception: Cannot execute",
    ),
}


@pytest.fixture
async def client(database: EmbeddedDatabase, tmp_path: Path) -> AsyncIterator[TestClient[web.Request, Any]]:
    for folder in ("assets", "public"):
        (tmp_path / folder).mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>")
    client_of(database).command("CREATE DATABASE IF NOT EXISTS ent")
    source = Source(settings_of(database, reader=True))
    app = make_app(source.query, clock=Clock(lambda: NOW), web_folder=tmp_path)
    async with TestClient(TestServer(app)) as asking:
        yield asking
    await source.close()


async def ask(client: TestClient[web.Request, Any], *queries: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    whole = [
        {"refId": "ABC"[at], "datasource": {"uid": "ent-clickhouse"}, "format": TABLE, "intervalMs": 60_000, **query}
        for at, query in enumerate(queries)
    ]
    response = await client.post("/api/ds/query", json={"from": str(FROM), "to": str(TO), "queries": whole})
    return response.status, (await response.json())["results"]


def columns(frame: dict[str, Any]) -> list[Column]:
    return [
        (field["name"], field["type"], field["typeInfo"]["frame"], field["typeInfo"].get("nullable", False), values)
        for field, values in zip(frame["schema"]["fields"], frame["data"]["values"], strict=True)
    ]


@pytest.mark.parametrize(("query", "visual", "expected"), FRAMES.values(), ids=FRAMES)
async def test_a_question_has_the_data_sources_answer(
    client: TestClient[web.Request, Any], query: dict[str, Any], visual: str | None, expected: list[Column]
) -> None:
    status, results = await ask(client, query)
    assert status == 200
    assert results["A"]["status"] == 200
    (frame,) = results["A"]["frames"]
    assert frame["schema"]["meta"]["preferredVisualisationType"] == visual
    assert columns(frame) == expected


@pytest.mark.parametrize(("query", "source", "words"), ERRORS.values(), ids=ERRORS)
async def test_a_question_that_fails_says_whose_fault_it_is(
    client: TestClient[web.Request, Any], query: dict[str, Any], source: str, words: str
) -> None:
    status, results = await ask(client, query, {"rawSql": "SELECT 1 AS n"})
    assert status == 400
    assert results["A"]["errorSource"] == source
    assert words in results["A"]["error"]
    assert columns(results["B"]["frames"][0]) == [("n", "number", "uint8", False, [1])], "the others are answered"


async def test_a_long_table_becomes_one_series_for_each_label(client: TestClient[web.Request, Any]) -> None:
    """In the order of their labels' bytes, with a gap where a label had no row."""
    sql = (
        "SELECT toDateTime(t) AS time, profil, toUInt8(n) AS n FROM VALUES('t UInt32, profil String, n UInt8', "
        "(60, 'parent', 1), (60, 'eleve', 2), (120, 'parent', 3)) ORDER BY time, profil"
    )
    _, results = await ask(client, {"rawSql": sql, "format": SERIES})
    (frame,) = results["A"]["frames"]
    assert frame["schema"]["meta"]["type"] == "timeseries-wide"
    labels = [field.get("labels") for field in frame["schema"]["fields"]]
    assert labels == [None, {"profil": "eleve"}, {"profil": "parent"}]
    assert frame["data"]["values"] == [[60000, 120000], [2, None], [1, 3]]


async def test_numbers_that_json_lacks_are_told_beside_the_values(client: TestClient[web.Request, Any]) -> None:
    _, results = await ask(client, {"rawSql": "SELECT arrayJoin([1.5, nan, inf, -inf]) AS n"})
    (frame,) = results["A"]["frames"]
    assert frame["data"] == {
        "values": [[1.5, None, None, None]],
        "entities": [{"NaN": [1], "Inf": [2], "NegInf": [3]}],
    }
