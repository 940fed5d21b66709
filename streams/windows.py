"""The passes that keep the windows right, and the acknowledgements that wait for them.

A batch is acknowledged only when its rows are stored and the minutes, hours and days they touch were recomputed after
that. So Kafka itself remembers what a dead worker left undone: no dirty table, no watermark, no scan at start. Passes
are paced by what is dirty, not by batch: often when little comes in, once per slice when far behind.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from sinks.base import Level

PARIS = ZoneInfo("Europe/Paris")
_EPOCH_DAY = date(1970, 1, 1)
AT_ONCE = {Level.MINUTE: 250, Level.HOUR: 100, Level.DAY: 40}
"""Slices of one statement: few statements, and none that reads more than a small machine can hold."""


class Recompute(Protocol):
    """Writes slices of a level anew; returns when they are right, however long the store is away."""

    def __call__(self, level: Level, slices: Collection[int]) -> None: ...


@dataclass(frozen=True)
class Pace:
    """How often the windows are recomputed."""

    share: float = 0.3
    """Share of the time that passes over minutes may take."""
    shortest_pause_s: float = 0.1
    roll_interval_s: float = 3.0
    """Pause between passes over hours and days, at least; ten times what the last one took, if that is longer."""
    longest_pause_s: float = 20.0
    """Pause between passes over minutes at most, also after one that waited for a database that was away; and the pause
    while far behind: a fuller pass costs less, and nobody waits for old minutes."""
    longest_roll_pause_s: float = 60.0
    """The same between passes over hours and days."""
    max_held_rows: int = 2_000_000


@dataclass(frozen=True)
class Stored:
    """Rows that are in the store and wait for their windows, and what to do then."""

    minutes: frozenset[int]
    rows: int
    acknowledge: Callable[[], None]
    arrived_ms: int | None = None
    """First arrival in Kafka among them, for the freshness."""


@dataclass(frozen=True)
class _Cost:
    """What a pass took, to guess at the next one."""

    rows: int = 0
    spent_s: float = 0.0

    def expected_s(self, rows: int) -> float:
        """As much as last time; less in proportion where there are fewer rows."""
        return self.spent_s * min(1.0, rows / self.rows) if self.rows else self.spent_s


@dataclass
class Windows:
    """Stored rows wait here until their minutes, hours and days were recomputed; then they are acknowledged."""

    recompute: Recompute
    pace: Pace
    hurried: Callable[[], bool]
    """Whether a rebalance or a stop waits for our acknowledgements."""
    behind: Callable[[], bool] = lambda: False
    """Whether many records wait in Kafka: then passes wait until there is much to count."""
    on_minutes_right: Callable[[Sequence[Stored]], None] = lambda _: None
    on_stage: Callable[[str, float], None] = lambda _stage, _seconds: None
    held_rows: int = 0
    _fresh: list[Stored] = field(default_factory=list)
    """Touched since the last pass over minutes."""
    _counted: list[Stored] = field(default_factory=list)
    """Counted in minutes, not yet in hours and days."""
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _rolled: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, stored: Stored) -> None:
        """Take in what was just stored."""
        self._fresh.append(stored)
        self.held_rows += stored.rows
        self._wake.set()

    @property
    def full(self) -> bool:
        """Whether as many rows wait as may: no more should be stored now."""
        return self.held_rows > self.pace.max_held_rows

    @property
    def _laden(self) -> bool:
        return self.held_rows > self.pace.max_held_rows / 2

    async def room(self) -> None:
        """Return when more may be stored."""
        while self.full:
            self._rolled.clear()
            await self._rolled.wait()

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._fresh and not self._counted

    async def run(self) -> None:
        """Pass after pass, for ever."""
        rolled_s, roll = time.monotonic(), _Cost()
        while True:
            minutes = await self._count_minutes()
            earned_s = 10 * roll.expected_s(_rows(self._counted))
            pause_s = max(self.pace.roll_interval_s, min(earned_s, self.pace.longest_roll_pause_s))
            if self._counted and (self.hurried() or self._laden or time.monotonic() > rolled_s + pause_s):
                roll = await self._roll()
                rolled_s = time.monotonic()
            await self._rest(minutes)

    async def _count_minutes(self) -> _Cost:
        fresh, self._fresh = self._fresh, []
        minutes = _union(fresh)
        spent_s = await self._write(Level.MINUTE, minutes)
        if fresh:
            self._counted += fresh
            self.on_minutes_right(fresh)
        return _Cost(_rows(fresh), spent_s)

    async def _roll(self) -> _Cost:
        counted, self._counted = self._counted, []
        hours = {minute - minute % 3600 for minute in _union(counted)}
        spent_s = await self._write(Level.HOUR, hours)
        spent_s += await self._write(Level.DAY, days_of(hours))
        rows = _rows(counted)
        self.held_rows -= rows
        for stored in counted:
            stored.acknowledge()
        self._rolled.set()
        return _Cost(rows, spent_s)

    async def _write(self, level: Level, slices: Collection[int]) -> float:
        if not slices:
            return 0.0
        start_s = time.monotonic()
        ordered = sorted(slices)
        for first in range(0, len(ordered), AT_ONCE[level]):
            await asyncio.to_thread(self.recompute, level, ordered[first : first + AT_ONCE[level]])
        spent_s = time.monotonic() - start_s
        self.on_stage(level.value, spent_s)
        return spent_s

    async def _rest(self, last: _Cost) -> None:
        """Wait as long as the next pass over minutes will have earned; not longer than needed where someone waits for
        us, longer where many records wait in Kafka, and until something comes where nothing is left.
        """
        start_s = time.monotonic()
        while not (self.hurried() and not self.empty):
            earned_s = last.expected_s(_rows(self._fresh)) * (1 / self.pace.share - 1)
            pause_s = max(self.pace.shortest_pause_s, min(earned_s, self.pace.longest_pause_s))
            if self.behind() and not self._laden:
                pause_s = self.pace.longest_pause_s
            left_s = start_s + pause_s - time.monotonic()
            if left_s <= 0:
                break
            await asyncio.sleep(min(left_s, 0.05))
        if self.empty:
            self._wake.clear()
            await self._wake.wait()


def days_of(hours: Iterable[int]) -> set[int]:
    """The days of Paris, counted from 1970-01-01, in which hours (seconds since 1970 UTC) begin."""
    return {(datetime.fromtimestamp(hour, UTC).astimezone(PARIS).date() - _EPOCH_DAY).days for hour in hours}


def _union(stored: Iterable[Stored]) -> set[int]:
    return set().union(*(s.minutes for s in stored))


def _rows(stored: Iterable[Stored]) -> int:
    return sum(s.rows for s in stored)
