"""How far a consumer group has come, asked of the broker."""

from __future__ import annotations

from collections.abc import Iterable

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient

from streams.kafka_security import OPEN, KafkaSecurity
from streams.topics import ApiVersion


class GroupPosition:
    """The commits of a group on some topics, `partitions` each. A group of ours commits only what is in the windows."""

    def __init__(
        self,
        bootstrap: str,
        group: str,
        topics: Iterable[str],
        partitions: int,
        api_version: ApiVersion,
        security: KafkaSecurity = OPEN,
    ) -> None:
        self._admin = KafkaAdminClient(
            bootstrap_servers=bootstrap.split(","), api_version=api_version, **security.options()
        )
        self._group = group
        self._partitions = [TopicPartition(topic, n) for topic in topics for n in range(partitions)]
        self._before = self.total()

    def total(self) -> int:
        """The sum of the committed offsets."""
        offsets = self._admin.list_group_offsets({self._group: self._partitions})[self._group]
        return sum(max(committed.offset, 0) for committed in offsets.values())

    def behind(self, sent: int) -> int:
        """How many of `sent` records, sent since this was made, are not committed yet."""
        return sent - (self.total() - self._before)

    def close(self) -> None:
        """Let go of the broker."""
        self._admin.close()
