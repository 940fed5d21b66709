"""Freshness as a viewer sees it: from the moment the broker has events to the moment a query counts them."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Callable
from typing import Final

_LOOK_EVERY_S: Final = 0.05


class FreshnessProbe:
    """Looks at a count again and again, in a thread of its own, and compares it with when that count was produced."""

    def __init__(self, visible: Callable[[], int]) -> None:
        """`visible` is the number of events that a query counts now."""
        self._visible = visible
        self._counts: list[int] = []
        self._moments_s: list[float] = []
        self._ages_s: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, name="freshness", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def produced(self, count: int) -> None:
        """From now on the broker has `count` events."""
        if not self._counts or count > self._counts[-1]:
            self._moments_s.append(time.monotonic())
            self._counts.append(count)

    def stop(self) -> list[float]:
        """End, and give the ages in seconds, in ascending order: one for each production, when it became visible."""
        self._stop.set()
        self._thread.join()
        return sorted(self._ages_s)

    def _look(self) -> None:
        seen = 0
        while not self._stop.wait(_LOOK_EVERY_S):
            visible = self._visible()
            now_s = time.monotonic()
            after = bisect_right(self._counts, visible)
            self._ages_s += [now_s - moment_s for moment_s in self._moments_s[seen:after]]
            seen = max(seen, after)


def percentile(ages_s: list[float], share: float) -> float | None:
    """The value below which `share` of the ascending `ages_s` lie (nearest rank); None of nothing."""
    if not ages_s:
        return None
    return ages_s[min(len(ages_s) - 1, int(share * len(ages_s)))]
