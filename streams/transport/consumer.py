"""The consumer: Faust's aiokafka driver, delivering batches after the two rules of `positions`.

Topics that are not batch topics (changelogs, replies, ...) keep Faust's own path.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from aiokafka.errors import IllegalStateError, KafkaError
from faust.exceptions import ImproperlyConfigured
from faust.transport.consumer import ensure_TP
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import Service

from streams.batch import Batch
from streams.transport.message import BatchMessage
from streams.transport.pacing import Reach, ahead
from streams.transport.positions import Partition, PartitionPosition, TransportCounts, Verdict
from streams.transport.thread import BatchConsumerThread

if TYPE_CHECKING:
    from streams.transport.app import BatchApp

_FULL_BUFFERS_WAIT_S = 1.0
_ACK_POLL_S = 0.05
_GROUP_CHECK_INTERVAL_S = 1.0


class BatchConsumer(driver.Consumer):
    """One event per fetched partition batch, committed in the order of delivery."""

    app: BatchApp
    _thread: BatchConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._partitions: defaultdict[TP, Partition] = defaultdict(Partition)
        self._committed_before: dict[TP, int] = {}
        self._commit_refused = False
        self._buffer_dropped = asyncio.Event()
        self.counts = TransportCounts()
        super().__init__(*args, **kwargs)
        self.settings = self.app.batch_settings
        if self.app.conf.consumer_auto_offset_reset != "earliest":
            raise ImproperlyConfigured(
                "batch topics need consumer_auto_offset_reset='earliest', or records are skipped"
            )

    def is_batch_topic(self, topic: str) -> bool:
        return topic in self.app.batch_topics

    def positions(self) -> dict[TP, PartitionPosition]:
        """How far every assigned partition of the batch topics is."""
        return {
            tp: PartitionPosition(
                delivered=partition.expected,
                acknowledged=partition.acknowledged(),
                committed=partition.committed,
                log_end=self._log_end(tp),
            )
            for tp, partition in self._partitions.items()
        }

    def _log_end(self, tp: TP) -> int | None:
        try:
            return self.highwater(tp)
        except IllegalStateError:  # revoked meanwhile
            return None

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    # Delivery: the position rule

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:  # noqa: ASYNC109  # Faust's signature
        records, active = await self._wait_next_records(timeout)
        if not records or self.should_stop:
            return
        generation_id = self.app.consumer_generation_id
        stock: dict[Any, Any] = {}
        for fetched_tp, fetched in records.items():
            tp = ensure_TP(fetched_tp)
            if not self.is_batch_topic(tp.topic):
                stock[fetched_tp] = fetched
                continue
            if self._is_over(generation_id):
                return  # perform_seek goes back to what was committed
            if active is not None and tp not in active:
                # Paused after the fetch: go back, or the position would pass records nobody got.
                await self._seek_back(tp, self._partitions[tp].expected or fetched.base)
                continue
            if not await self._continues(tp, fetched) or self._is_over(generation_id):
                continue
            self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
            partition = self._partitions[tp]
            delivery = partition.deliver(fetched.base, fetched.next_offset)
            if fetched.timestamps_ms:
                partition.arrived_ms, partition.delivered_ms = fetched.timestamps_ms[-1], _now_ms()
            yield tp, BatchMessage(tp, fetched, delivery, generation_id)
        for tp, record in self.scheduler.iterate(stock):
            if self._is_over(generation_id):
                return
            if active is None or tp in active or tp in self._buffered_partitions:
                self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
                yield tp, self._to_message(tp, record)

    def _is_over(self, generation_id: int) -> bool:
        return not self.flow_active or self.app.consumer_generation_id != generation_id

    async def _continues(self, tp: TP, batch: Batch) -> bool:
        """Whether `batch`, cut or marked where needed, is the next one to deliver."""
        partition = self._partitions[tp]
        expected = partition.expected
        if expected is None:
            return True
        match partition.judge(batch.base, self.highwater(tp)):
            case Verdict.CONTINUES:
                return True
            case Verdict.RESTARTED:
                return await self._start_over(tp, batch)
            case Verdict.EXPIRED if (await self._log_start(tp) or 0) >= batch.base:
                batch.expired = (expected, batch.base)
                self.counts.records_expired += batch.base - expected
                self.log.error("%s: offsets %d to %d were deleted before they were read", tp, expected, batch.base - 1)
                return True
            case Verdict.BEHIND if (start := await self._log_start(tp)) is not None:
                if start == batch.base:  # the log began again, and has outgrown our position since
                    return await self._start_over(tp, batch)
                if batch.next_offset <= expected:
                    return False
                batch.cut_before(expected)
                return True
        partition.sought = expected
        self.counts.seeks_back += 1
        self.log.warning("%s: the position is %d instead of %d: seeking back", tp, batch.base, expected)
        await self._seek_back(tp, expected)
        return False

    async def _start_over(self, tp: TP, batch: Batch) -> bool:
        """Forget what was known of a log that began again, once its last batches are done; False after a rebalance."""
        old = self._partitions.pop(tp)
        self.counts.truncations += 1
        self.log.error("%s: the log began again; offset %s was reached, reading from %d", tp, old.expected, batch.base)
        self._committed_offset.pop(tp, None)
        self._committed_before.pop(tp, None)
        self._read_offset[tp] = None  # Faust drops what lies below
        generation_id = self.app.consumer_generation_id
        waited_s = 0.0
        while not all(delivery.done for delivery in old.deliveries) and waited_s < self.settings.drain_timeout_s:
            if self._is_over(generation_id):
                return False
            await asyncio.sleep(_ACK_POLL_S)
            waited_s += _ACK_POLL_S
        await self.app.on_truncated(tp)
        return True

    async def _log_start(self, tp: TP) -> int | None:
        """Where the log begins; None where the broker does not answer."""
        try:
            return (await self.earliest_offsets(tp)).get(tp)
        except KafkaError as error:
            self.log.warning("%s: the broker does not say where the log begins: %r", tp, error)
            return None

    async def _seek_back(self, tp: TP, offset: int) -> None:
        try:
            await self.seek_wait({tp: offset})
        except (TimeoutError, IllegalStateError) as error:
            self.log.info("seek of %s to %d given up, it was revoked meanwhile: %r", tp, offset, error)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        if not self.is_batch_topic(tp.topic):
            await super()._add_gap(tp, offset_from, offset_to)

    # Flow control

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109  # Faust's
        if active_partitions:
            active_partitions = active_partitions - self._ahead(active_partitions)
        return await super()._getmany(active_partitions, timeout)

    def _ahead(self, active: set[TP]) -> set[TP]:
        """Which partitions wait, so that a backlog of the `app.paced_topics` is read side by side in time."""
        reaches = {}
        for tp, partition in self._partitions.items():
            if partition.arrived_ms is not None and tp.topic in self.app.paced_topics and tp in active:
                lag = (self._log_end(tp) or 0) - (partition.expected or 0)
                reaches[tp] = Reach(partition.arrived_ms, partition.delivered_ms, lag)
        return ahead(reaches, _now_ms())

    async def _wait_next_records(self, timeout: float) -> tuple[Any, set[TP] | None]:  # noqa: ASYNC109  # Faust's
        """Stock sleeps a whole second when every buffer is full; here the first one drained ends the wait."""
        if self.flow_active and not self._get_active_partitions() and self._buffered_partitions:
            self._buffer_dropped.clear()
            try:
                await asyncio.wait_for(self._buffer_dropped.wait(), _FULL_BUFFERS_WAIT_S)
            except TimeoutError:
                return {}, self._get_active_partitions()
        return await super()._wait_next_records(timeout)

    def on_buffer_full(self, tp: TP) -> None:
        """A full queue of a batch topic blocks the delivery itself: taking single partitions out starves them."""
        if not self.is_batch_topic(tp.topic):
            super().on_buffer_full(tp)

    def on_buffer_drop(self, tp: TP) -> None:
        super().on_buffer_drop(tp)
        self._buffer_dropped.set()
        self._thread.wake()

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        super().resume_partitions(tps)
        self._thread.wake()

    async def give_back(self, tp: TP, offset: int) -> None:
        """Pause a partition; what was delivered of it from `offset` on counts as never delivered.

        `resume_partitions` has it read again from there. Nothing for a partition that is not ours any more.
        """
        partition = self._partitions.get(tp)
        if partition is None or partition.expected is None:
            return
        self.pause_partitions({tp})
        start = partition.give_back(offset)
        await self._seek_back(tp, start)

    def go_on(self, tp: TP) -> None:
        """Read a partition again that was given back, if it is ours still."""
        if tp in self._partitions:
            self.resume_partitions({tp})

    # Commit: the commit rule

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        for tp in super()._filter_tps_with_pending_acks(topics):
            if not self.is_batch_topic(tp.topic):
                yield tp
        for tp in list(self._partitions):
            if topics is None or tp in topics or tp.topic in topics:
                yield tp

    def _new_offset(self, tp: TP) -> int | None:
        if not self.is_batch_topic(tp.topic):
            return super()._new_offset(tp)
        self._acked.pop(tp, None)  # Faust's own lists are not used here and would grow
        self._acked_index.pop(tp, None)
        return self._partitions[tp].acknowledged()

    def _should_commit(self, tp: TP, offset: int) -> bool:
        if not self.is_batch_topic(tp.topic):
            return super()._should_commit(tp, offset)
        return self._partitions[tp].committable(offset)

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Stock forgets an offset once it tried to commit it: a refused one would never be tried again."""
        accepted = await super()._commit(offsets)
        self._commit_refused = not accepted
        if accepted:
            for tp, offset in offsets.items():
                if self.is_batch_topic(tp.topic):
                    self._partitions[tp].confirm(offset)
                    self._committed_before[tp] = offset
        return accepted

    # Rebalance and stop

    @Service.task
    async def _watch_group(self) -> None:
        async for _ in self.itertimer(_GROUP_CHECK_INTERVAL_S, name="group"):
            try:
                await self._thread.check_group()
            except KafkaError as error:
                self.log.critical("the broker refuses this worker in the group %s: %r", self.app.conf.id, error)
                await self.crash(error)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Forget the state after the agents are done and the last commit is made; stock forgets it before."""
        await super().on_partitions_revoked(revoked)
        for tp in revoked:
            self._partitions.pop(ensure_TP(tp), None)

    async def wait_empty(self) -> None:
        """Wait for the agents and commit; give up after `drain_timeout_s` (stock: never)."""
        deadline_s = time.monotonic() + self.settings.drain_timeout_s
        # Not asyncio.timeout: waits inside Faust's commit swallow the cancellation by which it works.
        drain = asyncio.create_task(self._drain(deadline_s))
        try:
            await asyncio.wait({drain}, timeout=self.settings.drain_timeout_s)
        finally:
            drain.cancel()
        if drain.done():
            drain.result()
        self._clean_unacked_messages()
        if self._unacked_messages or not drain.done():
            self.log.error(
                "gave up after %.0f s: %d batches not acknowledged or not committed, they will be read again",
                self.settings.drain_timeout_s,
                len(self._unacked_messages),
            )

    async def _drain(self, deadline_s: float) -> None:
        self._clean_unacked_messages()
        while self._unacked_messages and time.monotonic() < deadline_s:
            if not self._commit_refused:  # a member that was expelled would ask 20 times a second
                await self.commit()
            await asyncio.sleep(_ACK_POLL_S)
            self._clean_unacked_messages()
        if not self._commit_refused:
            await self.commit_and_end_transactions()

    async def perform_seek(self) -> None:
        """Go to what the group committed, after every assignment."""
        await super().perform_seek()
        self._commit_refused = False
        self._partitions.clear()
        fresh = []
        for tp in {ensure_TP(tp) for tp in self.assignment() if self.is_batch_topic(tp.topic)}:
            committed = self._read_offset.get(tp)
            self._partitions[tp] = Partition(expected=committed, watermark=committed, committed=committed)
            if committed is None:
                fresh.append(driver.ensure_aiokafka_TP(tp))
            elif committed == 0:
                await self._seek_back(tp, 0)  # stock seeks above 0 only
            before, self._committed_before[tp] = self._committed_before.get(tp, 0), committed or 0
            if (committed or 0) < before:
                # Kafka forgets a group's commits with the topic that is deleted: the log began again.
                self.counts.truncations += 1
                self.log.error("%s: the group's commit went back to %s: the log began again", tp, committed)
                await self.app.on_truncated(tp)
        if fresh:
            await self._thread.seek_to_beginning(*fresh)
        await self.app.on_assigned()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
