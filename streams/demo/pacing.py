"""Producing no faster than the worker reads: the broker in memory keeps little, and what it trims unread is gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from streams.group_position import GroupPosition
from streams.producer import Producer
from streams.simulator.output import send
from streams.simulator.record import Record

MAX_AHEAD: Final = 150_000
"""Records that may be produced and not yet committed: an eighth of what the broker keeps in its twelve partitions."""
_ASK_EVERY_S: Final = 0.1


class PacedProducer:
    """Hands records to a producer and waits while the consumer group is too far behind."""

    def __init__(self, producer: Producer, committed: GroupPosition, check: Callable[[], None]) -> None:
        """`check` raises where waiting is in vain: the worker has ended."""
        self._producer = producer
        self._committed = committed
        self._check = check
        self.produced = 0

    def send(self, records: Sequence[Record]) -> None:
        """Produce records and return when the broker has them."""
        self.produced += send(self._producer, records)

    def behind(self) -> int:
        """Records produced and not yet committed."""
        return self._committed.behind(self.produced)

    def wait_until_behind(self, at_most: int, timeout_s: float = 600.0) -> None:
        """Return when the group is no further behind than that; raises TimeoutError."""
        end_s = time.monotonic() + timeout_s
        while self.behind() > at_most:
            self._check()
            if time.monotonic() > end_s:
                raise TimeoutError(
                    f"the worker is still {self.behind()} records behind after {timeout_s:g} s; see its log"
                )
            time.sleep(_ASK_EVERY_S)

    def close(self) -> None:
        """Let go of the broker."""
        self._producer.close()
        self._committed.close()
