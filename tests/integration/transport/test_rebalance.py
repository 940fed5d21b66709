"""Workers come and go: every record is read, a clean hand-over reads nothing twice, and no worker waits for ever."""

from __future__ import annotations

import asyncio
import ctypes
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka.errors import GroupAuthorizationFailedError

from tests.integration.brokers import Embedded, LiveBroker, RealKafka
from tests.integration.transport.rig import build, produce, settled, until


async def slowly(event: Any) -> None:
    await asyncio.sleep(len(event.value) * 0.0005)
    event.ack()


async def test_a_second_worker_joins_and_leaves(broker: LiveBroker, name: str) -> None:
    """Two members of one group under load: each gets half of the partitions, nothing is lost, and a Kafka that takes
    commits during a rebalance (the embedded broker does not) hands over without reading anything twice."""
    broker.create_topic(name, 4)
    produce(broker, name, range(6000), partitions=4, per_batch=50)
    quick: dict[str, Any] = {
        "consumer_max_fetch_size": 2000,
        "broker_session_timeout": 3.0 if isinstance(broker, RealKafka) else 2.0,
    }
    first, by_first = build(broker, name, handle=slowly, **quick)
    second, by_second = build(broker, name, handle=slowly, **quick)
    async with first:
        await until(lambda: len(by_first) > 500)
        async with second:
            await until(lambda: len(by_second) > 500)
            assert len(first.positions()) == len(second.positions()) == 2
        await until(lambda: len({*by_first.numbers(), *by_second.numbers()}) == 6000)
        want: dict[int, int | None] = dict.fromkeys(range(4), 1500)
        assert await settled(broker, name, name, want) == want
        assert first.counts.records_expired == second.counts.records_expired == 0
    times_read = Counter(by_first.numbers() + by_second.numbers())
    assert set(times_read) == set(range(6000))
    if isinstance(broker, RealKafka):
        assert set(times_read.values()) == {1}


async def test_what_an_expelled_worker_held_is_read_by_the_next(broker: LiveBroker, name: str) -> None:
    """A batch acknowledged in an earlier generation counts for nothing: it is read again by its new owner."""
    broker.create_topic(name, 2)
    produce(broker, name, range(2000), partitions=2, per_batch=100)
    held: list[Any] = []

    async def hold(event: Any) -> None:
        held.append(event)

    impatient, by_first = build(broker, name, handle=hold, consumer_max_fetch_size=500)
    second, by_second = build(broker, name)
    async with impatient:
        await until(lambda: len(by_first) == 2000)
        impatient.batch_consumer.settings = type(impatient.batch_settings)(drain_timeout_s=0.2)
        async with second:
            await until(lambda: len(by_second) == 1000)
            for event in held:
                event.ack()
            await asyncio.sleep(0.3)
            lost = {batch.partition for batch in by_second.batches}
            found = broker.committed(name, name, 2)
            assert {found[partition] for partition in lost} == {1000}
            assert len(lost) == 1


JOIN_GROUP, SYNC_GROUP = 11, 14
GROUP_AUTHORIZATION_FAILED, INVALID_REQUEST = 30, 42


@pytest.fixture
def refusing() -> Iterator[Embedded]:
    """An embedded broker of one's own, to be told what to refuse."""
    broker = Embedded()
    yield broker
    broker.stop()


def refuse(broker: Embedded, request: int, *errors: int) -> None:
    """Answer the next requests of this kind with `errors`: numbers of Kafka's protocol."""
    push = broker._broker._lib.rd_kafka_mock_push_request_errors_array
    push.argtypes = [ctypes.c_void_p, ctypes.c_int16, ctypes.c_size_t, ctypes.POINTER(ctypes.c_int)]
    push(broker._broker._cluster, request, len(errors), (ctypes.c_int * len(errors))(*errors))


async def test_a_join_that_failed_is_tried_again(refusing: Embedded, name: str) -> None:
    """A stock worker whose first join fails in an unexpected way never reads anything and never says so."""
    refusing.create_topic(name, 1)
    produce(refusing, name, range(10))
    refuse(refusing, SYNC_GROUP, INVALID_REQUEST)
    app, received = build(refusing, name)
    starting = asyncio.create_task(app.start())
    try:
        await until(lambda: len(received) == 10)
    finally:
        await app.stop()
        starting.cancel()


async def test_a_worker_that_may_not_join_stops(refusing: Embedded, name: str) -> None:
    """What only a person can mend ends the worker instead of being tried for ever."""
    refusing.create_topic(name, 1)
    refuse(refusing, JOIN_GROUP, *[GROUP_AUTHORIZATION_FAILED] * 100)
    app, _ = build(refusing, name)
    async with asyncio.timeout(20):
        await app.start()
        await until(lambda: app.crashed)
    assert isinstance(app.crash_reason, GroupAuthorizationFailedError)
    await app.stop()
