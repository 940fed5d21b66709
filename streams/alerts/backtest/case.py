"""What is judged: counts, a calendar and a truth, wherever they come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from streams.alerts.arrays import Booleans, Counts, Integers
from streams.alerts.backtest.incidents import FIRST_SCORED_DAY
from streams.alerts.backtest.year import GRID, Incident, Year
from streams.alerts.day import Calendar
from streams.alerts.finding import Finding
from streams.alerts.grid import Grid
from streams.alerts.learned import Learned
from streams.alerts.recent import Recent
from streams.alerts.replay import PastDay, replay
from streams.alerts.rules import Settings


@dataclass(frozen=True)
class Case:
    """Counts [school, profile, day, bin] with what the calendar knew [school, day, bin] and what truly happened."""

    grid: Grid
    ordinals: Integers
    counts: Counts
    opened: Booleans
    known: Booleans
    incidents: tuple[Incident, ...]
    closures: tuple[Incident, ...]
    first_day: int
    """The first day that counts in the figures."""

    @classmethod
    def of_year(cls, year: Year) -> Case:
        """A simulated year."""
        return cls(
            grid=GRID,
            ordinals=np.array([day.toordinal() for day in year.days]),
            counts=year.counts,
            opened=year.opened,
            known=np.ones_like(year.opened),
            incidents=tuple(year.incidents),
            closures=tuple(year.closures),
            first_day=FIRST_SCORED_DAY,
        )

    @property
    def schools(self) -> int:
        """How many schools there are."""
        return int(self.counts.shape[0])

    @property
    def weekday(self) -> Integers:
        """Of each day; Monday is 0."""
        return np.asarray((self.ordinals + 6) % 7)

    @property
    def months(self) -> float:
        """School-months from the first day that counts."""
        return float(self.schools * (self.ordinals[-1] - self.ordinals[self.first_day]) / 30.4)

    def days(self) -> Iterator[PastDay]:
        """One after the other, as the detector takes them."""
        for day, ordinal in enumerate(self.ordinals):
            calendar = Calendar(int(ordinal), int(self.weekday[day]), self.opened[:, day])
            yield PastDay(calendar, self.counts[:, :, day], self.known[:, day])


@dataclass(frozen=True)
class Raised:
    """A finding, or a rival's alert in the same form, with the place of its day."""

    day: int
    finding: Finding


def detect(case: Case, settings: Settings | None = None) -> list[Raised]:
    """What the detector finds in the whole case, each day on what was known then."""
    learned = Learned.empty(case.schools, case.grid, settings or Settings())
    passes = replay(learned, Recent(learned), case.days())
    return [Raised(day, finding) for day, closed in enumerate(passes) for finding in closed.findings]
