"""The thread that talks to the broker: aiokafka's fetches, taken as batches."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import (
    ConsumerStoppedError,
    GroupAuthorizationFailedError,
    InconsistentGroupProtocolError,
    InvalidGroupIdError,
    InvalidSessionTimeoutError,
    KafkaError,
    TopicAuthorizationFailedError,
)
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.transport.drain import drain

if TYPE_CHECKING:
    from streams.transport.consumer import BatchConsumer

_FATAL = (
    GroupAuthorizationFailedError,
    InconsistentGroupProtocolError,
    InvalidGroupIdError,
    InvalidSessionTimeoutError,
    TopicAuthorizationFailedError,
)
_GROUP_ERRORS_IN_A_ROW = 10


class BatchConsumerThread(driver.AIOKafkaConsumerThread):
    """Stock but for how fetches are asked for and taken."""

    consumer: BatchConsumer
    _group_errors = 0

    def _create_worker_consumer(self, transport: driver.Transport) -> Any:
        consumer = super()._create_worker_consumer(transport)
        settings = self.consumer.settings
        consumer._fetch_max_wait_ms = settings.fetch_max_wait_ms
        consumer._fetch_min_bytes = settings.fetch_min_bytes
        if settings.read_committed:
            consumer._isolation_level = "read_committed"  # Faust reads so only for its own transactions
        return consumer

    async def check_group(self) -> None:
        """Have errors of the group membership raised, or tried again: stock Faust never looks at them, so that a worker
        whose first join failed would wait for ever. Raises the KafkaError that a person must mend.
        """
        await self.call_thread(self._check_group)

    async def _check_group(self) -> None:
        if (consumer := self._consumer) is None:
            return
        coordinator = consumer._coordinator
        try:
            coordinator.check_errors()
        except _FATAL:
            raise
        except KafkaError as error:
            self._group_errors += 1
            if self._group_errors > _GROUP_ERRORS_IN_A_ROW or coordinator._coordination_task.done():
                raise
            self.log.warning("the group membership failed, joining again: %s", error)
            coordinator.request_rejoin()
        else:
            self._group_errors = 0

    def wake(self) -> None:
        """Let a waiting fetch look again: a partition came back."""
        if (consumer := self._consumer) is not None:
            self.thread_loop.call_soon_threadsafe(_finish, consumer._fetcher._fetch_waiters)

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: set[TP] | None,
        timeout: float | None = None,  # noqa: ASYNC109  # Faust's signature
        max_records: int | None = None,
    ) -> dict[Any, Any]:
        if not self.consumer.flow_active:
            return {}
        fetcher = consumer._fetcher
        if consumer._closed or fetcher._closed:
            raise ConsumerStoppedError
        with fetcher._subscriptions.fetch_context():
            fetched = await self._stock_records(fetcher, active_partitions, max_records)
            fetched.update(self._batches(fetcher, active_partitions))
            if fetched:
                return fetched
            waiter = fetcher._create_fetch_waiter()
            done, _ = await asyncio.wait([waiter], timeout=timeout)
            if not done:
                waiter.cancel()
                return {}
            if waiter.exception() is not None:
                return {}  # the group is in trouble; `check_group` says what to do
            return self._batches(fetcher, active_partitions)

    async def _stock_records(self, fetcher: Any, active: set[TP] | None, max_records: int | None) -> dict[Any, Any]:
        """What is there for topics that are not batch topics; never waits."""
        stock = {tp for tp in active or () if not self.consumer.is_batch_topic(tp.topic)}
        if not stock or fetcher._subscriptions.reassignment_in_progress:
            return {}  # an empty set would mean every partition to aiokafka
        records: dict[Any, Any] = await fetcher.fetched_records(stock, timeout=0, max_records=max_records)
        return records

    def _batches(self, fetcher: Any, active: set[TP] | None) -> dict[Any, Any]:
        """What is there for batch topics, one batch per partition; never waits."""
        batches: dict[Any, Any] = {}
        subscriptions = fetcher._subscriptions
        # Flow stopped while we waited (a rebalance): take nothing, or the position would pass records nobody gets.
        if subscriptions.reassignment_in_progress or not self.consumer.flow_active:
            return batches
        for tp in list(fetcher._records):
            if not self.consumer.is_batch_topic(tp.topic):
                continue
            if active is not None and tp not in active:  # empty means that no partition is active, not that all are
                if not subscriptions.is_assigned(tp):
                    del fetcher._records[tp]
                continue
            result = fetcher._records[tp]
            if type(result) is not FetchResult:
                if batches:
                    break  # raised by the next call
                self._release(fetcher, tp)
                result.check_raise()
                continue
            try:
                batch = drain(
                    result, check_crcs=fetcher._check_crcs, max_records=self.consumer.settings.max_batch_records
                )
            finally:
                if not result.has_more():
                    self._release(fetcher, tp)
            if batch is not None:
                batches[tp] = batch
        return batches

    @staticmethod
    def _release(fetcher: Any, tp: Any) -> None:
        """Let aiokafka fetch this partition again."""
        del fetcher._records[tp]
        fetcher._notify(fetcher._wait_consume_future)


def _finish(waiters: Iterable[asyncio.Future[None]]) -> None:
    for waiter in list(waiters):
        if not waiter.done():
            waiter.set_result(None)
