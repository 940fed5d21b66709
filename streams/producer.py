"""The producer of the command line: large compressed batches, acknowledged by all replicas, in order, each once."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Self

from kafka import KafkaProducer
from kafka.errors import KafkaTimeoutError
from kafka.partitioner import Partitioner
from kafka.partitioner.default import murmur2

from streams.kafka_security import OPEN, KafkaSecurity
from streams.topics import ApiVersion, TopicError

_BATCH_BYTES = 256 * 1024
_MAX_WAITING_BYTES = 32 * 1024 * 1024
_KEYS_REMEMBERED = 65_536
_START_TIMEOUT_S = 30


class ProducerError(RuntimeError):
    """Records were not accepted by the broker; the message says how many and why."""


class Producer:
    """Sends records in the background; every failure is raised by the next `flush`. See `open_producer`."""

    def __init__(self, kafka: Any) -> None:
        self._kafka = kafka
        self._waiting_bytes = 0
        self._failed = 0
        self._first_failure: BaseException | None = None

    def send(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None = None,
        *,
        partition: int | None = None,
        timestamp_ms: int | None = None,
        headers: list[tuple[str, bytes | None]] | None = None,
    ) -> None:
        """Queue one record, to the partition of its key unless one is given; records of one key stay in order.

        Raises ProducerError for failures of earlier ones.

        `timestamp_ms` counts milliseconds since 1970 UTC and is now by default.
        """
        sent = self._kafka.send(topic, value, key, headers=headers, partition=partition, timestamp_ms=timestamp_ms)
        sent.add_errback(self._note_failure)
        self._waiting_bytes += len(value or b"")
        if self._waiting_bytes > _MAX_WAITING_BYTES:  # kafka-python queues without a limit
            self.flush()

    def partitions(self, topic: str) -> int:
        """How many partitions `topic` has; raises TopicError where the broker does not have it."""
        try:
            return len(self._kafka.partitions_for(topic))
        except KafkaTimeoutError as error:
            raise TopicError(f"the topic {topic} is missing: create it with `ent topics`") from error

    def flush(self) -> None:
        """Return when the broker has every record; raises ProducerError if it refused some."""
        self._kafka.flush()
        self._waiting_bytes = 0
        if self._first_failure is not None:
            failed, cause = self._failed, self._first_failure
            self._failed, self._first_failure = 0, None
            raise ProducerError(
                f"Kafka did not take {failed} records, the first one because of {cause!r}: send them again"
            ) from cause

    def close(self) -> None:
        """Flush, and let go of the broker."""
        try:
            self.flush()
        finally:
            self._kafka.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _note_failure(self, error: BaseException) -> None:
        self._failed += 1
        self._first_failure = self._first_failure or error


class KeyPartitioner(Partitioner):  # type: ignore[misc]  # kafka-python has no types
    """Kafka's own choice of a partition by key, remembered: hashing the key anew costs half of a send."""

    def __init__(self) -> None:
        self._hash = lru_cache(_KEYS_REMEMBERED)(murmur2)

    def partition(self, topic: str, _key: Any, key: bytes | None, _value: Any, _bytes: Any, cluster: Any) -> int:
        """The partition for a serialized `key`; records without a key go to the first one."""
        count: int = len(cluster.partitions_for_topic(topic))
        return 0 if key is None else (self._hash(key) & 0x7FFF_FFFF) % count


def open_producer(
    bootstrap: str,
    *,
    linger_ms: int = 50,
    delivery_timeout_s: float = 120.0,
    api_version: ApiVersion = None,
    security: KafkaSecurity = OPEN,
) -> Producer:
    """A producer; close it, or use it as a context manager. Raises TopicError where no broker answers.

    A batch waits at most `linger_ms` for more records; one that is not accepted within `delivery_timeout_s` has failed.
    """
    try:
        kafka = KafkaProducer(
            bootstrap_servers=bootstrap.split(","),
            acks="all",
            compression_type="zstd",
            batch_size=_BATCH_BYTES,
            linger_ms=linger_ms,
            delivery_timeout_ms=int(delivery_timeout_s * 1000),
            request_timeout_ms=int(min(delivery_timeout_s * 500, 30_000)),
            partitioner=KeyPartitioner(),
            bootstrap_timeout_ms=_START_TIMEOUT_S * 1000,
            api_version=api_version,
            **security.options(),
        )
    except KafkaTimeoutError as error:
        raise TopicError(f"no Kafka answers at {bootstrap} ({error}): is it running, and reachable?") from error
    return Producer(kafka)
