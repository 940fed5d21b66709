"""The passes: what is acknowledged was recomputed after it was stored, level after level."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Collection
from datetime import UTC, date, datetime

import pytest

from sinks.base import Level
from streams.windows import Pace, Stored, Windows, days_of

QUICK = Pace(share=1.0, shortest_pause_s=0.001, roll_interval_s=0.01)
MINUTE = 1_794_901_260


class Passes:
    """Notes what is recomputed; a gate can hold a level back."""

    def __init__(self) -> None:
        self.done: list[tuple[str, frozenset[int]]] = []
        self.gates: dict[Level, threading.Event] = {}

    def __call__(self, level: Level, slices: Collection[int]) -> None:
        if level in self.gates:
            self.gates[level].wait(5)
        self.done.append((level.value, frozenset(slices)))


async def until(condition: object, timeout_s: float = 5.0) -> None:
    assert callable(condition)
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture
def passes() -> Passes:
    return Passes()


async def test_a_batch_is_acknowledged_after_its_minutes_hours_and_days(passes: Passes) -> None:
    acknowledged: list[list[str]] = []
    windows = Windows(passes, QUICK, hurried=lambda: False)
    task = asyncio.create_task(windows.run())
    minutes = frozenset({MINUTE, MINUTE + 60})
    windows.add(Stored(minutes, 2, lambda: acknowledged.append([level for level, _ in passes.done])))
    await until(lambda: acknowledged)
    task.cancel()
    assert acknowledged == [["minute", "hour", "day"]]
    assert passes.done[0] == ("minute", minutes)
    assert windows.held_rows == 0


async def test_what_is_stored_during_a_pass_waits_for_the_next_one(passes: Passes) -> None:
    """A pass may have read before the rows came: they are acknowledged only after one that began later."""
    passes.gates[Level.MINUTE] = threading.Event()
    acknowledged: list[int] = []
    windows = Windows(passes, QUICK, hurried=lambda: False)
    task = asyncio.create_task(windows.run())
    windows.add(Stored(frozenset({MINUTE}), 1, lambda: acknowledged.append(1)))
    await asyncio.sleep(0.05)
    windows.add(Stored(frozenset({MINUTE}), 1, lambda: acknowledged.append(2)))
    passes.gates[Level.MINUTE].set()
    await until(lambda: acknowledged == [1, 2])
    task.cancel()
    assert [level for level, _ in passes.done].count("minute") == 2


async def test_nothing_is_acknowledged_when_a_pass_fails(passes: Passes) -> None:
    def fail(level: Level, slices: Collection[int]) -> None:
        raise RuntimeError("the database refused")

    acknowledged: list[int] = []
    windows = Windows(fail, QUICK, hurried=lambda: False)
    windows.add(Stored(frozenset({MINUTE}), 1, lambda: acknowledged.append(1)))
    with pytest.raises(RuntimeError, match="refused"):
        await windows.run()
    assert acknowledged == []


async def test_a_batch_without_events_is_acknowledged_too(passes: Passes) -> None:
    acknowledged: list[int] = []
    windows = Windows(passes, QUICK, hurried=lambda: False)
    task = asyncio.create_task(windows.run())
    windows.add(Stored(frozenset(), 0, lambda: acknowledged.append(1)))
    await until(lambda: acknowledged)
    task.cancel()
    assert passes.done == []


async def test_hours_wait_for_their_interval_unless_someone_waits_for_us(passes: Passes) -> None:
    hurry: list[bool] = []
    windows = Windows(passes, Pace(share=1.0, shortest_pause_s=0.001, roll_interval_s=60), hurried=lambda: bool(hurry))
    task = asyncio.create_task(windows.run())
    acknowledged: list[int] = []
    windows.add(Stored(frozenset({MINUTE}), 1, lambda: acknowledged.append(1)))
    await until(lambda: passes.done)
    await asyncio.sleep(0.1)
    assert acknowledged == []
    hurry.append(True)
    await until(lambda: acknowledged)
    task.cancel()


async def test_far_behind_a_pass_waits_until_there_is_much_to_count(passes: Passes) -> None:
    pace = Pace(share=1.0, shortest_pause_s=0.001, roll_interval_s=0.01, longest_pause_s=60, max_held_rows=10)
    windows = Windows(passes, pace, hurried=lambda: False, behind=lambda: True)
    task = asyncio.create_task(windows.run())
    acknowledged: list[int] = []

    def add(rows: int) -> None:
        windows.add(Stored(frozenset({MINUTE}), rows, lambda: acknowledged.append(rows)))

    add(1)
    await until(lambda: passes.done)
    add(2)
    await asyncio.sleep(0.1)
    assert [level for level, _ in passes.done].count("minute") == 1, "it did not wait"
    add(9)
    await until(lambda: sorted(acknowledged) == [1, 2, 9])
    task.cancel()


async def test_a_few_rows_do_not_wait_as_long_as_a_large_pass_took(passes: Passes) -> None:
    """Pauses are paid for what will be counted next, not for what was counted last."""
    slow = threading.Event()

    def recompute(level: Level, slices: Collection[int]) -> None:
        passes(level, slices)
        if len(slices) > 100:
            slow.wait(0.5)

    windows = Windows(recompute, Pace(share=0.1, shortest_pause_s=0.001, roll_interval_s=0.01), hurried=lambda: False)
    task = asyncio.create_task(windows.run())
    acknowledged: list[int] = []
    windows.add(Stored(frozenset(MINUTE + 60 * n for n in range(101)), 10_000, lambda: acknowledged.append(1)))
    await until(lambda: passes.done)
    windows.add(Stored(frozenset({MINUTE}), 1, lambda: acknowledged.append(2)))
    await until(lambda: len([level for level, _ in passes.done if level == "minute"]) == 2, timeout_s=2.0)
    task.cancel()


@pytest.mark.parametrize("away_during", [Level.MINUTE, Level.DAY])
async def test_passes_that_waited_for_the_database_put_off_the_next_ones_no_longer_than_others(
    passes: Passes, away_during: Level
) -> None:
    """An outage is no work: what came in meanwhile is counted soon after it, not after ten outages more."""
    outage_s = [0.4]

    def recompute(level: Level, slices: Collection[int]) -> None:
        if level is away_during and outage_s:
            time.sleep(outage_s.pop())
        passes(level, slices)

    pace = Pace(
        share=0.01, shortest_pause_s=0.001, roll_interval_s=0.01, longest_pause_s=0.05, longest_roll_pause_s=0.05
    )
    windows = Windows(recompute, pace, hurried=lambda: False)
    task = asyncio.create_task(windows.run())
    acknowledged: list[int] = []
    windows.add(Stored(frozenset({MINUTE}), 1, lambda: acknowledged.append(1)))
    await asyncio.sleep(0.1)
    windows.add(Stored(frozenset({MINUTE}), 100, lambda: acknowledged.append(2)))
    await until(lambda: acknowledged == [1, 2], timeout_s=2.0)
    task.cancel()


async def test_many_dirty_slices_are_recomputed_in_pieces(passes: Passes) -> None:
    windows = Windows(passes, QUICK, hurried=lambda: False)
    task = asyncio.create_task(windows.run())
    acknowledged: list[int] = []
    windows.add(Stored(frozenset(MINUTE + 60 * n for n in range(1201)), 1201, lambda: acknowledged.append(1)))
    await until(lambda: acknowledged)
    task.cancel()
    assert [len(slices) for level, slices in passes.done if level == "minute"] == [250, 250, 250, 250, 201]


async def test_it_says_when_too_much_waits(passes: Passes) -> None:
    windows = Windows(passes, Pace(max_held_rows=10), hurried=lambda: False)
    windows.add(Stored(frozenset({MINUTE}), 11, lambda: None))
    assert windows.full


def test_days_are_those_of_paris() -> None:
    """The hour that begins at 23:00 UTC belongs to the next day in Paris, in winter and in summer."""
    winter, summer = datetime(2026, 1, 20, 23, tzinfo=UTC), datetime(2026, 7, 20, 22, tzinfo=UTC)
    days = days_of([int(winter.timestamp()), int(summer.timestamp())])
    assert days == {(day - date(1970, 1, 1)).days for day in (date(2026, 1, 21), date(2026, 7, 21))}
