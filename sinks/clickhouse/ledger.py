"""The ledger in detail: by day of arrival, frozen by month, and explained down to offsets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sinks.base import LedgerLine
from sinks.clickhouse.client import Client

_PARIS: Final = ZoneInfo("Europe/Paris")
_GRACE: Final = timedelta(days=2)
"""A month is frozen so long after its end: what arrived in it has been read by then."""
_LOG: Final = "topic, incarnation, partition"


@dataclass(frozen=True)
class LedgerDay:
    """What became of the offsets of one partition of one log that arrived on one day of Paris."""

    topic: str
    incarnation: int
    partition: int
    day: date
    first: int
    next: int
    consumed: int
    stored: int
    duplicate: int
    rejected: int
    dropped: int
    frozen: bool
    """Whether its month was closed and it says what was true then."""
    late: int
    """Offsets with a date of this day that came after that: they are in the totals, not in this line."""


@dataclass(frozen=True)
class OffsetRange:
    """Neighbouring offsets of one partition of one log, and what is the matter with them."""

    topic: str
    incarnation: int
    partition: int
    first: int
    next: int
    matter: str

    @property
    def count(self) -> int:
        """How many they are."""
        return self.next - self.first


def read_days(client: Client, database: str) -> list[LedgerDay]:
    """One line for each day of each partition of each log; what was stored before days were kept is of 1970-01-01."""
    columns = ", ".join("toBool(frozen)" if field.name == "frozen" else field.name for field in fields(LedgerDay))
    rows = client.query_rows(f"SELECT {columns} FROM {database}.ledger_days ORDER BY {_LOG}, day")
    return [LedgerDay(*row) for row in rows]


def read_gaps(client: Client, database: str) -> list[OffsetRange]:
    """Offsets that came to no end."""
    return _ranges(client, f"SELECT {_LOG}, first, next, 'no end' FROM {database}.ledger_gaps")


def read_overlaps(client: Client, database: str) -> list[OffsetRange]:
    """Offsets that came to two ends."""
    matter = "concat(one_end, ' and ', other_end)"
    return _ranges(client, f"SELECT {_LOG}, first, next, {matter} FROM {database}.ledger_overlaps")


def read_duplicates(client: Client, database: str, line: LedgerLine) -> list[OffsetRange]:
    """Offsets of one log that were accepted and whose event stands at another offset now, or nowhere."""
    return _ranges(
        client,
        f"""SELECT {_LOG}, bitShiftLeft(block, 16) + run[1], bitShiftLeft(block, 16) + run[-1] + 1, 'duplicate'
FROM (
  SELECT {_LOG}, block, arraySort(bitmapToArray(bitmapAndnot(accepted, held))) AS elsewhere
  FROM (SELECT {_LOG}, block, groupBitmapMergeState(offsets) AS accepted FROM {database}.positions
    WHERE outcome = 'accepted' AND {_OF_LOG} GROUP BY {_LOG}, block) AS a
  LEFT JOIN (SELECT {_LOG}, bitShiftRight(offset, 16) AS block,
      groupBitmapState(toUInt32(bitAnd(offset, 65535))) AS held
    FROM {database}.events FINAL WHERE {_OF_LOG} GROUP BY {_LOG}, block) AS e USING ({_LOG}, block))
ARRAY JOIN arraySplit((x, step) -> step > 1, elsewhere, arrayDifference(elsewhere)) AS run""",
        {"topic": line.topic, "incarnation": line.incarnation, "partition": line.partition},
    )


_OF_LOG: Final = "topic = {topic:String} AND incarnation = {incarnation:UInt32} AND partition = {partition:UInt16}"


def read_neighbours(client: Client, database: str, of: OffsetRange) -> dict[int, datetime]:
    """When the records just before and just after a range arrived, by offset, as far as they are stored."""
    rows = client.query_rows(
        f"SELECT offset, arrived_at FROM {database}.events WHERE {_OF_LOG} AND offset IN ({_BESIDE}) UNION DISTINCT "
        f"SELECT offset, arrived_at FROM {database}.dead_letters WHERE {_OF_LOG} AND offset IN ({_BESIDE})",
        {
            "topic": of.topic,
            "incarnation": of.incarnation,
            "partition": of.partition,
            "before": max(of.first - 1, 0),
            "after": of.next,
        },
    )
    return {int(offset): arrived_at for offset, arrived_at in rows}


_BESIDE: Final = "{before:UInt64}, {after:UInt64}"


def freeze_closed_months(client: Client, database: str, now: datetime) -> list[str]:
    """Freeze the days of months that ended two days ago or earlier and are not frozen; the months, as 2026-11.

    Repeating it freezes nothing twice: a frozen day stays as it was.
    """
    last = (now - _GRACE).astimezone(_PARIS).date().replace(day=1)
    condition = "NOT frozen AND day > toDate(0) AND day < {last:Date}"
    months = client.query_rows(
        f"SELECT DISTINCT formatDateTime(day, '%Y-%m') AS month FROM {database}.ledger_days WHERE {condition} "
        "ORDER BY month",
        {"last": last},
    )
    if months:
        columns = f"{_LOG}, day, first, next, consumed, stored, rejected, dropped"
        client.command(
            f"INSERT INTO {database}.ledger_frozen ({columns}, frozen_at) "
            f"SELECT {columns}, now64(6) FROM {database}.ledger_days WHERE {condition}",
            {"last": last},
        )
    return [str(month) for (month,) in months]


def _ranges(client: Client, sql: str, parameters: dict[str, Any] | None = None) -> list[OffsetRange]:
    rows = client.query_rows(sql, parameters)
    return join_neighbours(sorted((OffsetRange(*row) for row in rows), key=lambda one: (*_log(one), one.first)))


def join_neighbours(ranges: Iterable[OffsetRange]) -> list[OffsetRange]:
    """Ranges in order, those that touch and have the same matter as one: the database cuts them at its blocks."""
    joined: list[OffsetRange] = []
    for one in ranges:
        if joined and _log(joined[-1]) == _log(one) and joined[-1].next == one.first:
            joined[-1] = replace(joined[-1], next=one.next)
        else:
            joined.append(one)
    return joined


def _log(one: OffsetRange) -> Sequence[Any]:
    return (one.topic, one.incarnation, one.partition, one.matter)
