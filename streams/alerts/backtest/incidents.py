"""Incidents with a known truth, put into a simulated year."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from streams.alerts.arrays import Booleans, Integers
from streams.alerts.backtest import bursts, plain
from streams.alerts.backtest.year import BINS_PER_H, GRID, WEDNESDAY, Incident, Span, Year, bin_of

FIRST_SCORED_DAY: Final = 40
"""School days before anything is put in, or counted."""
SCHOOLS: Final = 21
WORLDS: Final[dict[str, Callable[[int, int], Year]]] = {"bursts": bursts.simulate, "plain": plain.simulate}
PLATFORM: Final = "platform outage"
FAMILIES_SILENT: Final = "families silent, 2 days"
SLOW: Final = "-35 %, 3 days"
BAD_DAY: Final = "day at -60 %"
NETWORK: Final = "network 2 h"
_TRIES = 300
_COMPARED_DAYS = 8


@dataclass(frozen=True)
class _Plan:
    """How often per year and 21 schools, how long, and what share of each profile is left."""

    times: int
    bins: int = 0
    days: int = 1
    kept: tuple[float, float, float] | None = None


_LEFT_IN_AN_OUTAGE = (0.0, 0.0, 0.01, 0.03)
_PLANS: Final = {
    "outage 30 min": _Plan(18, bins=6),
    "outage 1 h": _Plan(24, bins=12),
    "outage 2 h": _Plan(24, bins=24),
    "outage half day": _Plan(12, bins=48),
    NETWORK: _Plan(12, bins=24, kept=(0.01, 1.0, 0.03)),
    BAD_DAY: _Plan(24, kept=(0.4, 0.4, 0.4)),
    SLOW: _Plan(12, days=3, kept=(0.65, 0.65, 0.65)),
    FAMILIES_SILENT: _Plan(8, days=2, kept=(1.0, 0.02, 1.0)),
}
KINDS: Final = (*_PLANS, PLATFORM)
_PLATFORM_BINS = (12, 18, 24)
_PLATFORM_LEFT = 0.01


def simulate(world: str, seed: int, schools: int = SCHOOLS) -> Year:
    """One year of a world with its incidents: 137 per 21 schools, 0.84 per school and month that is scored.

    Raises KeyError for an unknown world.
    """
    year = WORLDS[world](seed, schools)
    _Injection(year, np.random.default_rng([seed, len(world)])).run()
    return year


class _Injection:
    def __init__(self, year: Year, draw: np.random.Generator) -> None:
        self.year, self.draw = year, draw
        self.clean: Integers = year.counts.sum(1, dtype=np.int64)
        self.open_days = year.open_days()
        self.weekday = year.weekday
        self.busy: Booleans = np.zeros(self.open_days.shape, bool)
        """[school, day]: something happens there already."""
        for closure in year.closures:
            assert closure.school is not None
            self.busy[closure.school, closure.spans[0].day] = True

    def run(self) -> None:
        self.year.closures = [replace(one, expected_per_h=self._usual(one)) for one in self.year.closures]
        for bins in _PLATFORM_BINS:
            self._put_platform(bins)
        for kind, plan in _PLANS.items():
            for _ in range(round(plan.times * self.year.schools / SCHOOLS)):
                self._put(kind, plan)

    def _usual(self, incident: Incident) -> float:
        """Mean hourly rate of the same spans on the nearest open days of the same weekday."""
        rates = []
        for day, first, end in incident.spans:
            schools = range(self.year.schools) if incident.school is None else [incident.school]
            rates.append(sum(self._rate(school, day, first, end) for school in schools))
        return float(np.mean(rates))

    def _rate(self, school: int, day: int, first: int, end: int) -> float:
        alike = np.flatnonzero(self.open_days[school] & (self.weekday == self.weekday[day]))
        alike = alike[alike != day]
        nearest = alike[np.argsort(np.abs(alike - day), kind="stable")][:_COMPARED_DAYS]
        total = self.clean[school, nearest, first:end].sum()
        return float(total / max(1, len(nearest)) / (end - first) * BINS_PER_H)

    def _note(self, kind: str, school: int | None, spans: tuple[Span, ...]) -> None:
        incident = Incident(kind, school, spans, 0.0)
        self.year.incidents.append(replace(incident, expected_per_h=self._usual(incident)))
        for span in spans:
            self.busy[slice(None) if school is None else school, span.day] = True

    def _put_platform(self, bins: int) -> None:
        days = np.arange(FIRST_SCORED_DAY, len(self.year.days))
        free = days[(self.weekday[days] != WEDNESDAY) & ~self.busy[:, days].any(0)]
        day = int(self.draw.choice(free))
        first = int(self.draw.integers(bin_of(8.75), bin_of(17) - bins))
        counts = self.year.counts[:, :, day, first : first + bins]
        self.year.counts[:, :, day, first : first + bins] = self.draw.binomial(counts, _PLATFORM_LEFT)
        self._note(PLATFORM, None, (Span(day, first, first + bins),))

    def _put(self, kind: str, plan: _Plan) -> None:
        for _ in range(_TRIES):
            school = int(self.draw.integers(self.year.schools))
            spans = self._place(kind, plan, school)
            if spans is not None:
                break
        else:
            return
        left = plan.kept or (float(self.draw.choice(_LEFT_IN_AN_OUTAGE)),) * 3
        for day, first, end in spans:
            bins = slice(first, end) if plan.bins else slice(None)
            counts = self.year.counts[school, :, day, bins]
            self.year.counts[school, :, day, bins] = self.draw.binomial(counts, np.array(left)[:, None])
        self._note(kind, school, spans)

    def _place(self, kind: str, plan: _Plan, school: int) -> tuple[Span, ...] | None:
        """Where it could lie, with a free day before and after; None if this draw does not fit."""
        opened = np.flatnonzero(self.open_days[school])
        at = int(self.draw.choice(np.flatnonzero(opened >= FIRST_SCORED_DAY)))
        near = opened[at - 1 : at + plan.days + 1]
        if len(near) < plan.days + 2 or self.busy[school, near].any():
            return None
        if not plan.bins:
            watched = GRID.watched
            return tuple(Span(int(day), watched.start, watched.stop) for day in near[1:-1])
        day = int(opened[at])
        end_h = 12 if self.weekday[day] == WEDNESDAY else 18
        if kind == NETWORK:
            starts = (8.75, 9.25) if self.weekday[day] == WEDNESDAY else (8.75, 9.25, 14)
            first = bin_of(float(self.draw.choice(starts)))
        else:
            latest = bin_of(end_h) - plan.bins
            first = int(self.draw.integers(bin_of(8.5), max(bin_of(8.5), latest) + 1))
        span = Span(day, first, first + plan.bins)
        inside = self.year.opened[school, day, span.first : span.end].all() and span.end <= bin_of(end_h)
        return (span,) if inside else None
