"""How a day is cut: bins of local wall-clock time, so that a change of the clocks moves nothing in the tables."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Self
from zoneinfo import ZoneInfo

_DAY_MIN = 1440
_SLOT_MIN = 15
_NOISE_MIN = 30
_WIDTHS_MIN = (15, 45, 135)
_WATCH_FROM_MIN = 8 * 60
_WATCH_TO_MIN = 19 * 60


@dataclass(frozen=True)
class Grid:
    """Bins of one day. Minutes count from local midnight; `watch_to_min` is the end of the last watched bin."""

    first_min: int = 7 * 60
    step_min: int = 5
    bins: int = 180
    watch_from_min: int = _WATCH_FROM_MIN
    watch_to_min: int = _WATCH_TO_MIN

    def __post_init__(self) -> None:
        if self.bins % self.slot_bins or self.step_min < 1 or self.bins < 1:
            raise ValueError(f"{self.bins} bins of {self.step_min} min do not fill slots of {self.slot_bins} bins")

    @classmethod
    def whole_day(cls, step_min: int) -> Self:
        """Every bin of the day, all of them watched: for series that know no school hours.

        Raises ValueError if the step does not divide a day.
        """
        if step_min < 1 or _DAY_MIN % step_min:
            raise ValueError(f"a step of {step_min} min does not divide a day")
        return cls(0, step_min, _DAY_MIN // step_min, 0, _DAY_MIN)

    @cached_property
    def slot_bins(self) -> int:
        """Bins to a slot, the grain at which a week's shape is learned: a quarter of an hour if the step divides it."""
        return _SLOT_MIN // self.step_min if _SLOT_MIN % self.step_min == 0 else 1

    @cached_property
    def slots(self) -> int:
        """Slots of a day."""
        return self.bins // self.slot_bins

    @cached_property
    def noise_bins(self) -> int:
        """Bins over which bursts are measured: half an hour, or one bin where it is longer or does not divide."""
        return _NOISE_MIN // self.step_min if _NOISE_MIN % self.step_min == 0 else 1

    @cached_property
    def grains(self) -> tuple[int, ...]:
        """Bins over which bursts are measured, from short to long: a slot and half an hour."""
        return tuple(sorted({self.slot_bins, self.noise_bins}))

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """Slots, odd numbers from narrow to wide, over which a shape may be averaged: not all keep to the quarter."""
        slot_min = self.slot_bins * self.step_min
        return tuple(sorted({2 * (width // slot_min // 2) + 1 for width in _WIDTHS_MIN}))

    @cached_property
    def watched(self) -> slice:
        """The bins in which connections are judged."""
        return slice(self.bin_at(self.watch_from_min), self.bin_at(self.watch_to_min))

    def bin_at(self, minute: int) -> int:
        """The bin that begins at, or holds, this minute of the day; clipped to the grid."""
        return min(max((minute - self.first_min) // self.step_min, 0), self.bins)

    def spans(self, minutes: int) -> int:
        """How many bins cover this many minutes, at least one."""
        return max(1, math.ceil(minutes / self.step_min))

    def minute_of(self, bin_: int) -> int:
        """The minute of the day at which a bin begins."""
        return self.first_min + bin_ * self.step_min

    def locate(self, moment: datetime, zone: ZoneInfo) -> tuple[int, int] | None:
        """(ordinal of the local day, bin) of an aware moment; None outside the grid and in an hour that comes twice.

        The second passage of a repeated hour would fall on the first one's bins: it is left out, and the bins of an
        hour that is skipped stay without data, so that no clock change looks like a surge or a drop.
        """
        local = moment.astimezone(zone)
        bin_ = (local.hour * 60 + local.minute - self.first_min) // self.step_min
        return (local.toordinal(), bin_) if local.fold == 0 and 0 <= bin_ < self.bins else None
