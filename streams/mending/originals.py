"""The records that were refused, read again where they stood."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from schemas.formats import Headers
from sinks.clickhouse.dead_letters import Place
from streams.kafka_security import OPEN, KafkaSecurity
from streams.topics import ApiVersion, TopicError

_SKIP_RECORDS: Final = 2_000
"""A gap that is longer is jumped over instead of read."""
_ANSWER_TIMEOUT_S: Final = 30.0


@dataclass(frozen=True)
class Original:
    """A record as it was refused."""

    value: bytes | None
    key: bytes | None
    headers: Headers


@dataclass(frozen=True)
class Originals:
    """Reads records by their places."""

    bootstrap: str
    api_version: ApiVersion
    incarnations: Mapping[str, int]
    """Of the logs that are there now, by topic: a place in another life of a log is gone."""
    security: KafkaSecurity = OPEN

    def read(self, places: Iterable[Place]) -> dict[Place, Original]:
        """Those of the records that Kafka still has. Raises TopicError where no broker answers."""
        wanted: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
        for place in places:
            if self.incarnations.get(place.topic) == place.incarnation:
                wanted[place.topic, place.partition].append(place.offset)
        if not wanted:
            return {}
        found: dict[Place, Original] = {}
        try:
            consumer = KafkaConsumer(
                bootstrap_servers=self.bootstrap.split(","),
                api_version=self.api_version,
                group_id=None,
                enable_auto_commit=False,
                isolation_level="read_committed",
                **self.security.options(),
            )
            with closing(consumer):
                for (topic, partition), offsets in wanted.items():
                    for offset, original in self._of(consumer, TopicPartition(topic, partition), sorted(offsets)):
                        found[Place(topic, self.incarnations[topic], partition, offset)] = original
        except KafkaError as error:
            raise TopicError(f"Kafka at {self.bootstrap} cannot be read ({error}): is it reachable?") from error
        return found

    def _of(self, consumer: Any, tp: TopicPartition, offsets: list[int]) -> Iterator[tuple[int, Original]]:
        """The records at these ascending offsets, as far as the log has them."""
        consumer.assign([tp])
        start, end = consumer.beginning_offsets([tp])[tp], consumer.end_offsets([tp])[tp]
        left = [offset for offset in offsets if start <= offset < end][::-1]
        if not left:
            return
        position, heard_s = left[-1], time.monotonic()
        consumer.seek(tp, position)
        while left:
            if left[-1] - position > _SKIP_RECORDS:
                position = left[-1]
                consumer.seek(tp, position)
            records = consumer.poll(timeout_ms=200, max_records=_SKIP_RECORDS).get(tp, [])
            for record in records:
                while left and left[-1] < record.offset:
                    left.pop()  # the log has no record there
                if left and left[-1] == record.offset:
                    left.pop()
                    yield record.offset, Original(record.value, record.key, tuple(record.headers))
            moved, position = consumer.position(tp) > position, consumer.position(tp)
            if moved:
                heard_s = time.monotonic()
                while left and left[-1] < position:
                    left.pop()
            elif time.monotonic() - heard_s > _ANSWER_TIMEOUT_S:
                raise TopicError(f"{tp.topic}[{tp.partition}] sends nothing at {position}: is the broker overloaded?")
