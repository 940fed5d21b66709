"""Where records land: what a store must do, and what it may say instead."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import polars as pl

from schemas.row import DEAD_LETTER_ROW, DROPPED_ROW, EVENT_ROW


class StoreUnavailable(Exception):
    """Nothing was learned about the rows: ask again later with the same ones."""


class RowsRefused(Exception):
    """At least one row cannot be stored, now or ever: find it and put it aside."""


class StoreMisconfigured(Exception):
    """Asking again will not help before an operator has done what the message says."""


class Level(StrEnum):
    """The lengths of the windows: minutes and hours of UTC, days of Paris."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


@dataclass(frozen=True)
class Shipment:
    """What some batches came to: every record of theirs is in exactly one of the three frames."""

    events: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=EVENT_ROW))
    dead_letters: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=DEAD_LETTER_ROW))
    dropped: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=DROPPED_ROW))


def together(shipments: Sequence[Shipment]) -> Shipment:
    """One shipment of all, in their order."""
    if len(shipments) == 1:
        return shipments[0]
    return Shipment(
        pl.concat([one.events for one in shipments]),
        pl.concat([one.dead_letters for one in shipments]),
        pl.concat([one.dropped for one in shipments]),
    )


@dataclass(frozen=True)
class LogStart:
    """Where the reading of a log began."""

    topic: str
    incarnation: int
    partition: int
    first: int


@dataclass(frozen=True)
class Progress:
    """How far a partition is complete: everything that arrived before `complete_through` is in the windows."""

    topic: str
    partition: int
    incarnation: int
    complete_through: datetime
    lag: int


@dataclass(frozen=True)
class LedgerLine:
    """What became of one partition of one log, in offsets: consumed = stored + duplicate + rejected + dropped."""

    topic: str
    incarnation: int
    partition: int
    first: int
    next: int
    consumed: int
    stored: int
    duplicate: int
    rejected: int
    dropped: int
    missing: int

    @property
    def closes(self) -> bool:
        """Whether every offset came to an end, and none to two."""
        ends = self.stored + self.duplicate + self.rejected + self.dropped
        return self.missing == 0 and self.duplicate >= 0 and self.consumed == ends


class Store(Protocol):
    """A place for events and their windows. Every call may be repeated at will: it then changes nothing.

    Every call raises StoreUnavailable, RowsRefused or StoreMisconfigured and nothing else on account of the store.
    """

    def insert(self, shipment: Shipment) -> None:
        """Keep the shipment; when this returns, it is durable. What was kept of a failed call is kept rightly."""

    def recompute(self, level: Level, slices: Collection[int]) -> None:
        """Write the windows of `slices` anew from the level below; minutes come from the events.

        Slices are starts of windows: seconds since 1970 UTC for minutes and hours, days since 1970-01-01 for days.
        """

    def open_logs(self, starts: Sequence[LogStart]) -> None:
        """Remember where the reading of logs began."""

    def record_progress(self, lines: Sequence[Progress]) -> None:
        """Remember how far partitions are complete."""

    def ledger(self) -> list[LedgerLine]:
        """One line for each partition of each log that was ever read, in order."""

    def window(self, table: str) -> Iterable[tuple[object, ...]]:
        """The cells of a window table with events in them: its dimensions, then events, events_once, recipients and
        distinct users. Slices are as in `recompute`."""
