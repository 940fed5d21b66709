"""What holds a partition back, and what lets it go on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from sinks.base import Shipment
from sinks.clickhouse.pauses import Pause
from streams.pauses import Pauses
from streams.storm import Partition, StormLimits, StormWatch
from tests.unit.streams.test_storm import TOPIC, batch, letters

NOW = datetime(2026, 11, 17, tzinfo=UTC)


class World:
    """The consumer and the database, as far as pauses see them."""

    def __init__(self) -> None:
        self.given_back: list[tuple[Partition, int]] = []
        self.going_on: list[Partition] = []
        self.words: dict[Partition, Pause] = {}
        self.pauses = Pauses(
            StormWatch(StormLimits(0.5, 100, 30)),
            incarnation_of=lambda topic: 7 if topic == TOPIC else None,
            give_back=self._give_back,
            go_on=self.going_on.append,
            read=lambda: list(self.words.values()),
            write=lambda pause: self.words.update({(pause.topic, pause.partition): pause}),
        )

    async def _give_back(self, partition: Partition, offset: int) -> None:
        self.given_back.append((partition, offset))

    async def judge(self, first: int, count: int, refused: range, partition: int = 0) -> bool:
        """Whether the batch goes on to the store."""
        shipment = Shipment(dead_letters=letters(refused, partition))
        return bool(await self.pauses.judge([batch(first, count, partition)], shipment))

    def allow(self, through: int) -> None:
        pause = self.words[TOPIC, 0]
        self.words[TOPIC, 0] = Pause(TOPIC, pause.incarnation, 0, pause.offset, "", through, NOW)


async def test_a_storm_is_given_back_told_and_held_until_a_word_comes() -> None:
    world = World()
    assert await world.judge(0, 20, range(5))
    assert not await world.judge(20, 40, range(20, 60))
    assert world.given_back == [((TOPIC, 0), 20)]
    assert world.words[TOPIC, 0].holds
    assert await world.pauses.holds(batch(60, 10))
    assert not await world.pauses.holds(batch(0, 20))  # what came before the storm goes on
    assert await world.judge(0, 10, range(0), partition=1)  # and so do the others
    await world.pauses.refresh()
    assert world.going_on == []
    world.allow(through=60)
    await world.pauses.refresh()
    assert world.going_on == [(TOPIC, 0)]
    assert not await world.pauses.holds(batch(20, 40))
    assert await world.judge(20, 40, range(20, 60))
    assert not await world.judge(60, 40, range(60, 100))  # behind the allowance a storm is a storm again
    assert (world.words[TOPIC, 0].offset, world.words[TOPIC, 0].allowed_through) == (60, 60)


async def test_a_pause_of_a_worker_before_us_is_kept() -> None:
    world = World()
    world.words[TOPIC, 0] = Pause(TOPIC, 7, 0, 50, "", 0, NOW)
    world.words[TOPIC, 1] = Pause(TOPIC, 6, 1, 50, "", 0, NOW)  # of a log that was made anew since
    await world.pauses.refresh()
    assert not await world.pauses.holds(batch(0, 50))
    assert await world.pauses.holds(batch(40, 20))
    assert world.given_back == [((TOPIC, 0), 40)]
    assert not await world.pauses.holds(batch(40, 20, partition=1))


async def test_what_was_read_before_a_pause_does_not_undo_it() -> None:
    world = World()
    slow = asyncio.Event()

    async def refresh() -> None:
        async with world.pauses._lock:
            old = world.pauses.read()
            await slow.wait()
            world.pauses.take_over(old)

    refreshing = asyncio.create_task(refresh())
    await asyncio.sleep(0)
    judging = asyncio.create_task(world.judge(0, 40, range(40)))
    await asyncio.sleep(0.01)
    slow.set()
    assert not await judging
    await refreshing
    assert await world.pauses.holds(batch(0, 40))
