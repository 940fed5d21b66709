"""Producing no faster than the worker reads: the broker in memory keeps little, and what it trims unread is gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient

from streams.producer import Producer
from streams.simulator.output import send
from streams.simulator.record import Record
from streams.topics import EVENT_TOPICS, ApiVersion

MAX_AHEAD: Final = 150_000
"""Records that may be produced and not yet committed: an eighth of what the broker keeps in its twelve partitions."""
_ASK_EVERY_S: Final = 0.1


class Committed:
    """How far a consumer group has committed the event topics, `partitions` each."""

    def __init__(self, bootstrap: str, group: str, partitions: int, api_version: ApiVersion) -> None:
        self._admin = KafkaAdminClient(bootstrap_servers=bootstrap.split(","), api_version=api_version)
        self._group = group
        self._partitions = [TopicPartition(topic, n) for topic in EVENT_TOPICS for n in range(partitions)]

    def total(self) -> int:
        """The sum of the committed offsets. A group of ours commits only what is in the windows."""
        offsets = self._admin.list_group_offsets({self._group: self._partitions})[self._group]
        return sum(max(committed.offset, 0) for committed in offsets.values())

    def close(self) -> None:
        """Let go of the broker."""
        self._admin.close()


class PacedProducer:
    """Hands records to a producer and waits while the consumer group is too far behind."""

    def __init__(self, producer: Producer, committed: Committed, check: Callable[[], None]) -> None:
        """`check` raises where waiting is in vain: the worker has ended."""
        self._producer = producer
        self._committed = committed
        self._check = check
        self._committed_before = committed.total()
        self.produced = 0

    def send(self, records: Sequence[Record]) -> None:
        """Produce records and return when the broker has them."""
        self.produced += send(self._producer, records)

    def behind(self) -> int:
        """Records produced and not yet committed."""
        return self.produced - (self._committed.total() - self._committed_before)

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
