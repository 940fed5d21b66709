"""From the agents to the store: batches of all partitions are taken together, worked on, stored, left to the windows.

Three stages run side by side, each holding at most one load: gather and process the next one while the last is stored.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from sinks.base import Shipment
from streams.batch import Batch
from streams.pipeline import Work
from streams.windows import Stored, Windows


class Delivery(Protocol):
    """One delivered batch, as the transport hands it over."""

    @property
    def value(self) -> Batch: ...

    def ack(self) -> bool: ...


@dataclass(frozen=True)
class Load:
    """Batches that are worked on together."""

    deliveries: list[Delivery]
    batches: list[Batch]
    records: Counter[str]
    """Records by topic."""
    arrived_ms: int | None
    """First arrival in Kafka among the records, milliseconds since 1970 UTC."""

    def forget_records(self) -> None:
        """Free the memory of what is worked on: only the acknowledgement is still needed."""
        for batch in self.batches:
            batch.values, batch.keys, batch.timestamps_ms, batch.headers = [], [], [], None

    def acknowledge(self) -> None:
        """Let the offsets of all batches be committed."""
        for delivery in self.deliveries:
            delivery.ack()


@dataclass
class Intake:
    """The worker's path from delivered batches to stored rows."""

    process: Callable[[list[Batch]], Work]
    """Pure work, run in a thread."""
    store: Callable[[Shipment], Shipment]
    """Keeps a shipment however long it takes and says what was kept; run in a thread."""
    publish: Callable[[Shipment], Awaitable[None]]
    """Tells the dead letters' topic what was refused."""
    windows: Windows
    begin: Callable[[Batch], Awaitable[None]]
    """Called with each batch before anything is done with it."""
    on_acknowledged: Callable[[Load], None] = lambda _: None
    max_rows: int = 20_000
    linger_s: float = 0.15
    on_stored: Callable[[Load, Work, Shipment], None] = lambda *_: None
    on_stage: Callable[[str, float], None] = lambda _stage, _seconds: None
    _inbox: asyncio.Queue[Delivery] = field(default_factory=lambda: asyncio.Queue(4))
    _worked: asyncio.Queue[tuple[Load, Work]] = field(default_factory=lambda: asyncio.Queue(1))

    async def take(self, delivery: Delivery) -> None:
        """Accept a batch; waits while there is no room, which is the back-pressure."""
        await self.begin(delivery.value)
        await self._inbox.put(delivery)

    async def run_work(self) -> None:
        """Gather and process, for ever."""
        while True:
            await self.windows.room()
            load = await self._gather()
            start_s = time.monotonic()
            work = await asyncio.to_thread(self.process, load.batches)
            load.forget_records()
            self.on_stage("process", time.monotonic() - start_s)
            await self._worked.put((load, work))

    async def run_store(self) -> None:
        """Store, publish what was refused, and leave the rest to the windows, for ever."""
        while True:
            load, work = await self._worked.get()
            start_s = time.monotonic()
            kept = await asyncio.to_thread(self.store, work.shipment)
            await self.publish(kept)
            self.on_stage("store", time.monotonic() - start_s)
            self.on_stored(load, work, kept)
            self.windows.add(Stored(work.minutes, len(kept.events), partial(self._acknowledge, load), load.arrived_ms))

    def _acknowledge(self, load: Load) -> None:
        load.acknowledge()
        self.on_acknowledged(load)

    async def _gather(self) -> Load:
        """Batches of all partitions, up to `max_rows` records or until `linger_s` is over."""
        deliveries = [await self._inbox.get()]
        rows, end_s = len(deliveries[0].value), time.monotonic() + self.linger_s
        while rows < self.max_rows and (left_s := end_s - time.monotonic()) > 0:
            if self._inbox.empty():
                await asyncio.sleep(min(left_s, 0.01))  # a cancelled wait_for(get()) may lose what it got
                continue
            deliveries.append(self._inbox.get_nowait())
            rows += len(deliveries[-1].value)
        batches = [delivery.value for delivery in deliveries]
        records: Counter[str] = Counter()
        for batch in batches:
            records[batch.topic] += len(batch)
        arrivals = [stamp for batch in batches for stamp in batch.timestamps_ms[:1]]
        return Load(deliveries, batches, records, min(arrivals, default=None))
