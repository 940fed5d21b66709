"""The intake: what it takes it stores, and what it stores it acknowledges, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from sinks.base import Shipment
from streams.batch import Batch
from streams.intake import Intake, Load
from streams.pipeline import Work
from streams.windows import Pace, Windows
from tests.rows import event, shipment


class Delivery:
    """A delivered batch that remembers its acknowledgement."""

    def __init__(self, first: int, records: int = 1, acknowledged: list[int] | None = None) -> None:
        stamps = [1_000 * first + n for n in range(records)]
        self.value = Batch("ent.login.v1", 0, first, first + records, [b"x"] * records, [None] * records, stamps, first)
        self.base = first
        self.acknowledged = acknowledged if acknowledged is not None else []
        self.done = False

    def ack(self) -> bool:
        self.acknowledged.append(self.base)
        self.done = True
        return True


class Bench:
    """An intake between stand-ins that note what they are given."""

    def __init__(self, **given: Any) -> None:
        self.worked: list[list[int]] = []
        self.stored: list[Shipment] = []
        self.published: list[int] = []
        self.begun: list[int] = []
        self.windows = Windows(
            lambda *_: None,
            Pace(share=1.0, shortest_pause_s=0.001, roll_interval_s=0.01, longest_pause_s=0.01),
            hurried=lambda: False,
            behind=given.pop("behind", lambda: False),
        )
        self.intake = Intake(
            process=self._process,
            store=self._store,
            publish=self._publish,
            windows=self.windows,
            begin=self._begin,
            linger_s=given.pop("linger_s", 0.02),
            **given,
        )

    def _process(self, batches: Sequence[Batch]) -> Work:
        self.worked.append([len(batch) for batch in batches])
        return Work(shipment([event(batch.base, batch.base) for batch in batches]), frozenset({60}), 0)

    def _store(self, sent: Shipment) -> Shipment:
        self.stored.append(sent)
        return sent

    async def _publish(self, kept: Shipment) -> None:
        self.published.append(len(kept.dead_letters))

    async def _begin(self, batch: Batch) -> None:
        self.begun.append(batch.base)

    async def run(self, deliveries: Sequence[Delivery]) -> None:
        stages = [
            asyncio.create_task(stage)
            for stage in (self.intake.run_work(), self.intake.run_store(), self.windows.run())
        ]
        for delivery in deliveries:
            await self.intake.take(delivery)
        async with asyncio.timeout(5):
            while not all(delivery.done for delivery in deliveries):
                await asyncio.sleep(0.005)
        for stage in stages:
            stage.cancel()


async def test_all_that_is_taken_is_stored_and_acknowledged_in_order() -> None:
    bench = Bench()
    order: list[int] = []
    await bench.run([Delivery(n, acknowledged=order) for n in range(40)])
    assert order == list(range(40)) == bench.begun
    assert sorted(offset for kept in bench.stored for offset in kept.events["offset"]) == order


async def test_small_batches_are_worked_on_together() -> None:
    bench = Bench(linger_s=0.2)
    await bench.run([Delivery(n, 10) for n in range(10)])
    assert bench.worked == [[10] * 10]


async def test_a_load_is_not_larger_than_it_may_be() -> None:
    bench = Bench(max_rows=25, linger_s=1.0)
    await bench.run([Delivery(10 * n, 10) for n in range(9)])
    assert [sum(load) for load in bench.worked] == [30, 30, 30]


async def test_far_behind_several_loads_are_stored_together() -> None:
    bench = Bench(max_rows=10, max_insert_rows=30, behind=lambda: True)
    await bench.run([Delivery(10 * n, 10) for n in range(6)])
    assert [len(load) for load in bench.worked] == [1] * 6
    assert [len(sent.events) for sent in bench.stored] == [3, 3]


async def test_records_are_counted_by_topic_and_then_forgotten() -> None:
    loads: list[Load] = []
    bench = Bench(on_stored=lambda stored, *_: loads.extend(stored))
    await bench.run([Delivery(5, 7)])
    (load,) = loads
    assert load.records == {"ent.login.v1": 7}
    assert load.arrived_ms == 5_000
    assert load.batches[0].values == []


async def test_a_failure_of_a_stage_is_not_swallowed() -> None:
    def broken(_: Shipment) -> Shipment:
        raise RuntimeError("no")

    bench = Bench()
    bench.intake.store = broken
    delivery = Delivery(1)
    await bench.intake.take(delivery)
    work = asyncio.create_task(bench.intake.run_work())
    with pytest.raises(RuntimeError):
        await asyncio.wait_for(bench.intake.run_store(), 5)
    work.cancel()
    assert delivery.acknowledged == []


async def test_nothing_more_is_worked_on_while_too_much_waits() -> None:
    bench = Bench()
    bench.windows.held_rows = bench.windows.pace.max_held_rows + 1
    await bench.intake.take(Delivery(1))
    work = asyncio.create_task(bench.intake.run_work())
    await asyncio.sleep(0.1)
    assert bench.worked == []
    bench.windows.held_rows = 0
    bench.windows._rolled.set()
    async with asyncio.timeout(5):
        while not bench.worked:
            await asyncio.sleep(0.005)
    work.cancel()
