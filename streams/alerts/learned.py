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
_SHARPER = 1 / 3
_WITHIN_PRIOR = 30.0


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
    """[school, profile, width, grain of the grid]: squared deviations from the shape averaged over that width."""
    burst_means: Floats
    """The same shape: what they are to be divided by."""
    within: Singles = field(repr=False)
    """Shape [school, profile, bin]: logins of past days, lately weighing more, for how they lie within each slot."""
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
        by_width = (*each, len(grid.widths), len(grid.grains))
        return cls(
            grid=grid,
            settings=settings,
            weekly=np.zeros((*each, _WEEK, grid.slots), np.float32),
            weekly_days=np.zeros((schools, _WEEK)),
            common=np.zeros((*each, grid.slots), np.float32),
            common_days=np.zeros(schools),
            level=np.ones(each),
            burst_squares=np.zeros(by_width),
            burst_means=np.zeros(by_width),
            within=np.zeros((*each, grid.bins), np.float32),
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
        """Expected logins per bin [school, profile, bin], at least 1e-4: the slots of a shape, as smooth as it fits."""
        chosen, widths = self.width(), self.grid.widths
        expected = average(slots, widths[-1], self.grid)
        for place, width in enumerate(widths[:-1]):
            here = chosen == place
            if width == 1:
                expected[here] = self.sharpen(slots)[here]
            else:
                expected[here] = average(slots[here], width, self.grid)
        return expected

    def sharpen(self, slots: Singles) -> Singles:
        """Logins per bin [school, profile, bin], at least 1e-4: each slot as its bins have usually shared it."""
        cut = (*slots.shape, self.grid.slot_bins)
        within = self.within.reshape(cut) + np.float32(_WITHIN_PRIOR / self.grid.slot_bins)
        bins = slots[..., None] * within / within.sum(3, keepdims=True)
        return np.asarray(bins.reshape(self.within.shape) + np.float32(_LEAST_PER_BIN), dtype=np.float32)

    def width(self) -> Integers:
        """Place in `grid.widths` [school, profile]: the widest, unless a narrower one makes bursts a third or less.

        Where classes log in at the bell they are a seventh of what a smooth morning makes of them. Where they do not, a
        narrow shape gains little, and a class that is early or late then looks like an outage.
        """
        bursts = self._bursts()
        bursts[:, :, :-1] /= _SHARPER
        return np.asarray(bursts.argmin(2))

    def _borrow(self, shape: Singles, n: Floats) -> Singles:
        """The other lending days lend their common shape, at this day's own volume."""
        common = self.common.sum(2)
        volume = (shape.sum(2) * n + _VOLUME_PRIOR * common) / np.maximum((n + _VOLUME_PRIOR) * common, 1e-9)
        own = (n / (n + _SHAPE_PRIOR)).astype(np.float32)[:, :, None]
        return np.asarray(own * shape + (1 - own) * self.common * volume.astype(np.float32)[:, :, None])

    def burst(self) -> Floats:
        """c = variance / mean over half an hour [school, profile], each school shrunk towards its profile's."""
        own = np.take_along_axis(self._bursts(), self.width()[:, :, None], 2)[:, :, 0]
        return np.asarray(np.clip(own, _BURST_LEAST, self.settings.burst_most))

    def _bursts(self) -> Floats:
        """c against the shape averaged over every width [school, profile, width].

        At the grain at which it comes out largest: classes that come at once make whole half hours uneven, classes that
        come once, now or later, make the quarters more uneven than the whole.
        """
        pooled = (self.burst_squares.sum(0) + _POOL_PRIOR_SQUARES) / (self.burst_means.sum(0) + _POOL_PRIOR_MEANS)
        own = (self.burst_squares + _BURST_PRIOR * pooled) / (self.burst_means + _BURST_PRIOR)
        return np.asarray(own.max(3))


def average(slots: Singles, width: int, grid: Grid) -> Singles:
    """Logins per bin, at least 1e-4, of slots along the last axis: each the mean of `width` (odd) slots around it."""
    half = width // 2
    padded = np.pad(slots, [*[(0, 0)] * (slots.ndim - 1), (half, half)], mode="edge")
    total = padded[..., : grid.slots].copy()
    for shift in range(1, width):
        total += padded[..., shift : shift + grid.slots]
    bins = np.repeat(total / np.float32(width * grid.slot_bins), grid.slot_bins, axis=-1)
    return np.asarray(bins + np.float32(_LEAST_PER_BIN), dtype=np.float32)
