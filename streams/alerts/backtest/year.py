"""One simulated school year: counts, what the calendar knew, and what truly happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from streams.alerts.arrays import Booleans, Floats, Integers
from streams.alerts.grid import Grid

PUPILS, FAMILIES, TEACHERS = range(3)
GRID: Final = Grid()
BINS_PER_H: Final = 60 // GRID.step_min
WEDNESDAY: Final = 2

FIRST_DAY, END = date(2025, 9, 1), date(2026, 7, 4)
_HOLIDAYS: Final = (
    (date(2025, 10, 18), date(2025, 11, 3)),
    (date(2025, 12, 20), date(2026, 1, 5)),
    (date(2026, 2, 14), date(2026, 3, 2)),
    (date(2026, 4, 11), date(2026, 4, 27)),
    (date(2026, 5, 14), date(2026, 5, 18)),
)
"""Zone B, the first day off and the morning of the return."""
_PUBLIC: Final = frozenset(
    {date(2025, 11, 11), date(2026, 4, 6), date(2026, 5, 1), date(2026, 5, 8), date(2026, 5, 25)}
)


class Span(NamedTuple):
    """Bins `first` to before `end` of one day; `day` counts school days."""

    day: int
    first: int
    end: int


@dataclass(frozen=True)
class Incident:
    """What truly happened, to one school or to all (`school` None)."""

    kind: str
    school: int | None
    spans: tuple[Span, ...]
    expected_per_h: float
    """Logins per hour in the same hours of comparable days: the size that figures are told by."""


@dataclass
class Year:
    """Counts [school, profile, day, bin] on the days on which at least one school is open, in local wall-clock bins."""

    days: tuple[date, ...]
    counts: npt.NDArray[np.int32]
    opened: Booleans
    """[school, day, bin]: as far as the calendar knows."""
    incidents: list[Incident] = field(default_factory=list)
    closures: list[Incident] = field(default_factory=list)
    """Closures that nobody declared."""

    @property
    def schools(self) -> int:
        """How many schools there are."""
        return int(self.counts.shape[0])

    @property
    def weekday(self) -> Integers:
        """Of each day; Monday is 0."""
        return np.array([day.weekday() for day in self.days])

    def open_days(self, least_h: float = 2.0) -> Booleans:
        """[school, day]: open for at least so many of the watched hours."""
        return np.asarray(self.opened[:, :, GRID.watched].sum(2) >= least_h * BINS_PER_H)

    def months(self, first_day: int) -> float:
        """School-months from this school day to the end, holidays included."""
        return self.schools * (self.days[-1] - self.days[first_day]).days / 30.4

    def rate_per_h(self) -> Floats:
        """[school]: mean logins per class hour, for the table by size."""
        hours = np.r_[bin_of(8.5) : bin_of(11.75), bin_of(13.25) : bin_of(16.5)]
        by_day = self.counts.sum(1)[:, :, hours].mean(2) * BINS_PER_H
        full = self.opened[:, :, hours].all(2)
        return np.asarray((by_day * full).sum(1) / np.maximum(full.sum(1), 1))


def bin_of(hour: float) -> int:
    """The bin nearest to an hour of the day."""
    return round((hour * 60 - GRID.first_min) / GRID.step_min)


def school_days() -> tuple[date, ...]:
    """Monday to Friday of 2025-26 in zone B, without public holidays."""
    every = (FIRST_DAY + timedelta(days=n) for n in range((END - FIRST_DAY).days))
    return tuple(
        day
        for day in every
        if day.weekday() < 5 and day not in _PUBLIC and not any(first <= day < back for first, back in _HOLIDAYS)
    )


def curve(*points: tuple[float, float]) -> Floats:
    """A day's shape [bin] through (hour, weight) points, of sum 1."""
    hours = (np.arange(GRID.bins) + 0.5) * GRID.step_min / 60 + GRID.first_min / 60
    weights = np.interp(hours, [hour for hour, _ in points], [weight for _, weight in points])
    return np.asarray(weights / weights.sum())


PARENTS_CURVE = curve(
    *((7, 0.4), (7.75, 1.3), (8.5, 0.9), (9.5, 0.45), (11.5, 0.5), (12.3, 1.1), (13.4, 0.9), (14.5, 0.45)),
    *((16, 0.7), (16.7, 1.6), (18, 1.4), (19, 1.3), (20.3, 1.7), (21.3, 1.1), (22, 0.5)),
)
TEACHERS_CURVE = curve(
    *((7, 0.2), (8, 1.6), (8.6, 1.5), (9.5, 0.7), (10.3, 1.0), (11.6, 1.2), (12.8, 0.9), (13.4, 1.3)),
    *((15, 0.7), (16.6, 1.4), (17.5, 0.8), (19, 0.4), (21, 0.4), (22, 0.1)),
)


class Frame(NamedTuple):
    """A year before anybody logs in."""

    year: Year
    works_wednesdays: Booleans
    closed: tuple[tuple[Span, ...], ...]
    """Per school, declared or not."""


def frame(draw: np.random.Generator, schools: int) -> Frame:
    """Half of the schools work on Wednesday mornings; 1.5 declared and 1 undeclared closure per school and year."""
    days = school_days()
    opened = np.ones((schools, len(days), GRID.bins), bool)
    wednesdays = np.array([day.weekday() == WEDNESDAY for day in days])
    works = draw.random(schools) < 0.5
    opened[np.ix_(works, wednesdays, np.arange(bin_of(12), GRID.bins))] = False
    opened[np.ix_(~works, wednesdays)] = False
    year = Year(days, np.zeros((schools, 3, len(days), GRID.bins), np.int32), opened)
    closed = tuple(_close(draw, year, school) for school in range(schools))
    return Frame(year, works, closed)


def _close(draw: np.random.Generator, year: Year, school: int) -> tuple[Span, ...]:
    noon = bin_of(12.5)
    parts = ((0, GRID.bins), (0, GRID.bins), (0, noon), (noon, GRID.bins))
    open_days = np.flatnonzero(year.open_days(least_h=5)[school])
    spans: dict[int, Span] = {}
    for declared in [True] * draw.poisson(1.5) + [False] * draw.poisson(1.0):
        day = int(draw.choice(open_days[20:]))
        span = Span(day, *parts[draw.integers(len(parts))])
        if day in spans:
            continue
        spans[day] = span
        if declared:
            year.opened[school, day, span.first : span.end] = False
        else:
            watched = Span(day, max(span.first, GRID.watched.start), min(span.end, GRID.watched.stop))
            year.closures.append(Incident("closure", school, (watched,), 0.0))
    return tuple(spans.values())
