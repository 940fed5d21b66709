"""Erasing persons: from events, dead letters and the states of windows, with a receipt, and for good.

Statements name a receipt and never a pseudonym, so the database's own logs hold none. The places of the erased records
(topic, partition, offset) are told to the ledger as dropped ones with the reason `erased`; the pseudonyms stay on a
list of those that may not come back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import polars as pl

from schemas.reason import Drop
from schemas.row import DROPPED_ROW
from sinks.base import Level, Shipment
from sinks.clickhouse.arrow import to_arrow
from sinks.clickhouse.client import Client
from sinks.clickhouse.store import ClickHouseStore
from sinks.clickhouse.windows import FAMILIES

_AT_ONCE = 100
"""Slices of one statement."""


@dataclass(frozen=True)
class Receipt:
    """What an erasure came to. It names nobody."""

    receipt: UUID
    at: datetime
    keys: int
    """School years whose key was held, times ids."""
    events: int
    """Rows, repeated deliveries included."""
    dead_letters: int
    minutes: int
    """Windows that were counted anew, and their hours and days with them."""


def denied_keys(client: Client, database: str) -> frozenset[int]:
    """The pseudonyms that may not come back, as numbers."""
    rows = client.query_rows(f"SELECT user_key FROM {database}.erased FINAL WHERE until > now()")
    return frozenset(key for (key,) in rows)


def erase(
    client: Client,
    database: str,
    persons: Mapping[int, datetime],
    days_of: Callable[[set[int]], set[int]],
    *,
    settle: Callable[[], None],
    tell: Callable[[str], None],
) -> Receipt:
    """Erase `persons`: numbers of pseudonyms, and until when each is kept out.

    `settle` returns when no worker stores events that it read before it knew of the list; `days_of` gives the days of
    Paris of hours. Raises the failures of `sinks.clickhouse.errors`; an erasure that was cut is begun again.
    """
    receipt = uuid4()
    _deny(client, database, persons, receipt)
    tell("kept out from here on; waiting for what the workers hold")
    settle()
    of_them = f"user_key IN (SELECT user_key FROM {database}.erased WHERE receipt = toUUID('{receipt}'))"
    named = (
        "hasAny(arrayMap(start -> reinterpretAsUInt64(unhex(start)), "
        "extractAll(payload, 'hmac:[0-9a-f]{8}([0-9a-f]{16})')), "
        f"(SELECT groupArray(user_key) FROM {database}.erased WHERE receipt = toUUID('{receipt}')))"
    )
    minutes = {
        int(minute)
        for (minute,) in client.query_rows(
            f"SELECT DISTINCT toUnixTimestamp(toStartOfMinute(event_time)) FROM {database}.events WHERE {of_them}"
        )
    }
    removed = {
        table: _remove(client, database, table, condition)
        for table, condition in (("events", of_them), ("dead_letters", named))
    }
    tell(f"{removed['events']} events and {removed['dead_letters']} dead letters are gone")
    tell(f"counting {len(minutes)} minutes anew")
    _recount(client, database, minutes, days_of)
    done = Receipt(receipt, datetime.now(UTC), len(persons), removed["events"], removed["dead_letters"], len(minutes))
    client.command(
        f"INSERT INTO {database}.erasures (receipt, at, keys, events, dead_letters, minutes) "
        f"VALUES (toUUID('{receipt}'), now64(3), {done.keys:d}, {done.events:d}, {done.dead_letters:d}, "
        f"{done.minutes:d})"
    )
    return done


def _deny(client: Client, database: str, persons: Mapping[int, datetime], receipt: UUID) -> None:
    frame = pl.DataFrame(
        {
            "user_key": pl.Series(list(persons), dtype=pl.UInt64),
            "until": pl.Series(list(persons.values()), dtype=pl.Datetime("ms", "UTC")),
        }
    ).with_columns(pl.lit(str(receipt)).alias("receipt"))
    client.insert_arrow(f"{database}.erased", to_arrow(frame))


def _remove(client: Client, database: str, table: str, condition: str) -> int:
    """Delete rows and tell the ledger of their places; how many those were."""
    places = client.query_rows(
        f"SELECT topic, incarnation, partition, offset, offset + 1, '{Drop.ERASED}', arrived_at "
        f"FROM {database}.{table} WHERE {condition}"
    )
    if places:
        dropped = pl.DataFrame(places, schema=DROPPED_ROW, orient="row")
        ClickHouseStore(client, database).insert(Shipment(dropped=dropped))
        client.command(
            f"ALTER TABLE {database}.{table} DELETE WHERE {condition} "
            "SETTINGS mutations_sync = 2, allow_nondeterministic_mutations = 1"
        )
    return len(places)


def _recount(client: Client, database: str, minutes: set[int], days_of: Callable[[set[int]], set[int]]) -> None:
    """Write the windows anew, and merge away the states that were there before."""
    store = ClickHouseStore(client, database)
    hours = {minute - minute % 3600 for minute in minutes}
    levels = ((Level.MINUTE, minutes), (Level.HOUR, hours), (Level.DAY, days_of(hours)))
    for level, slices in levels:
        ordered = sorted(slices)
        for first in range(0, len(ordered), _AT_ONCE):
            store.recompute(level, ordered[first : first + _AT_ONCE])
    for level, slices in levels:
        for family in FAMILIES:
            table = f"{database}.{family}_by_{level}"
            for month in _months(client, level, slices):
                client.command(f"OPTIMIZE TABLE {table} PARTITION {month:d} FINAL")


def _months(client: Client, level: Level, slices: Sequence[int] | set[int]) -> list[int]:
    """The partitions in which slices lie."""
    if not slices:
        return []
    moment = "toDate(toUInt16(slice))" if level is Level.DAY else "toDateTime(slice, 'UTC')"
    rows = client.query_rows(
        f"SELECT DISTINCT toYYYYMM({moment}) FROM (SELECT arrayJoin({{slices:Array(UInt32)}}) AS slice)",
        {"slices": sorted(slices)},
    )
    return [int(month) for (month,) in rows]
