"""Dead letters on their topic, for whoever wants to hear of them: the same rows as in the table, as JSON.

Delivered at least once; the key names the record that was refused, so a reader can tell a repetition.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import polars as pl
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder

from streams.kafka_security import OPEN, KafkaSecurity
from streams.topics import DEAD_LETTER

_log = structlog.get_logger(__name__)
_PAUSE_S = 1.0
_BATCH_BYTES = 1 << 18


class DeadLetterTopic:
    """Publishes dead letters and returns when the broker has them."""

    def __init__(self, bootstrap: str, patience_s: float, security: KafkaSecurity = OPEN) -> None:
        self._bootstrap = bootstrap
        self._security = security
        self._patience_s = patience_s
        self._producer: AIOKafkaProducer | None = None

    async def publish(self, letters: pl.DataFrame) -> None:
        """Send every row, again and again while the broker is away; raises KafkaError once patience ends."""
        if not len(letters):
            return
        end_s = time.monotonic() + self._patience_s
        while True:
            try:
                await self._send(letters)
            except KafkaError as error:
                if time.monotonic() > end_s:
                    raise
                _log.warning("dead_letters_not_published", error=type(error).__name__, letters=len(letters))
            else:
                return
            await asyncio.sleep(_PAUSE_S)

    async def close(self) -> None:
        """Let go of the broker."""
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None

    async def _send(self, letters: pl.DataFrame) -> None:
        """Whole batches, which costs a tenth of handing over one by one; letters of a partition stay in one."""
        producer = await self._started()
        count = len(await producer.partitions_for(DEAD_LETTER))
        sent = [
            await producer.send_batch(batch, DEAD_LETTER, partition=number % count)
            for (number,), some in letters.partition_by("partition", as_dict=True).items()
            for batch in _batches(producer, some)
        ]
        await asyncio.gather(*sent)

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap,
                acks="all",
                compression_type="lz4",
                linger_ms=5,
                max_batch_size=_BATCH_BYTES,
                **self._security.options(),
            )
            await producer.start()
            self._producer = producer
        return self._producer


def _batches(producer: AIOKafkaProducer, letters: pl.DataFrame) -> Iterator[BatchBuilder]:
    keys = letters.select(pl.concat_str("topic", "incarnation", "partition", "offset", separator="/")).to_series()
    arrived = pl.col("arrived_at").dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
    values = letters.with_columns(arrived).write_ndjson().splitlines()
    batch = producer.create_batch()
    for key, value in zip(keys, values, strict=True):
        told = {"key": key.encode(), "value": value.encode(), "timestamp": None}
        if batch.append(**told) is None:  # it is full; the first one of a batch always fits
            yield batch
            batch = producer.create_batch()
            batch.append(**told)
    yield batch
