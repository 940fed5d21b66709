"""One query of a `POST /api/ds/query` to one entry of the answer's `results`."""

from collections.abc import Awaitable, Callable
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from grafana.viewer.failure import QueryError
from grafana.viewer.frames import Table, fields_of, frame, long_to_wide
from grafana.viewer.macros import expand
from grafana.viewer.period import Period

Query = Callable[[str], Awaitable[Table]]
"""Runs one SELECT; raises `QueryError`."""

TIME_SERIES, TABLE = 0, 1


async def answer(run: Query, query: dict[str, Any], period: Period) -> dict[str, Any]:
    """Frames, or an error in Grafana's form; never raises for what the query or the database did wrong."""
    ref_id = str(query.get("refId") or "A")
    sql = str(query.get("rawSql") or "")
    as_table = query.get("format") == TABLE
    try:
        sql = expand(sql, period, _interval_ms(query))
        table = await run(sql)
        fields = fields_of(table, _zone(query)) if table.rows else []
        wide = False
        if fields and not as_table:
            fields, wide = long_to_wide(fields)
        visual = "table" if as_table else "graph" if fields else None
        return {"status": 200, "frames": [frame(ref_id, fields, sql, wide=wide, visual=visual)]}
    except QueryError as failure:
        empty = frame(ref_id, [], sql, wide=False, visual=None)
        return {"error": str(failure), "errorSource": failure.source, "status": failure.status, "frames": [empty]}


def _interval_ms(query: dict[str, Any]) -> int:
    asked = query.get("intervalMs")
    return int(asked) if isinstance(asked, int | float) and asked > 0 else 1000


def _zone(query: dict[str, Any]) -> ZoneInfo:
    meta = query.get("meta")
    asked = meta.get("timezone") if isinstance(meta, dict) else None
    try:
        return ZoneInfo(asked) if asked else ZoneInfo("UTC")
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise QueryError(f"time zone {asked!r} is not known", source="plugin", status=400) from error
