"""What the consumer makes of a log that went back, without a broker."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError
from faust.types import TP

from streams.batch import Batch
from streams.transport import BatchApp, TransportSettings
from streams.transport.positions import Partition

PARTITION = TP("t", 0)


class Listening(BatchApp):
    """Remembers which partitions it was told of."""

    def __init__(self, *args: Any, **conf: Any) -> None:
        super().__init__(*args, **conf)
        self.told: list[TP] = []
        self.assignments = 0

    async def on_truncated(self, tp: TP) -> None:
        self.told.append(tp)

    async def on_assigned(self) -> None:
        self.assignments += 1


class Log:
    """A log from `start` to `end`, in place of the broker's."""

    def __init__(self, app: BatchApp, monkeypatch: pytest.MonkeyPatch, start: int, end: int) -> None:
        async def earliest(*tps: TP) -> Mapping[TP, int]:
            return dict.fromkeys(tps, start)

        monkeypatch.setattr(app.batch_consumer, "highwater", lambda _tp: end)
        monkeypatch.setattr(app.batch_consumer, "earliest_offsets", earliest)


def batch(base: int, next_offset: int) -> Batch:
    count = next_offset - base
    return Batch("t", 0, base, next_offset, [b"v"] * count, [None] * count, [0] * count, first=base)


@pytest.fixture
async def app() -> Listening:
    """Offset 100 of its partition is expected next."""
    app = Listening("g", bootstrap="127.0.0.1:1")
    app.batch_topic("t")
    app.batch_consumer._partitions[PARTITION] = Partition(expected=100, watermark=100, committed=100)
    return app


async def test_a_log_that_began_again_and_outgrew_the_position_is_read_from_its_start(
    app: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the broker's refusal of offset 100 and the next fetch the new log grew to 150: nothing may be skipped."""
    Log(app, monkeypatch, start=0, end=150)
    fetched = batch(0, 120)
    assert await app.batch_consumer._continues(PARTITION, fetched)
    assert (len(fetched), app.counts.truncations, app.told) == (120, 1, [PARTITION])
    assert app.batch_consumer._partitions[PARTITION].judge(0, 150).name == "CONTINUES"


async def test_records_delivered_already_are_cut_off(app: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    """The position went back inside the same log."""
    Log(app, monkeypatch, start=0, end=150)
    fetched = batch(50, 120)
    assert await app.batch_consumer._continues(PARTITION, fetched)
    assert (fetched.base, len(fetched), app.told) == (100, 20, [])
    assert not await app.batch_consumer._continues(PARTITION, batch(50, 90))


async def test_a_jump_is_expired_only_where_the_log_begins_behind_it(
    app: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second jump from the same offset is a hole only if the broker says that the records are gone."""
    sought: list[int] = []

    async def seek_wait(positions: Mapping[TP, int]) -> None:
        sought.extend(positions.values())

    monkeypatch.setattr(app.batch_consumer, "seek_wait", seek_wait)
    Log(app, monkeypatch, start=0, end=500)
    for _ in range(3):
        assert not await app.batch_consumer._continues(PARTITION, batch(200, 300))
    assert sought == [100, 100, 100]
    Log(app, monkeypatch, start=200, end=500)
    fetched = batch(200, 300)
    assert await app.batch_consumer._continues(PARTITION, fetched)
    assert (fetched.expired, app.counts.records_expired, app.counts.seeks_back) == ((100, 200), 100, 3)


async def test_where_the_broker_does_not_say_where_the_log_begins_the_position_is_sought_again(
    app: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a restart nor a repetition is assumed without an answer."""
    sought: list[int] = []

    async def seek_wait(positions: Mapping[TP, int]) -> None:
        sought.extend(positions.values())

    async def no_answer(*_tps: TP) -> Mapping[TP, int]:
        raise KafkaTimeoutError

    Log(app, monkeypatch, start=0, end=500)
    monkeypatch.setattr(app.batch_consumer, "seek_wait", seek_wait)
    monkeypatch.setattr(app.batch_consumer, "earliest_offsets", no_answer)
    assert not await app.batch_consumer._continues(PARTITION, batch(0, 120))
    assert (sought, app.told) == ([100], [])


async def test_a_commit_that_hangs_does_not_hold_the_drain(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker is away: Faust's commit waits for it and swallows its cancellation; the drain ends all the same."""
    settings = TransportSettings(drain_timeout_s=0.2)
    app = BatchApp("g", bootstrap="127.0.0.1:1", batch_settings=settings)
    released = asyncio.Event()

    async def hang(**_options: Any) -> bool:
        while not released.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await released.wait()
        return False

    monkeypatch.setattr(app.batch_consumer, "commit", hang)
    begin = time.monotonic()
    await app.batch_consumer.wait_empty()
    assert 0.2 <= time.monotonic() - begin < 2
    released.set()


async def test_batches_of_the_old_log_are_done_before_the_first_of_the_new_one(
    app: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The app hears of the new log only when nothing of the old one is on its way any more."""
    Log(app, monkeypatch, start=0, end=30)
    old = app.batch_consumer._partitions[PARTITION].deliver(100, 110)
    heard: list[bool] = []

    async def hear(_tp: TP) -> None:
        heard.append(old.done)

    async def acknowledge(_seconds: float) -> None:
        old.done = True

    monkeypatch.setattr(app, "on_truncated", hear)
    monkeypatch.setattr("streams.transport.consumer.asyncio.sleep", acknowledge)
    assert await app.batch_consumer._continues(PARTITION, batch(0, 30))
    assert heard == [True]


@pytest.mark.parametrize(("committed", "told"), [(None, [PARTITION]), (40, [PARTITION]), (100, []), (130, [])])
async def test_a_commit_that_went_back_says_that_the_log_began_again(
    app: Listening, monkeypatch: pytest.MonkeyPatch, committed: int | None, told: list[TP]
) -> None:
    """Kafka drops a group's commits with the topic: after a rebalance that is the only trace of a new log."""
    consumer = app.batch_consumer
    consumer._committed_before[PARTITION] = 100

    async def seek_to_committed() -> Mapping[TP, int | None]:
        return {PARTITION: committed}

    async def seek_to_beginning(*_tps: TP) -> None:
        """Nothing to move here."""

    monkeypatch.setattr(consumer, "seek_to_committed", seek_to_committed)
    monkeypatch.setattr(consumer, "assignment", lambda: {PARTITION})
    monkeypatch.setattr(consumer._thread, "seek_to_beginning", seek_to_beginning)
    await consumer.perform_seek()
    assert app.told == told
    assert app.assignments == 1
    assert consumer._partitions[PARTITION].expected == committed
