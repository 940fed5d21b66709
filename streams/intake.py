"""From the agents to the store: batches of all partitions are taken together, worked on, stored, left to the windows.

Stages run side by side: the next load is gathered and worked on while the last one is stored. Where many records wait,
several loads are stored by one insert, which costs the database less for each row.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeVar

from sinks.base import Shipment, together
from streams.batch import Batch
from streams.pipeline import Work
from streams.windows import Stored, Windows

_T = TypeVar("_T")
_POLL_S = 0.01
_FULL_LINGER_S = 2.0
"""Wait for a full insert at most, where many records wait in Kafka."""


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


async def _never(_batch: Batch) -> bool:
    return False


async def _all(batches: Sequence[Batch], _shipment: Shipment) -> Sequence[Batch]:
    return batches


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
    max_insert_rows: int = 100_000
    """Records of one insert at most, where many wait."""
    on_stored: Callable[[Sequence[Load], Sequence[Work], Shipment], None] = lambda *_: None
    on_stage: Callable[[str, float], None] = lambda _stage, _seconds: None
    holds: Callable[[Batch], Awaitable[bool]] = _never
    """Whether a batch is not to be worked on, and was given back."""
    judge: Callable[[Sequence[Batch], Shipment], Awaitable[Sequence[Batch]]] = _all
    """Which batches go on to the store, by what they came to; the others were given back."""
    _inbox: asyncio.Queue[Delivery] = field(default_factory=lambda: asyncio.Queue(4))
    _worked: asyncio.Queue[tuple[Load, Work]] = field(default_factory=lambda: asyncio.Queue(1))

    async def take(self, delivery: Delivery) -> None:
        """Accept a batch; waits while there is no room, which is the back-pressure."""
        if await self.holds(delivery.value):
            return
        await self.begin(delivery.value)
        await self._inbox.put(delivery)

    async def run_work(self) -> None:
        """Gather and process, for ever."""
        while True:
            await self.windows.room()
            deliveries = await _gather(self._inbox, lambda d: len(d.value), self.max_rows, self.linger_s)
            load = _load_of(deliveries)
            start_s = time.monotonic()
            work = await asyncio.to_thread(self.process, load.batches)
            kept = await self.judge(load.batches, work.shipment)
            if len(kept) < len(load.batches):
                load = _load_of([delivery for delivery in deliveries if any(delivery.value is one for one in kept)])
                work = await asyncio.to_thread(self.process, load.batches)
            load.forget_records()
            self.on_stage("process", time.monotonic() - start_s)
            await self._worked.put((load, work))

    async def run_store(self) -> None:
        """Store, publish what was refused, and leave the rest to the windows, for ever."""
        while True:
            linger_s = _FULL_LINGER_S if self.windows.behind() else 0.0
            taken = await _gather(self._worked, lambda one: one[0].records.total(), self.max_insert_rows, linger_s)
            loads, works = [load for load, _ in taken], [work for _, work in taken]
            start_s = time.monotonic()
            kept = await asyncio.to_thread(self.store, together([work.shipment for work in works]))
            await self.publish(kept)
            self.on_stage("store", time.monotonic() - start_s)
            self.on_stored(loads, works, kept)
            minutes = frozenset().union(*(work.minutes for work in works))
            arrivals = [load.arrived_ms for load in loads if load.arrived_ms is not None]
            self.windows.add(
                Stored(minutes, len(kept.events), partial(self._acknowledge, loads), min(arrivals, default=None))
            )

    def _acknowledge(self, loads: Sequence[Load]) -> None:
        for load in loads:
            load.acknowledge()
            self.on_acknowledged(load)


async def _gather(queue: asyncio.Queue[_T], records: Callable[[_T], int], enough: int, linger_s: float) -> list[_T]:
    """What the queue holds, at least one, up to `enough` records or until `linger_s` is over."""
    taken = [await queue.get()]
    found, end_s = records(taken[0]), time.monotonic() + linger_s
    while found < enough:
        if not queue.empty():
            taken.append(queue.get_nowait())
            found += records(taken[-1])
        elif (left_s := end_s - time.monotonic()) > 0:
            await asyncio.sleep(min(left_s, _POLL_S))  # a cancelled wait_for(get()) may lose what it got
        else:
            break
    return taken


def _load_of(deliveries: list[Delivery]) -> Load:
    batches = [delivery.value for delivery in deliveries]
    records: Counter[str] = Counter()
    for batch in batches:
        records[batch.topic] += len(batch)
    arrivals = [stamp for batch in batches for stamp in batch.timestamps_ms[:1]]
    return Load(deliveries, batches, records, min(arrivals, default=None))
