"""The position rule, live: every offset is read, or said to be a hole, or said to have expired."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from aiokafka import TopicPartition
from faust.types import TP

from streams.transport import BatchApp
from tests.integration.brokers import LiveBroker, RealKafka
from tests.integration.conftest import real_kafka_only
from tests.integration.transport.rig import QUICK, Received, build, produce, settled, until


def accounted(received: Received) -> list[int]:
    """Every offset of partition 0 that was a record, a hole or expired, in order of arrival."""
    offsets: list[int] = []
    for batch in received.batches:
        if batch.expired is not None:
            offsets += range(*batch.expired)
        here = [*batch.offset_column().to_list(), *(o for start, end in batch.holes() for o in range(start, end))]
        offsets += sorted(here)
    return offsets


async def test_a_position_that_ran_ahead_is_put_right(broker: LiveBroker, name: str) -> None:
    """Something else moved the fetch position: one seek back, no hole, nothing twice."""
    broker.create_topic(name, 2)
    produce(broker, name, range(10_000), partitions=2, per_batch=100)

    async def slowly(event: Any) -> None:
        await asyncio.sleep(0.005)
        event.ack()

    app, received = build(broker, name, handle=slowly, consumer_max_fetch_size=2000)
    async with app:
        await until(lambda: len(received) > 500)
        thread = app.batch_consumer._thread
        for partition in (0, 1):
            seek = thread._ensure_consumer().seek
            thread.thread_loop.call_soon_threadsafe(seek, TopicPartition(name, partition), 4500)
        await until(lambda: len(received) >= 10_000)
        assert app.counts.seeks_back >= 1
        assert app.counts.records_expired == 0
        want: dict[int, int | None] = {0: 5000, 1: 5000}
        assert await settled(broker, name, name, want) == want
    assert sorted(received.numbers()) == list(range(10_000))


async def test_records_that_expired_unread_are_reported_on_the_next_batch(broker: LiveBroker, name: str) -> None:
    """Retention passed the committed offset: the hole is on the next batch, counted, and the rest is read."""
    broker.create_topic(name, 1)
    produce(broker, name, range(1000))
    app, received = build(broker, name)
    async with app:
        await until(lambda: len(received) == 1000)
        assert await settled(broker, name, name, {0: 1000}) == {0: 1000}
    produce(broker, name, range(1000, 2000))
    broker.delete_records(name, 0, before=1500)
    app, received = build(broker, name)
    async with app:
        await until(lambda: received.numbers() and received.numbers()[-1] == 1999)
        assert await settled(broker, name, name, {0: 2000}) == {0: 2000}
        gone = app.counts.records_expired
    assert received.batches[0].expired == (1000, received.batches[0].base)
    assert all(batch.expired is None for batch in received.batches[1:])
    assert gone >= 500
    assert accounted(received) == list(range(1000, 2000))
    assert received.numbers() == list(range(1000 + gone, 2000))


async def test_a_recreated_topic_is_read_from_its_beginning(broker: LiveBroker, name: str) -> None:
    """Recreated while nobody read it: the group's commit went with the old log, and all of the new one arrives."""
    broker.create_topic(name, 1)
    produce(broker, name, range(1000))
    app, received = build(broker, name)
    async with app:
        await until(lambda: len(received) == 1000)
        assert await settled(broker, name, name, {0: 1000}) == {0: 1000}
    await asyncio.to_thread(recreate, broker, name)
    produce(broker, name, range(5000, 5300))
    app, received = build(broker, name)
    async with app:
        await until(lambda: len(received) == 300)
        assert await settled(broker, name, name, {0: 300}) == {0: 300}
    assert received.numbers() == list(range(5000, 5300))


async def test_a_topic_recreated_while_it_is_read_starts_over(broker: LiveBroker, name: str) -> None:
    """The worker runs, and holds batches of the old log: they are done before the first of the new one arrives."""
    broker.create_topic(name, 1)
    produce(broker, name, range(1000))
    order: list[str] = []

    async def slowly(event: Any) -> None:
        if event.value.values[0] == b"900":
            await asyncio.sleep(1.5)
        event.ack()
        order.append(f"done {event.value.next_offset}")

    class Listening(BatchApp):
        async def on_truncated(self, tp: TP) -> None:
            order.append("told")

    app, received = build(
        broker, name, handle=slowly, app_class=Listening, consumer_max_fetch_size=500, consumer_metadata_max_age_ms=700
    )
    async with app:
        await until(lambda: len(received) == 1000)
        await asyncio.to_thread(recreate, broker, name)
        await asyncio.to_thread(produce, broker, name, range(5000, 5200))
        await until(lambda: len(received) == 1200)
        assert await settled(broker, name, name, {0: 200}) == {0: 200}
    assert received.numbers()[-200:] == list(range(5000, 5200))
    assert order.index("told") > order.index("done 1000")


