"""The partitions of this worker that a storm of rejects has paused: held back here, remembered in the database.

A paused partition is not read: what was delivered of it and not acknowledged is given back, and read again when an
operator lets it go on (`ent pauses resume`). Any worker that is given the partition finds the pause in the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from sinks.base import Shipment
from sinks.clickhouse.pauses import Pause
from streams import metrics
from streams.batch import Batch
from streams.storm import Partition, Storm, StormWatch

_log = structlog.get_logger(__name__)
_ADVICE = (
    "mend the cause and let it go on with `ent pauses resume`; `ent dead-letters list` shows what was refused before"
)


@dataclass
class Pauses:
    """Holds back partitions; everything here runs in the worker's loop."""

    watch: StormWatch
    incarnation_of: Callable[[str], int | None]
    """Of a topic's log as it is now."""
    give_back: Callable[[Partition, int], Awaitable[None]]
    """Pause a partition, and have it read again from that offset once it goes on."""
    go_on: Callable[[Partition], None]
    """Read a partition again."""
    read: Callable[[], list[Pause]]
    """Asks the database; raises as it does."""
    write: Callable[[Pause], None]
    """Tells the database, however long it takes."""
    _held: dict[Partition, int] = field(default_factory=dict)
    """First offset that is held back."""
    _allowed: dict[Partition, int] = field(default_factory=dict)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def holds(self, batch: Batch) -> bool:
        """Whether a delivered batch is held back; it is then given back."""
        partition = (batch.topic, batch.partition)
        if not self._is_held(batch):
            return False
        self._held[partition] = min(self._held[partition], batch.base)
        await self.give_back(partition, self._held[partition])
        return True

    async def judge(self, batches: Sequence[Batch], shipment: Shipment) -> list[Batch]:
        """Those of these batches that go on to the store: not where their partition is held, nor where a storm is seen.

        `shipment` is what they came to.
        """
        free = [batch for batch in batches if not self._is_held(batch)]
        for storm in self.watch.judge(free, shipment.dead_letters, self._allowed):
            await self._pause(storm)
        return [batch for batch in free if not self._is_held(batch)]

    def _is_held(self, batch: Batch) -> bool:
        offset = self._held.get((batch.topic, batch.partition))
        return offset is not None and batch.next_offset > offset

    async def refresh(self) -> None:
        """Take over what the database says: pauses of a worker before us, and what an operator let go on."""
        async with self._lock:
            self.take_over(await asyncio.to_thread(self.read))

    def take_over(self, pauses: Iterable[Pause]) -> None:
        """The same, of what was read."""
        known = {
            (pause.topic, pause.partition): pause
            for pause in pauses
            if pause.incarnation == self.incarnation_of(pause.topic)
        }
        self._allowed = {partition: pause.allowed_through for partition, pause in known.items()}
        for partition in [held for held in self._held if held not in known or not known[held].holds]:
            del self._held[partition]
            self.watch.forget(partition)
            self.go_on(partition)
            metrics.PARTITION_PAUSED.labels(partition[0], str(partition[1])).set(0)
            _log.info("partition_goes_on", topic=partition[0], partition=partition[1])
        for partition, pause in known.items():
            if pause.holds:
                self._held.setdefault(partition, pause.offset)

    def show(self, assigned: Collection[Partition]) -> None:
        """Say by metric which of our partitions are paused."""
        for partition in self._held:
            metrics.PARTITION_PAUSED.labels(partition[0], str(partition[1])).set(partition in assigned)

    async def _pause(self, storm: Storm) -> None:
        async with self._lock:  # or what was read before it was written would undo it
            await self._hold(storm)

    async def _hold(self, storm: Storm) -> None:
        topic, number = storm.partition
        incarnation = self.incarnation_of(topic)
        assert incarnation is not None
        self._held[storm.partition] = storm.offset
        await self.give_back(storm.partition, storm.offset)
        allowed = self._allowed.get(storm.partition, 0)
        pause = Pause(topic, incarnation, number, storm.offset, storm.what, allowed, datetime.now(UTC))
        _log.error(
            "partition_paused", topic=topic, partition=number, offset=storm.offset, reason=storm.what, advice=_ADVICE
        )
        metrics.PARTITION_PAUSED.labels(topic, str(number)).set(1)
        await asyncio.to_thread(self.write, pause)
