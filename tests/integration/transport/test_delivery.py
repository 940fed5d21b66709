"""What arrives: every record once, with its columns, whatever the codec, the sizes and the pauses."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import psutil
from faust.types import TP

from tests.integration.brokers import LiveBroker, RealKafka
from tests.integration.conftest import real_kafka_only
from tests.integration.transport.rig import QUICK, build, produce, settled, until

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


async def test_every_codec_carries_keys_values_headers_and_tombstones(broker: LiveBroker, name: str) -> None:
    """One partition per codec: values, keys, headers, timestamps and offsets arrive as they were sent."""
    broker.create_topic(name, len(CODECS))
    for partition, codec in enumerate(CODECS):
        producer = broker.producer(**{"compression.type": codec})
        for i in range(500):
            producer.produce(
                name,
                key=b"k%d" % i,
                value=None if i % 100 == 7 else b"%d" % i,
                partition=partition,
                timestamp=1_700_000_000_000 + i,
                headers=[("h", b"%d" % i), ("empty", None)] if i % 3 == 0 else None,
            )
        assert producer.flush(30) == 0
    app, received = build(broker, name)
    async with app:
        await until(lambda: len(received) >= 500 * len(CODECS))
        want: dict[int, int | None] = dict.fromkeys(range(len(CODECS)), 500)
        assert await settled(broker, name, name, want) == want
        assert app.counts.seeks_back == app.counts.records_expired == 0
    for partition in range(len(CODECS)):
        batches = [batch for batch in received.batches if batch.partition == partition]
        assert [v for b in batches for v in b.values] == [None if i % 100 == 7 else b"%d" % i for i in range(500)]
        assert [k for b in batches for k in b.keys] == [b"k%d" % i for i in range(500)]
        assert [t for b in batches for t in b.timestamps_ms] == [1_700_000_000_000 + i for i in range(500)]
        assert [o for b in batches for o in b.offset_column()] == list(range(500))
        headers = [h for b in batches for h in b.headers or []]
        assert headers == [(("h", b"%d" % i), ("empty", None)) if i % 3 == 0 else () for i in range(500)]


async def test_batches_end_with_the_producer_batch_that_reaches_the_limit(broker: LiveBroker, name: str) -> None:
    """A compressed fetch of thousands of records is handed over in parts, without seeks and in order."""
    broker.create_topic(name, 1)
    produce(broker, name, range(10_000), per_batch=250, codec="zstd")
    settings = replace(QUICK, max_batch_records=1000)
    app, received = build(broker, name, settings=settings)
    async with app:
        await until(lambda: len(received) >= 10_000)
        assert app.counts.seeks_back == 0
    assert max(map(len, received.batches)) <= 1250
    assert received.numbers() == list(range(10_000))


async def test_a_stored_batch_larger_than_the_fetch_size_is_still_read(broker: LiveBroker, name: str) -> None:
    """The broker hands out at least one producer batch per fetch, however small the fetch size."""
    broker.create_topic(name, 2)
    produce(broker, name, range(2000), partitions=2, per_batch=500)
    app, received = build(broker, name, consumer_max_fetch_size=500)
    async with app:
        await until(lambda: len(received) >= 2000)
    assert sorted(received.numbers()) == list(range(2000))


async def test_records_of_an_empty_topic_arrive_when_they_come(broker: LiveBroker, name: str) -> None:
    """An idle worker holds its partitions and reads what is produced later."""
    broker.create_topic(name, 4)
    app, received = build(broker, name)
    async with app:
        await until(lambda: len(app.positions()) == 4)
        assert not received.batches
        produce(broker, name, range(4), partitions=4)
        await until(lambda: len(received) == 4)


@real_kafka_only
async def test_partitions_added_while_running_are_read_from_their_beginning(broker: RealKafka, name: str) -> None:
    broker.create_topic(name, 2)
    produce(broker, name, range(100), partitions=2)
    app, received = build(broker, name, consumer_metadata_max_age_ms=700)
    async with app:
        await until(lambda: len(received) == 100)
        broker.add_partitions(name, 5)
        produce(broker, name, range(1000, 1500), partitions=5)
        await until(lambda: len(received) == 600)
        want: dict[int, int | None] = {0: 150, 1: 150, 2: 100, 3: 100, 4: 100}
        assert await settled(broker, name, name, want) == want


async def test_paused_partitions_stand_still_and_miss_nothing(broker: LiveBroker, name: str) -> None:
    """A paused partition delivers nothing more; all the others go on, and after the resume nothing is missing."""
    broker.create_topic(name, 2)
    app, received = build(broker, name)
    async with app:
        await until(lambda: len(app.positions()) == 2)
        paused = TP(name, 0)
        app.consumer.pause_partitions({paused})
        produce(broker, name, range(2000), partitions=2)
        await until(lambda: len(received) == 1000)
        await asyncio.sleep(0.3)
        assert {batch.partition for batch in received.batches} == {1}
        app.consumer.resume_partitions({paused})
        await until(lambda: len(received) == 2000)
    assert sorted(received.numbers()) == list(range(2000))


async def test_pausing_under_load_neither_loses_nor_doubles(broker: LiveBroker, name: str) -> None:
    """Partitions paused and resumed while fetches are on their way."""
    broker.create_topic(name, 4)
    produce(broker, name, range(20_000), partitions=4, per_batch=50)

    async def slowly(event: Any) -> None:
        await asyncio.sleep(0.002)
        event.ack()

    app, received = build(broker, name, handle=slowly, consumer_max_fetch_size=5000)
    async with app:
        await until(lambda: received.batches)
        for i in range(20):
            partition = {TP(name, i % 4)}
            app.consumer.pause_partitions(partition)
            await asyncio.sleep(0.02)
            app.consumer.resume_partitions(partition)
            await asyncio.sleep(0.01)
        await until(lambda: len(received) >= 20_000)
    assert sorted(received.numbers()) == list(range(20_000))


async def test_a_slow_agent_holds_the_delivery_back(broker: LiveBroker, name: str) -> None:
    """Back-pressure: while the agent is busy, no more batches wait than its queue and the one in its hands."""
    broker.create_topic(name, 4)
    produce(broker, name, range(8000), partitions=4, per_batch=50)
    release = asyncio.Event()

    async def wait(event: Any) -> None:
        await release.wait()
        event.ack()

    app, received = build(broker, name, handle=wait, consumer_max_fetch_size=1000)
    async with app:
        await until(lambda: received.batches)
        await asyncio.sleep(0.5)
        delivered = sum(position.delivered or 0 for position in app.positions().values())
        assert delivered <= 50 * 3 * (1 + 4 + 1)
        release.set()
        await until(lambda: len(received) == 8000)


async def test_stock_topics_keep_fausts_own_path(broker: LiveBroker, name: str) -> None:
    """A stock topic in the same worker gets one event per record while a batch topic is never idle."""
    plain = f"{name}-plain"
    broker.create_topic(name, 2)
    broker.create_topic(plain, 1)
    produce(broker, name, range(4000), partitions=2, per_batch=20)
    produce(broker, plain, range(300))
    values: list[bytes] = []

    async def slowly(event: Any) -> None:
        await asyncio.sleep(len(event.value) * 0.0005)
        event.ack()

    app, received = build(broker, name, handle=slowly, consumer_max_fetch_size=2000)

    async def each(stream: Any) -> None:
        async for value in stream:
            values.append(value)  # noqa: PERF401  # the stream never ends

    app.agent(app.topic(plain, value_serializer="raw"), name=plain)(each)
    async with app:
        await until(lambda: len(values) == 300)
        assert len(received) < 4000
        await until(lambda: len(received) == 4000)
        assert await settled(broker, name, plain, {0: 300}) == {0: 300}
        want: dict[int, int | None] = {0: 2000, 1: 2000}
        assert await settled(broker, name, name, want) == want
    assert values == [b"%d" % i for i in range(300)]


async def test_nothing_listens_beside_the_connections_to_the_broker(broker: LiveBroker, name: str) -> None:
    """Faust's web server is off even where its setting asks for it."""
    broker.create_topic(name, 1)
    before = listening()
    app, _ = build(broker, name, settings=QUICK, web_enabled=True)
    async with app:
        await until(lambda: app.positions())
        assert listening() == before


def listening() -> set[tuple[str, int]]:
    connections = psutil.Process().net_connections(kind="inet")
    return {(each.laddr.ip, each.laddr.port) for each in connections if each.status == psutil.CONN_LISTEN}
