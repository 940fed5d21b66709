"""The commit rule, live: what the group committed never passes what the agents acknowledged."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

from streams.transport import TransportSettings
from tests.integration.brokers import LiveBroker
from tests.integration.transport.rig import NEVER_S, build, produce, settled, until


async def test_acknowledgements_in_any_order_commit_the_end(broker: LiveBroker, name: str) -> None:
    """Batches acknowledged in random order: no commit passes an unacknowledged one, and the last is the end."""
    broker.create_topic(name, 2)
    produce(broker, name, range(4000), partitions=2, per_batch=50)
    chance = random.Random(7)
    open_batches: dict[int, set[int]] = {0: set(), 1: set()}
    violations: list[str] = []
    later: set[asyncio.Task[None]] = set()

    async def acknowledge_later(event: Any) -> None:
        await asyncio.sleep(chance.random() * 0.3)
        open_batches[event.value.partition].discard(event.value.base)
        event.ack()

    async def take(event: Any) -> None:
        open_batches[event.value.partition].add(event.value.base)
        later.add(asyncio.create_task(acknowledge_later(event)))

    app, received = build(broker, name, handle=take, consumer_max_fetch_size=1000)
    async with app:
        await until(lambda: received.batches)
        while len(received) < 4000:
            found = await asyncio.to_thread(broker.committed, name, name, 2)
            for partition, offset in found.items():
                held = open_batches[partition]
                if held and offset is not None and offset > min(held):
                    violations.append(f"{partition}: committed {offset}, held from {min(held)}")
        want: dict[int, int | None] = {0: 2000, 1: 2000}
        assert await settled(broker, name, name, want) == want
    assert violations == []
    assert sorted(received.numbers()) == list(range(4000))


async def test_a_batch_never_acknowledged_holds_the_commit_and_is_read_again(broker: LiveBroker, name: str) -> None:
    """Everything behind the hole is acknowledged, the commit stays at it, and the next worker begins there."""
    broker.create_topic(name, 1)
    produce(broker, name, range(1000), per_batch=100)

    async def all_but_one(event: Any) -> None:
        if event.value.base != 300:
            event.ack()

    app, received = build(broker, name, handle=all_but_one, settings=IMPATIENT, consumer_max_fetch_size=500)
    async with app:
        await until(lambda: len(received) == 1000)
        assert await settled(broker, name, name, {0: 300}) == {0: 300}
        await asyncio.sleep(0.3)
        assert broker.committed(name, name, 1) == {0: 300}
    again, received = build(broker, name)
    async with again:
        await until(lambda: len(received) >= 700)
        assert await settled(broker, name, name, {0: 1000}) == {0: 1000}
    assert received.numbers() == list(range(300, 1000))


async def test_an_exception_in_the_agent_acknowledges_nothing(broker: LiveBroker, name: str) -> None:
    """Stock Faust acknowledges an event even when the agent raised on it; here its records are read again."""
    broker.create_topic(name, 1)
    produce(broker, name, range(500), per_batch=100)

    async def fail_once(event: Any) -> None:
        if event.value.base == 200:
            raise RuntimeError("the agent failed on this batch")
        event.ack()

    app, received = build(broker, name, handle=fail_once, settings=IMPATIENT, consumer_max_fetch_size=500)
    async with app:
        await until(lambda: len(received) >= 300)
        assert await settled(broker, name, name, {0: 200}) == {0: 200}
        await asyncio.sleep(0.3)
        assert broker.committed(name, name, 1) == {0: 200}
    again, received = build(broker, name)
    async with again:
        await until(lambda: len(received) >= 300)
    assert received.numbers() == list(range(200, 500))


async def test_a_stop_waits_for_the_agents_and_commits_their_work(broker: LiveBroker, name: str) -> None:
    """What an agent holds when the stop begins is acknowledged and committed before it ends."""
    broker.create_topic(name, 1)
    produce(broker, name, range(100))

    async def slowly(event: Any) -> None:
        await asyncio.sleep(1.0)
        event.ack()

    app, received = build(broker, name, handle=slowly)
    async with app:
        await until(lambda: received.batches)
    assert broker.committed(name, name, 1) == {0: received.batches[0].next_offset}


async def test_the_drain_gives_up_after_its_timeout(broker: LiveBroker, name: str) -> None:
    """An agent that never acknowledges delays a stop by the drain timeout, and nothing of it is committed."""
    broker.create_topic(name, 1)
    produce(broker, name, range(100))

    async def never(event: Any) -> None:
        """Keep the event for ever."""

    app, received = build(broker, name, handle=never, settings=IMPATIENT)
    async with app:
        await until(lambda: received.batches)
        begin = time.monotonic()
    assert IMPATIENT.drain_timeout_s <= time.monotonic() - begin < IMPATIENT.drain_timeout_s + 3
    assert (broker.committed(name, name, 1)[0] or 0) == 0


IMPATIENT = TransportSettings(fetch_min_bytes=1, fetch_max_wait_ms=50, drain_timeout_s=0.5, stop_deadline_s=NEVER_S)
