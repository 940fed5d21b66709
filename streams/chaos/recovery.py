"""How long it takes after a fault until everything that was in Kafka then is in the windows."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Final

from streams.chaos.offsets import GroupOffsets, Place

_ASK_EVERY_S: Final = 0.25


@dataclass
class _Pending:
    since_s: float
    ends: dict[Place, int] | None = None
    """Where the logs ended when it was first asked."""


class RecoveryWatch(threading.Thread):
    """Follows the group's commits beside the faults. A group of ours commits only what is in the windows."""

    def __init__(self, offsets: GroupOffsets) -> None:
        super().__init__(name="recovery", daemon=True)
        self._offsets = offsets
        self._pending: list[_Pending] = []
        self._recovered_s: list[float] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def note_fault(self) -> None:
        """A fault happened now, or something came back from one."""
        with self._lock:
            self._pending.append(_Pending(time.monotonic()))

    def finish(self) -> list[float]:
        """The seconds of each recovery; the offsets' client is closed."""
        self._ended.set()
        self.join()
        self._offsets.close()
        return self._recovered_s

    def run(self) -> None:
        """Ask again and again, until `finish`."""
        while not self._ended.wait(_ASK_EVERY_S):
            self._look()
        self._look()

    def _look(self) -> None:
        ends, committed = self._offsets.ends(), self._offsets.committed()
        if ends is None or committed is None:
            return
        with self._lock:
            for pending in list(self._pending):
                pending.ends = pending.ends or ends
                if all(committed[place] >= end for place, end in pending.ends.items()):
                    self._pending.remove(pending)
                    self._recovered_s.append(time.monotonic() - pending.since_s)
