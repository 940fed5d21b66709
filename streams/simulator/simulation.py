"""A simulated city: what arrives when, in order, and the truth of what was handed out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np

from schemas.directory_row import DirectoryRows
from schemas.school_time import Timetable
from streams.simulator.calendar import FIRST_KNOWN_DAY
from streams.simulator.day import Day, draw_day
from streams.simulator.faults import Faults
from streams.simulator.happenings import PARIS, midnight_ms
from streams.simulator.outage import Outage
from streams.simulator.population import Settling
from streams.simulator.record import Record
from streams.simulator.rows import TOMBSTONE, Ints
from streams.simulator.school_week import timetables_of
from streams.simulator.truth import Truth
from streams.simulator.wire import render

__all__ = ["Record", "Simulation"]

CHUNK: Final = 4096
"""Most records that are handed out at a time."""
_DAYS_KEPT: Final = 3
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


class Simulation:
    """The events of a directory's schools.

    What arrives on a day depends on the arguments and on that day alone: a simulation that starts again in the middle
    hands out the same records, and then its truth is that of what it handed out itself.
    """

    def __init__(self, directory: DirectoryRows, seed: int, scale: float = 1.0, faults: Faults | None = None) -> None:
        """`scale` multiplies the number of events: at 1, the 21 schools of Mulhouse make about 25 000 on a school day.

        Raises ValueError for a negative seed or scale.
        """
        if seed < 0 or scale < 0:
            raise ValueError(f"the seed is {seed} and the scale {scale}: neither may be negative")
        self._settling = Settling(directory, seed)
        self._seed = seed
        self._scale = scale
        self._faults = faults or Faults()
        self._days: dict[date, Day] = {}
        self._arriving: dict[date, _Arriving] = {}
        self.truth = Truth()
        self.outages: list[Outage] = []
        """Of what happened in them nothing is handed out; may be added to at any time."""

    def timetables(self, day: date) -> dict[tuple[str, str], Timetable]:
        """The weeks that the schools keep in the school year of a day, by UAI and school year."""
        return timetables_of(self._settling.on(day), day)

    def history(self, first_day: date, until: datetime) -> Iterator[list[Record]]:
        """Chunks of all records that arrive from the beginning of `first_day` in Paris until before `until`, in order.

        Raises CalendarEndedError beyond the years that the calendar knows.
        """
        for day, places in self._between(midnight_ms(first_day), _ms(until)):
            for first in range(0, len(places), CHUNK):
                yield self._hand_out(day, places[first : first + CHUNK])

    def due(self, since: datetime, until: datetime) -> list[Record]:
        """The records that arrive from `since` until before `until`, in order. Cheap once a day was begun."""
        spans = self._between(_ms(since), _ms(until))
        return [record for day, places in spans for record in self._hand_out(day, places)]

    def lines(self, first_day: date, until: datetime) -> Iterator[list[bytes]]:
        """As `history`, for a file: one value a line, all CloudEvents in structured mode, no tombstones."""
        for day, places in self._between(midnight_ms(first_day), _ms(until)):
            kept = places[day.kind[places] != TOMBSTONE]
            for first in range(0, len(kept), CHUNK):
                records = self._hand_out(day, kept[first : first + CHUNK], binary=False)
                yield [record.value for record in records if record.value is not None]

    def _between(self, since_ms: int, until_ms: int) -> Iterator[tuple[_Arriving, Ints]]:
        """Each day with its arrivals within the span."""
        day = datetime.fromtimestamp(since_ms / 1000, PARIS).date()
        while midnight_ms(day) < until_ms:
            arriving = self._arriving_on(day)
            first, after = np.searchsorted(arriving.arrival_ms, [since_ms, until_ms])
            yield arriving, np.arange(first, after)
            day += timedelta(days=1)

    def _hand_out(self, arriving: _Arriving, places: Ints, *, binary: bool = True) -> list[Record]:
        """Records of one day of arrival, which are of that day and of the one before."""
        places = self._without_outages(arriving, places)
        records: list[Record | None] = [None] * len(places)
        source = arriving.source[places]
        for number, day in enumerate(arriving.days):
            here = (source == number).nonzero()[0]
            if not len(here):
                continue
            which = arriving.which[places[here]]
            self.truth.add(day, which)
            rendered = render(day, which, binary=binary)
            if len(here) == len(places):
                return rendered
            for place, record in zip(here.tolist(), rendered, strict=True):
                records[place] = record
        return [record for record in records if record is not None]

    def _without_outages(self, arriving: _Arriving, places: Ints) -> Ints:
        kept = np.ones(len(places), np.bool_)
        source, which = arriving.source[places], arriving.which[places]
        for number, day in enumerate(arriving.days):
            here = source == number
            for outage in self.outages if here.any() else ():
                kept[here] &= ~outage.swallows(day, which[here], self._seed)
        return places[kept]

    def _arriving_on(self, day: date) -> _Arriving:
        if day not in self._arriving:
            before = day - timedelta(days=1)
            days = ([self._drawn(before)] if before >= FIRST_KNOWN_DAY else []) + [self._drawn(day)]
            self._arriving[day] = _Arriving.on(day, days)
            _forget(self._arriving)
        return self._arriving[day]

    def _drawn(self, day: date) -> Day:
        if day not in self._days:
            population = self._settling.on(day)
            self._days[day] = draw_day(population, day, self._seed, self._scale, self._faults)
            _forget(self._days)
        return self._days[day]


@dataclass(frozen=True)
class _Arriving:
    """The records that arrive on one day, in their order."""

    days: list[Day]
    """On which they happened."""
    source: Ints
    """Of each record: which of the days."""
    which: Ints
    """Of each record: its place among that day's records."""
    arrival_ms: Ints
    kind: Ints

    @classmethod
    def on(cls, day: date, days: list[Day]) -> _Arriving:
        begin, end = midnight_ms(day), midnight_ms(day + timedelta(days=1))
        chosen = [((begin <= of.arrival_ms) & (of.arrival_ms < end)).nonzero()[0] for of in days]
        source = np.repeat(np.arange(len(days)), [len(which) for which in chosen])
        which = np.concatenate(chosen)
        arrival_ms = np.concatenate([of.arrival_ms[places] for of, places in zip(days, chosen, strict=True)])
        kind = np.concatenate([of.rows.kind[of.row[places]] for of, places in zip(days, chosen, strict=True)])
        order = np.argsort(arrival_ms, kind="stable")
        return cls(days, source[order], which[order], arrival_ms[order], kind[order].astype(np.int64))


def _ms(moment: datetime) -> int:
    """The first whole millisecond since 1970 UTC that is not before `moment`."""
    return -((_EPOCH - moment) // _MS)


def _forget(kept: dict[date, Day] | dict[date, _Arriving]) -> None:
    while len(kept) > _DAYS_KEPT:
        del kept[next(iter(kept))]
