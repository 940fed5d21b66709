"""The stored events that keep what they named, because the directory did not know all of it."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from schemas.row import EVENT_ROW
from sinks.clickhouse.client import Client

_TEXTS: Final = (pl.Categorical, pl.String)
_COLUMNS: Final = ", ".join(
    f"toString({name}) AS {name}"
    if dtype in _TEXTS
    else f"arrayMap(one -> toString(one), {name}) AS {name}"
    if dtype == pl.List
    else name
    for name, dtype in EVENT_ROW.items()
)


class ClickHouseNamedEvents:
    """Such events of one database."""

    def __init__(self, client: Client, database: str) -> None:
        self._client = client
        self._database = database

    def days(self, since: date) -> list[date]:
        """Days (UTC) that have some, from `since` on."""
        rows = self._client.query_rows(
            f"SELECT DISTINCT toDate(event_time, 'UTC') AS day FROM {self._database}.v_events AS e "
            "WHERE e.named != '' AND day >= {since:Date} ORDER BY day",
            {"since": since},
        )
        return [day for (day,) in rows]

    def read(self, day: date) -> pl.DataFrame:
        """Those of a day, as rows of the table."""
        found = self._client.query_arrow(
            f"SELECT {_COLUMNS} FROM (SELECT * FROM {self._database}.v_events AS e "
            "WHERE e.named != '' AND toDate(e.event_time, 'UTC') = {day:Date})",
            {"day": day},
        )
        frame = pl.from_arrow(found)
        assert isinstance(frame, pl.DataFrame)
        return frame.select(pl.col(name).cast(dtype) for name, dtype in EVENT_ROW.items())
