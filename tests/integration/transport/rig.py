"""A worker in this process for tests of the transport: an app with quick timings, and what its agent received."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from streams.batch import Batch
from streams.transport import BatchApp, TransportSettings
from tests.integration.brokers import LiveBroker

NEVER_S = 3600.0
"""A stop deadline would end the process of the tests; theirs is pytest's timeout."""

COORDINATOR_LATE = {
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
}
"""What a broker that just started may answer about groups."""
QUICK = TransportSettings(fetch_min_bytes=1, fetch_max_wait_ms=50, drain_timeout_s=5, stop_deadline_s=NEVER_S)


@dataclass
class Received:
    """What an agent received, in order."""

    batches: list[Batch] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(map(len, self.batches))

    def records(self) -> list[tuple[int, int, bytes | None]]:
        """Partition, offset and value of every record, in order of arrival."""
        return [
            (batch.partition, offset, value)
            for batch in self.batches
            for offset, value in zip(batch.offset_column(), batch.values, strict=True)
        ]

    def numbers(self) -> list[int]:
        """The numbers that `produce` wrote into the values."""
        return [int(value) for _, _, value in self.records() if value is not None]


def build(
    broker: LiveBroker,
    group: str,
    *topics: str,
    settings: TransportSettings = QUICK,
    handle: Callable[[Any], Awaitable[None]] | None = None,
    app_class: type[BatchApp] = BatchApp,
    **conf: Any,
) -> tuple[BatchApp, Received]:
    """An app that reads `topics` (or the topic named like the group); `handle` gets each event instead of an ack."""
    received = Received()
    app = app_class(
        group,
        bootstrap=broker.bootstrap,
        batch_settings=settings,
        **{
            "broker_commit_interval": 0.1,
            "broker_session_timeout": 3.0,  # the embedded broker lets a group rejoin a second before its end
            "broker_heartbeat_interval": 0.5,
            "broker_rebalance_timeout": 10.0,
            **conf,
        },
    )

    async def take(stream: Any) -> None:
        async for event in stream.noack().events():
            received.batches.append(event.value)
            if handle is None:
                event.ack()
            else:
                await handle(event)

    app.agent(app.batch_topic(*(topics or (group,))), name=f"{group}-agent")(take)
    return app, received


def produce(
    broker: LiveBroker,
    topic: str,
    numbers: Iterable[int],
    partitions: int = 1,
    *,
    per_batch: int = 100,
    codec: str = "none",
) -> None:
    """Write each number as a record, round robin; producer batches hold `per_batch` records."""
    producer = broker.producer(**{"batch.num.messages": per_batch, "compression.type": codec})
    for number in numbers:
        producer.produce(topic, value=b"%d" % number, partition=number % partitions)
    assert producer.flush(30) == 0


async def until(condition: Callable[[], object], timeout_s: float = 20.0) -> None:
    """Return when `condition` holds; TimeoutError says that it never did."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # any condition, not only what has an event
            await asyncio.sleep(0.02)


async def settled(
    broker: LiveBroker, group: str, topic: str, want: dict[int, int | None], timeout_s: float = 10.0
) -> dict[int, int | None]:
    """The committed offsets, as soon as they are `want` or the time is up; a broker may still look for its groups."""
    end = time.monotonic() + timeout_s
    while True:
        try:
            found = await asyncio.to_thread(broker.committed, group, topic, len(want))
        except KafkaException as error:
            if error.args[0].code() not in COORDINATOR_LATE or time.monotonic() > end:
                raise
            found = {}
        if found == want or time.monotonic() > end:
            return found
        await asyncio.sleep(0.1)
