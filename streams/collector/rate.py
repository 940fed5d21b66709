"""How many records a platform may send over time."""

from __future__ import annotations

import math
from collections.abc import Callable


class Allowance:
    """A bucket for each platform that fills at `per_s` up to two seconds' worth, and may once be overdrawn.

    `clock` counts seconds.
    """

    BURST_S = 2.0

    def __init__(self, per_s: float, clock: Callable[[], float]) -> None:
        self._per_s = per_s
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}

    def wait_s(self, platform: str) -> int:
        """Whole seconds to wait before sending more; 0: send."""
        left = self._level(platform)
        return 0 if left > 0 else math.ceil(-left / self._per_s) or 1

    def take(self, platform: str, records: int) -> None:
        """Count records that were sent."""
        self._left[platform] = (self._level(platform) - records, self._clock())

    def _level(self, platform: str) -> float:
        full = self._per_s * self.BURST_S
        left, at_s = self._left.get(platform, (full, 0.0))
        return min(full, left + (self._clock() - at_s) * self._per_s)
