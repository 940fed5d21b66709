"""The broker goes away and comes back: a worker waits, goes on where it was, and can be stopped meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.brokers import EmbeddedBroker
from streams.transport.app import EX_TEMPFAIL
from tests.integration.brokers import Embedded, LiveBroker
from tests.integration.transport.rig import build, produce, settled, until

PER_RECORD_S = 0.0005
SHORT_S = 0.5
SESSION_S = 2.0
LONGER_THAN_THE_SESSION_S = 2.5


@pytest.mark.parametrize("away_s", [SHORT_S, LONGER_THAN_THE_SESSION_S])
async def test_reading_goes_on_after_an_outage(broker: LiveBroker, name: str, away_s: float) -> None:
    """Down under load, for less and for more than the session: nothing is lost, and commits go on to the end."""
    broker.create_topic(name, 4)
    produce(broker, name, range(4000), partitions=4, per_batch=50)

    async def slowly(event: Any) -> None:
        await asyncio.sleep(len(event.value) * PER_RECORD_S)
        event.ack()

    app, received = build(broker, name, handle=slowly, consumer_max_fetch_size=2000, broker_session_timeout=SESSION_S)
    async with app:
        await until(lambda: len(received) > 500)
        outage = broker.outage()
        await asyncio.to_thread(outage.__enter__)
        assert len(received) < 4000
        await asyncio.sleep(away_s)
        await asyncio.to_thread(outage.__exit__, None, None, None)
        await until(lambda: len(set(received.numbers())) == 4000, timeout_s=40)
        want: dict[int, int | None] = dict.fromkeys(range(4), 1000)
        assert await settled(broker, name, name, want, timeout_s=20) == want
        assert app.counts.records_expired == app.counts.truncations == 0


@pytest.fixture
def lonely() -> Iterator[LiveBroker]:
    """An embedded broker of one's own, to take down for good."""
    broker = Embedded()
    yield broker
    broker.stop()


@pytest.fixture
def worker(lonely: LiveBroker) -> Iterator[subprocess.Popen[str]]:
    """A worker process whose stop deadline is 2 s, reading; its broker is `lonely`."""
    lonely.create_topic("outage", 1)
    produce(lonely, "outage", range(100))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.transport.stubborn_worker", lonely.bootstrap, "outage"],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert process.stdout is not None
    assert process.stdout.readline().endswith("reading\n")  # Faust writes a cursor command before it
    yield process
    process.kill()
    process.communicate()


def test_a_stop_during_an_outage_ends_the_process_at_its_deadline(
    lonely: LiveBroker, worker: subprocess.Popen[str]
) -> None:
    """A stock worker would wait for the broker for ever; ours leaves with EX_TEMPFAIL and commits nothing."""
    outage = lonely.outage()
    outage.__enter__()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(10) == EX_TEMPFAIL
    outage.__exit__(None, None, None)
    assert (lonely.committed("outage", "outage", 1)[0] or 0) == 0


def test_a_worker_stops_in_order_while_the_broker_is_there(worker: subprocess.Popen[str]) -> None:
    """The deadline is for outages only: the same process, asked the same way, ends with 0."""
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(10) == 0


def test_the_embedded_broker_leaves_neither_a_thread_nor_a_port() -> None:
    """After its stop the process is as it was before."""
    import psutil

    process = psutil.Process()
    before = process.num_threads(), len(process.net_connections(kind="inet"))
    with EmbeddedBroker() as broker:
        broker.create_topic("t", 1)
        assert process.num_threads() > before[0]
    assert (process.num_threads(), len(process.net_connections(kind="inet"))) == before
