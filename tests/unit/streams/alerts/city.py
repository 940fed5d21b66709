"""A city of plain Poisson schools, to put one thing at a time into."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from streams.alerts.arrays import Booleans, Integers
from streams.alerts.closing import Closed
from streams.alerts.day import Calendar
from streams.alerts.finding import Finding
from streams.alerts.grid import Grid
from streams.alerts.learned import Learned
from streams.alerts.recent import Recent
from streams.alerts.replay import PastDay, replay
from streams.alerts.rules import Settings

GRID = Grid()
MONDAY = date(2026, 1, 5)
PER_H = (60.0, 20.0, 8.0)
LEARNED_DAYS = 25
NINE, NOON, FOUR = (GRID.bin_at(60 * hour) for hour in (9, 12, 16))


def school_days(count: int) -> list[date]:
    """Monday, Tuesday, Thursday and Friday."""
    every = (MONDAY + timedelta(days=n) for n in range(3 * count))
    return [day for day in every if day.weekday() in {0, 1, 3, 4}][:count]


class City:
    """Counts [school, profile, day, bin] from 08:00 to 18:00, to be changed before they are replayed."""

    def __init__(self, schools: int = 10, days: int = LEARNED_DAYS, seed: int = 0) -> None:
        draw = np.random.default_rng(seed)
        self.days = school_days(days)
        rate = np.zeros((schools, 3, days, GRID.bins))
        rate[..., GRID.bin_at(8 * 60) : GRID.bin_at(18 * 60)] = np.array(PER_H)[:, None, None] / 12
        self.counts: Integers = draw.poisson(rate).astype(np.int64)
        self.opened: Booleans = np.ones((schools, days, GRID.bins), bool)
        self.known: Booleans = np.ones((schools, days, GRID.bins), bool)

    def past(self, day: int) -> PastDay:
        """One of its days."""
        calendar = Calendar(self.days[day].toordinal(), self.days[day].weekday(), self.opened[:, day])
        return PastDay(calendar, self.counts[:, :, day], self.known[:, day])

    def replay(self, settings: Settings | None = None) -> tuple[Learned, Recent, list[Closed]]:
        """All of its days, from nothing."""
        learned = Learned.empty(len(self.counts), GRID, settings or Settings())
        recent = Recent(learned)
        closed = list(replay(learned, recent, (self.past(day) for day in range(len(self.days)))))
        return learned, recent, closed

    def findings(self, settings: Settings | None = None) -> list[Sequence[Finding]]:
        """Per day."""
        return [closed.findings for closed in self.replay(settings)[2]]