@real_kafka_only
async def test_aborted_transactions_are_holes(broker: RealKafka, name: str) -> None:
    """Only committed records arrive; markers and aborted records are holes; every offset is accounted for."""
    broker.create_topic(name, 1)
    end = write_transactions(broker, name)
    app, received = build(broker, name)
    async with app:
        await until(lambda: received.batches and received.batches[-1].next_offset == end)
        assert await settled(broker, name, name, {0: end}) == {0: end}
        assert app.counts.seeks_back == app.counts.records_expired == 0
    assert received.numbers() == [round_ * 50 + i for round_ in (0, 2, 4) for i in range(50)]
    assert accounted(received) == list(range(end))
    holes = sum(last - first for batch in received.batches for first, last in batch.holes())
    assert holes == 150 + 6  # aborted records and the markers


@real_kafka_only
async def test_aborted_transactions_are_read_where_that_is_asked_for(broker: RealKafka, name: str) -> None:
    """With read_committed off every record arrives, and only the markers are holes."""
    broker.create_topic(name, 1)
    end = write_transactions(broker, name)
    settings = replace(QUICK, read_committed=False)
    app, received = build(broker, name, settings=settings)
    async with app:
        await until(lambda: received.batches and received.batches[-1].next_offset == end)
        assert await settled(broker, name, name, {0: end}) == {0: end}
    assert received.numbers() == list(range(300))
    assert accounted(received) == list(range(end))


@real_kafka_only
async def test_a_log_that_ends_with_an_aborted_transaction_is_committed_to_its_end(
    broker: RealKafka, name: str
) -> None:
    """A fetch without any record still moves the commit: its batch is empty and all hole."""
    broker.create_topic(name, 1)
    producer = broker.producer(**{"transactional.id": name})
    producer.init_transactions()
    producer.begin_transaction()
    for number in range(20):
        producer.produce(name, value=b"%d" % number, partition=0)
    producer.flush()
    producer.abort_transaction()
    await until(lambda: broker.log_end(name) == 21)
    app, received = build(broker, name)
    async with app:
        assert await settled(broker, name, name, {0: 21}) == {0: 21}
    assert len(received) == 0
    assert accounted(received) == list(range(21))


@real_kafka_only
async def test_what_compaction_removed_is_a_hole(broker: RealKafka, name: str) -> None:
    """Offsets that compaction took away are neither missing nor expired: every one is accounted for."""
    configs = {
        "cleanup.policy": "compact",
        "segment.ms": "100",
        "min.cleanable.dirty.ratio": "0.01",
        "max.compaction.lag.ms": "100",
    }
    broker.create_topic(name, 1, configs)
    producer = broker.producer()
    for round_ in range(4):
        for i in range(200):
            producer.produce(name, key=b"k%d" % (i % 40), value=b"%d" % (round_ * 200 + i), partition=0)
        producer.flush()
        await asyncio.sleep(0.3)
    producer.produce(name, key=b"last", value=b"800", partition=0)
    producer.flush()
    await asyncio.to_thread(wait_for_compaction, broker, name, 400)
    app, received = build(broker, name, settings=QUICK)
    async with app:
        await until(lambda: received.batches and received.batches[-1].next_offset == 801)
        assert await settled(broker, name, name, {0: 801}) == {0: 801}
        assert app.counts.seeks_back == app.counts.records_expired == 0
    assert accounted(received) == list(range(801))
    assert len(received) <= 400
    latest = {key: value for batch in received.batches for key, value in zip(batch.keys, batch.values, strict=True)}
    assert latest == {**{b"k%d" % i: b"%d" % (760 + i) for i in range(40)}, b"last": b"800"}


def recreate(broker: LiveBroker, name: str) -> None:
    broker.delete_topic(name)
    broker.create_topic(name, 1)


def write_transactions(broker: LiveBroker, topic: str) -> int:
    """Six transactions of 50 records, every second one aborted; returns the end of the log once all is written."""
    producer = broker.producer(**{"transactional.id": topic})
    producer.init_transactions()
    for round_ in range(6):
        producer.begin_transaction()
        for i in range(50):
            producer.produce(topic, value=b"%d" % (round_ * 50 + i), partition=0)
        producer.flush()
        if round_ % 2:
            producer.abort_transaction()
        else:
            producer.commit_transaction()
    end = 6 * 51
    while broker.log_end(topic) < end:  # the last marker comes a little later
        pass
    return end


def wait_for_compaction(broker: LiveBroker, topic: str, at_most: int) -> None:
    """Return when no more than `at_most` records are left in partition 0."""
    from confluent_kafka import Consumer, TopicPartition

    end = broker.log_end(topic)
    while True:
        consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "count", "log_level": 0})
        consumer.assign([TopicPartition(topic, 0, 0)])
        count, last = 0, -1
        while last < end - 1:
            message = consumer.poll(5)
            assert message is not None, "the broker hands out nothing"
            count, last = count + 1, message.offset() or 0
        consumer.close()
        if count <= at_most:
            return
