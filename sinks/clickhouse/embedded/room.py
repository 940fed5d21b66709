"""Room on the disk: what is written while there is little of it is not trusted.

On a full disk chDB 26.9 answers that an insert was done, or puts a merged part in the place of its sources, though the
part's files are empty (docs/adr/0040). So while there is little room nothing is inserted and nothing merged, an insert
that saw little room is called uncertain, and tables are opened anew: that puts broken parts aside and takes their
sources back, which the engine keeps for a minute.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from sinks.clickhouse.embedded.refusal import Refusal

_POLL_S = 0.02
_AMPLE = 2
"""So many times the least room must be free before work goes on: else it would stop again at once."""


def free_bytes(folder: Path) -> int:
    """What may still be written to the disk of `folder`."""
    return shutil.disk_usage(folder).free


class Room:
    """Watches the room on a disk in a thread of its own, from `start` to `stop`.

    `stop_merges`, `start_merges` and `reopen` act on the engine; `reopen` opens all tables anew and says whether it
    could.
    """

    def __init__(
        self,
        free: Callable[[], int],
        least_bytes: int,
        stop_merges: Callable[[], object],
        start_merges: Callable[[], object],
        reopen: Callable[[], bool],
    ) -> None:
        self._free = free
        self._least_bytes = least_bytes
        self._stop_merges = stop_merges
        self._start_merges = start_merges
        self._reopen = reopen
        self._ended = threading.Event()
        self._short = False
        """Whether there is little room, and merges stand."""
        self._doubtful = False
        """Whether a part may be broken."""
        self._shortages = 0

    def start(self) -> None:
        """Watch from now on."""
        threading.Thread(target=self._watch, name="room", daemon=True).start()

    def stop(self) -> None:
        """Watch no more."""
        self._ended.set()

    def enter(self) -> int:
        """Called before an insert: a sign for `leave`. Raises `Refusal` 243 while there is little room."""
        self._look()
        if self._short or self._doubtful:
            raise Refusal(243, "NOT_ENOUGH_SPACE", f"less than {self._least_bytes} bytes are free on the disk")
        return self._shortages

    def leave(self, sign: int) -> None:
        """Called when the engine says that an insert is done; raises `Refusal` 319 where that cannot be trusted."""
        self._look()
        if self._shortages != sign:
            raise Refusal(319, "UNKNOWN_STATUS_OF_INSERT", "the disk was full meanwhile: insert it again")

    def doubt(self) -> None:
        """A part was found broken: open the tables anew before the next insert."""
        self._doubtful = True

    def tend(self) -> None:
        """One look, and what follows from it: the sources of a broken part are not kept for long."""
        self._look()
        if self._doubtful and self._reopen():
            self._doubtful = False
            if self._short:
                self._stop_merges()  # tables that were opened anew merge again
        if self._short and not self._doubtful and self._free() >= _AMPLE * self._least_bytes:
            self._short = False
            self._start_merges()

    def _look(self) -> None:
        if not self._short and self._free() < self._least_bytes:
            self._short = self._doubtful = True
            self._shortages += 1
            self._stop_merges()

    def _watch(self) -> None:
        while not self._ended.wait(_POLL_S):
            self.tend()
