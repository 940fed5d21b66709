"""What the broker itself says of a consumer group, read by a client that is none of the workers'."""

from __future__ import annotations

from typing import Any, Final

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from streams.topics import EVENT_TOPICS

Place = tuple[str, int]
"""Topic and partition."""
_ANSWER_S: Final = 5.0


class GroupOffsets:
    """The offsets of `group` on the event topics, `partitions` each; None where the broker does not answer."""

    def __init__(self, bootstrap: str, group: str, partitions: int) -> None:
        settings: dict[str, Any] = {"bootstrap.servers": bootstrap, "log_level": 0}
        self._group = group
        self._consumer: Any = Consumer({**settings, "group.id": group, "enable.auto.commit": False})
        self._admin: Any = AdminClient(settings)
        self._places = [TopicPartition(topic, number) for topic in EVENT_TOPICS for number in range(partitions)]

    def committed(self) -> dict[Place, int] | None:
        """What the group committed; 0 for a partition without a commit."""
        try:
            found = self._consumer.committed(self._places, timeout=_ANSWER_S)
        except KafkaException:
            return None
        return {(one.topic, one.partition): max(one.offset, 0) for one in found}

    def ends(self) -> dict[Place, int] | None:
        """Where the logs end."""
        try:
            return {
                (one.topic, one.partition): self._consumer.get_watermark_offsets(one, timeout=_ANSWER_S)[1]
                for one in self._places
            }
        except KafkaException:
            return None

    def coordinator(self) -> int | None:
        """The node that coordinates the group."""
        try:
            (described,) = self._admin.describe_consumer_groups([self._group], request_timeout=_ANSWER_S).values()
            return int(described.result().coordinator.id)
        except KafkaException:
            return None

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()
