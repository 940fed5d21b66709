"""The collector's producer: batches of one request, acknowledged by all replicas."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from kafka.partitioner.default import murmur2

from streams.collector.admission import Outgoing
from streams.topics import TopicError

_BATCH_BYTES = 512 * 1024
_REQUEST_BYTES = 2 * 1024 * 1024
_hash = lru_cache(65_536)(murmur2)


class OutboxUnavailableError(RuntimeError):
    """Kafka did not confirm everything in time: some of it may be there, and sending it again is safe."""


class Outbox:
    """Sends the events of one request at a time, whichever requests run beside it."""

    def __init__(self, bootstrap: str, timeout_s: float, options: Mapping[str, Any] | None = None) -> None:
        """`options` are further ones of aiokafka's producer, such as those of TLS."""
        self._bootstrap = bootstrap
        self._timeout_s = timeout_s
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap,
            acks="all",
            compression_type="zstd",
            max_batch_size=_BATCH_BYTES,
            max_request_size=_REQUEST_BYTES,
            request_timeout_ms=int(timeout_s * 1000),
            **(options or {}),
        )
        self.trouble: str | None = None
        """What went wrong last; None after a success."""

    async def __aenter__(self) -> Self:
        try:
            await self._producer.start()
        except (KafkaError, OSError) as error:
            await self._producer.stop()
            raise TopicError(
                f"no Kafka answers at {self._bootstrap} ({error}): is it running, and reachable?"
            ) from error
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._producer.stop()

    async def send(self, events: Sequence[Outgoing]) -> None:
        """Return when all replicas have every event; OutboxUnavailableError otherwise."""
        if not events:
            return
        try:
            async with asyncio.timeout(self._timeout_s):
                confirmations = [
                    await self._producer.send_batch(batch, topic, partition=partition)
                    for (topic, partition), batches in (await self._batched(events)).items()
                    for batch in batches
                ]
                await asyncio.gather(*confirmations)
        except TimeoutError:
            self.trouble = f"Kafka did not confirm within {self._timeout_s:g} s"
            raise OutboxUnavailableError(self.trouble) from None
        except KafkaError as error:
            self.trouble = f"Kafka did not take the events ({type(error).__name__})"
            raise OutboxUnavailableError(self.trouble) from error
        self.trouble = None

    async def _batched(self, events: Sequence[Outgoing]) -> Mapping[tuple[str, int], list[Any]]:
        counts = {topic: len(await self._producer.partitions_for(topic)) for topic in {e.topic for e in events}}
        batches: dict[tuple[str, int], list[Any]] = defaultdict(list)
        for event in events:
            place = event.topic, (_hash(event.key) & 0x7FFF_FFFF) % counts[event.topic]
            mine = batches[place]
            if not mine or mine[-1].append(key=event.key, value=event.value, timestamp=None) is None:
                mine.append(self._producer.create_batch())
                mine[-1].append(key=event.key, value=event.value, timestamp=None)
        return batches
