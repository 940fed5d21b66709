"""The counts of the last eight such weekdays, in memory: enough for a city, too much for a country."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from streams.alerts.closing import Closed
from streams.alerts.finding import Reference
from streams.alerts.learned import Learned

_WEEK = 7
_KEPT = 8


class Recent:
    """Counts [school, profile, weekday, place, bin] and which of them may be compared with."""

    def __init__(self, learned: Learned) -> None:
        schools, profiles, bins = learned.schools, learned.level.shape[1], learned.grid.bins
        self.counts: npt.NDArray[np.int32] = np.zeros((schools, profiles, _WEEK, _KEPT, bins), np.int32)
        self.usable: npt.NDArray[np.bool_] = np.zeros((schools, _WEEK, _KEPT, bins), bool)
        self.ordinal: npt.NDArray[np.int64] = np.zeros((schools, _WEEK, _KEPT), np.int64)

    def comparable(
        self, school: int, weekday: int, profiles: Sequence[int], first: int, last: int
    ) -> tuple[Reference, ...]:
        """See finding.References."""
        bins = slice(first, last + 1)
        usable = np.asarray(self.usable[school, weekday, :, bins].all(1))
        logins = self.counts[school][list(profiles), weekday][:, :, bins].sum((0, 2))
        ordinals = self.ordinal[school, weekday]
        return tuple(
            Reference(int(ordinals[place]), int(logins[place]))
            for place in np.argsort(ordinals, kind="stable")
            if usable[place]
        )

    def take(self, closed: Closed) -> None:
        """Keep a finished day, in place of the oldest such weekday, for the schools that were open."""
        day = closed.day
        weekday = day.calendar.weekday
        opened = np.flatnonzero(day.open_day & ~closed.skip.all(1))
        place = self.ordinal[opened, weekday].argmin(1)
        self.counts[opened, :, weekday, place] = day.seen[opened]
        self.usable[opened, weekday, place] = ~closed.skip[opened]
        self.ordinal[opened, weekday, place] = day.calendar.ordinal
