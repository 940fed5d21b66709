"""What has been learned of each school: how much, when in the week, in what bursts, and how unlike its days are."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from streams.alerts.arrays import Booleans, Floats, Integers, Singles
from streams.alerts.grid import Grid
from streams.alerts.limits import Limits
from streams.alerts.rules import Settings

_WEEK = 7
_LEAST_PER_BIN = 1e-4
_SHAPE_PRIOR = 40.0
_VOLUME_PRIOR = 5.0
_BURST_PRIOR = 300.0
_POOL_PRIOR_SQUARES, _POOL_PRIOR_MEANS = 50.0, 25.0
_BURST_LEAST = 1.1
_FIRST_SPREAD = 0.15**2


@dataclass
class LastDays:
    """The last three school days of each school, oldest first, for the slow check. First axis: school."""

    seen: Floats
    expected: Floats
    variance: Floats
    level: Floats
    day: Integers


@dataclass
class Learned:
    """The state between two days. First axis of every array: school. Counts of bins are in slots of the grid."""

    grid: Grid
    settings: Settings
    weekly: Singles = field(repr=False)
    """Shape [school, profile, weekday, slot]: logins per slot at level 1."""
    weekly_days: Floats
    common: Singles = field(repr=False)
    """Shape [school, profile, slot] of the weekdays that share one."""
    common_days: Floats
    level: Floats
    """Volume [school, profile] against the shapes."""
    burst_squares: Floats
    burst_means: Floats
    spread: Floats
    """Variance [school, profile] of the logarithm of a day's volume, beyond what bursts explain."""
    days: Integers
    """School days learned [school]."""
    blank: Integers
    """School days in a row without one login [school]."""
    surge: Integers
    """School days in a row far above the expected [school]."""
    last: LastDays
    limits: Limits
    day: int = 0
    """Days taken in, open or not."""

    @classmethod
    def empty(cls, schools: int, grid: Grid, settings: Settings) -> Learned:
        """Nothing is known of these schools."""
        profiles = len(settings.audience.names)
        each = (schools, profiles)
        return cls(
            grid=grid,
            settings=settings,
            weekly=np.zeros((*each, _WEEK, grid.slots), np.float32),
            weekly_days=np.zeros((schools, _WEEK)),
            common=np.zeros((*each, grid.slots), np.float32),
            common_days=np.zeros(schools),
            level=np.ones(each),
            burst_squares=np.zeros(each),
            burst_means=np.zeros(each),
            spread=np.full(each, _FIRST_SPREAD),
            days=np.zeros(schools, np.int64),
            blank=np.zeros(schools, np.int64),
            surge=np.zeros(schools, np.int64),
            last=LastDays(
                seen=np.zeros((schools, 3)),
                expected=np.zeros((schools, 3, profiles)),
                variance=np.zeros((schools, 3)),
                level=np.ones((schools, 3, profiles)),
                day=np.full((schools, 3), -99),
            ),
            limits=Limits(schools, settings),
        )

    @property
    def schools(self) -> int:
        """How many schools there are."""
        return len(self.days)

    def ready(self, weekday: int) -> Booleans:
        """Schools [school] of which enough is known to be judged on such a day."""
        known = self.days >= self.settings.warmup_days
        if weekday not in self.settings.lenders:
            known &= self.weekly_days[:, weekday] >= self.settings.least_of_a_weekday
        return known

    def shape(self, weekday: int) -> Singles:
        """Expected logins per slot of such a day [school, profile, slot], as sharp as they were seen."""
        shape = self.weekly[:, :, weekday]
        if weekday in self.settings.lenders:
            shape = self._borrow(shape, self.weekly_days[:, weekday, None])
        return np.asarray(np.maximum(self.level[:, :, None].astype(np.float32) * shape, 0))

    def expect(self, slots: Singles) -> Singles:
        """Expected logins per bin [school, profile, bin], at least 1e-4: the slots of a shape, smoothed."""
        smooth = _smooth(slots, self.grid.smooth_slots)
        bins = np.repeat(smooth / np.float32(self.grid.slot_bins), self.grid.slot_bins, axis=2)
        return np.asarray(bins + np.float32(_LEAST_PER_BIN), dtype=np.float32)

    def _borrow(self, shape: Singles, n: Floats) -> Singles:
        """The other lending days lend their common shape, at this day's own volume."""
        common = self.common.sum(2)
        volume = (shape.sum(2) * n + _VOLUME_PRIOR * common) / np.maximum((n + _VOLUME_PRIOR) * common, 1e-9)
        own = (n / (n + _SHAPE_PRIOR)).astype(np.float32)[:, :, None]
        return np.asarray(own * shape + (1 - own) * self.common * volume.astype(np.float32)[:, :, None])

    def burst(self) -> Floats:
        """c = variance / mean over half an hour [school, profile], each school shrunk towards its profile's."""
        pooled = (self.burst_squares.sum(0) + _POOL_PRIOR_SQUARES) / (self.burst_means.sum(0) + _POOL_PRIOR_MEANS)
        own = (self.burst_squares + _BURST_PRIOR * pooled) / (self.burst_means + _BURST_PRIOR)
        return np.asarray(np.clip(own, _BURST_LEAST, self.settings.burst_most))


def _smooth(slots: Singles, width: int) -> Singles:
    half = width // 2
    padded = np.pad(slots, ((0, 0), (0, 0), (half, half)), mode="edge")
    count = slots.shape[2]
    total = padded[:, :, :count].copy()
    for shift in range(1, width):
        total += padded[:, :, shift : shift + count]
    return np.asarray(total / np.float32(width))
