"""Stored events whose schools or classes were not known, by a directory that was completed since.

Of each such event its row keeps what it named (`streams.naming`). The row is written again under the directory's
revision, which replaces the old one, and the windows of its minute, hour and day are recomputed. A run that was cut and
is repeated recomputes the windows of every such row again, changed by then or not: so it always ends right.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

import polars as pl

from schemas.directory import UNMAPPED
from schemas.pseudonym import Key
from schemas.row import EVENT_ROW
from sinks.base import Level, Shipment
from streams.directory.snapshot import Directory
from streams.enrichment import enrich
from streams.naming import read_names
from streams.windows import AT_ONCE, days_of

_FROM_DIRECTORY: Final = (
    *("uai", "class_id", "other_uai", "other_class_id", "commune", "circonscription", "pole"),
    *("education_prioritaire", "zone", "cycle", "levels", "uai_letter_wrong"),
)
_ROWS_AT_ONCE: Final = 50_000


class EventStore(Protocol):
    """What is needed of the store."""

    def insert(self, shipment: Shipment) -> None: ...

    def recompute(self, level: Level, slices: Collection[int]) -> None: ...


class NamedEvents(Protocol):
    """The stored events that keep what they named."""

    def days(self, since: date) -> list[date]:
        """Days (UTC) that have some, from `since` on."""

    def read(self, day: date) -> pl.DataFrame:
        """Those of a day, as rows of the table."""


@dataclass(frozen=True)
class Reenriched:
    """What became of the events of one day."""

    day: date
    looked_at: int
    changed: int
    unmapped: int
    """Whose school or class is unknown still."""


def reenrich(rows: pl.DataFrame, directory: Directory, key: Key) -> pl.DataFrame:
    """The rows as this directory sees them. Pure: rows of `EVENT_ROW` that keep their names in and out."""
    classes = directory.rows.classes
    known = [*classes["class_id"], *classes["names"].explode().drop_nulls()]
    absent = [pl.lit(None, pl.String).alias(name) for name in ("app", "app_raw", "app_kind")]
    named = read_names(rows["named"], known, key).with_columns(rows["event_time"].alias("time"), *absent)
    found = enrich(named, directory).select(_FROM_DIRECTORY)
    made = rows.with_columns(*found.get_columns(), pl.lit(directory.revision).alias("revision"))
    return made.select(pl.col(name).cast(dtype) for name, dtype in EVENT_ROW.items())


def reenrich_since(
    since: date, events: NamedEvents, store: EventStore, directory: Directory, key: Key, *, dry_run: bool = False
) -> Iterator[Reenriched]:
    """Day after day: write the rows that change, and recompute the windows of all; raises as the store does."""
    for day in events.days(since):
        rows = events.read(day)
        made = reenrich(rows, directory, key)
        changed = made.filter(_differs(rows, made) & (rows["revision"] <= directory.revision))
        if not dry_run:
            for part in changed.iter_slices(_ROWS_AT_ONCE):
                store.insert(Shipment(events=part))
            _recompute(store, rows["event_time"].dt.truncate("1m").unique().dt.epoch("s").to_list())
        unmapped = (made["uai"] == UNMAPPED) | (made["class_id"] == UNMAPPED)
        yield Reenriched(day, len(rows), len(changed), int(unmapped.sum()))


def _differs(before: pl.DataFrame, after: pl.DataFrame) -> pl.Series:
    """Whether the directory says something else of a row."""
    columns = [pl.col(name).cast(EVENT_ROW[name]) for name in _FROM_DIRECTORY]
    texts = [frame.select(pl.struct(columns).struct.json_encode()).to_series() for frame in (before, after)]
    return texts[0] != texts[1]


def _recompute(store: EventStore, minutes: Collection[int]) -> None:
    hours = {minute - minute % 3600 for minute in minutes}
    for level, slices in ((Level.MINUTE, set(minutes)), (Level.HOUR, hours), (Level.DAY, days_of(hours))):
        ordered = sorted(slices)
        for first in range(0, len(ordered), AT_ONCE[level]):
            store.recompute(level, ordered[first : first + AT_ONCE[level]])
