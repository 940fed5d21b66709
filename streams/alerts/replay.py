"""Past days one after the other: how the state is built at a start, and what the back-check runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from streams.alerts.arrays import Booleans, Counts
from streams.alerts.closing import Closed, close
from streams.alerts.day import Calendar, Day
from streams.alerts.learned import Learned
from streams.alerts.learning import learn
from streams.alerts.recent import Recent


class PastDay(NamedTuple):
    """One whole day of the grid."""

    calendar: Calendar
    counts: Counts
    """[school, profile, bin]"""
    known: Booleans | None = None
    """[school, bin]: False where data are missing; None: nowhere."""


def replay(learned: Learned, recent: Recent, days: Iterable[PastDay]) -> Iterator[Closed]:
    """Score and learn whole days in their order, exactly as they would have been live; changes both states in place."""
    for past in days:
        day = Day(learned, past.calendar, recent)
        day.advance(past.counts, past.known)
        closed = close(learned, day)
        recent.take(closed)
        learn(learned, closed)
        yield closed
