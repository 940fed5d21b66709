"""The directory that a worker uses: read from the database, replaced as a whole, the last good one kept."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from sinks.base import StoreMisconfigured, StoreUnavailable
from streams.directory.snapshot import Directory
from streams.metrics import DIRECTORY_FAILURES, DIRECTORY_READ, DIRECTORY_REVISION

_log = structlog.get_logger(__name__)


class DirectoryKeeper:
    """Holds the snapshot in use; `refresh` may run in any thread, readers take `current` once per batch."""

    def __init__(self, revision_in_force: Callable[[], int | None], read: Callable[[int], Directory]) -> None:
        self._revision_in_force = revision_in_force
        self._read = read
        self.current = Directory.empty()

    def read(self) -> None:
        """Take the revision in force if it is another one; raises what the store raises."""
        revision = self._revision_in_force()
        if revision is not None and revision != self.current.revision:
            self.current = self._read(revision)
            _log.info("directory_replaced", revision=revision)
        DIRECTORY_REVISION.set(self.current.revision)
        DIRECTORY_READ.set(time.time())

    def refresh(self) -> None:
        """The same; on any failure keep the last good one and say so."""
        try:
            self.read()
        except (StoreUnavailable, StoreMisconfigured) as error:
            DIRECTORY_FAILURES.inc()
            _log.warning("directory_not_read", error=str(error), kept_revision=self.current.revision)
