"""A worker whose database is away: when it starts, while it reads, and when it is asked to stop."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from sinks.clickhouse.embedded.process import EmbeddedDatabase
from streams.chaos.verification import Findings
from streams.simulator.mulhouse import EXAMPLE
from streams.transport.app import EX_TEMPFAIL
from tests.integration.chaos.rig import Scenario, scenario

pytestmark = pytest.mark.timeout(240)

GONE_WITHIN_S = 10.0
MOST_MEMORY_MB = 600
AWAY_S = 8.0


@pytest.fixture
def play(tmp_path: Path, database: EmbeddedDatabase) -> Iterator[Scenario]:
    with scenario(tmp_path, database) as played:
        played.desk.put_in_force(EXAMPLE)
        yield played


def test_it_drains_commits_and_is_gone_within_ten_seconds(play: Scenario) -> None:
    worker = play.desk.workers[0]
    worker.start()
    play.wait(lambda: worker.ready, "it has partitions")
    play.produce(play.records)
    play.wait(lambda: any(play.committed().values()), "it is at work")
    gone_s = worker.terminate()
    assert gone_s is not None
    assert gone_s < GONE_WITHIN_S
    assert worker.exit_status == 0
    assert play.commits_ahead() == Findings()
    worker.start()
    play.wait_until_committed()
    assert play.verify() == Findings()


def test_it_is_gone_within_ten_seconds_while_the_database_is_away(play: Scenario) -> None:
    """What it held is not acknowledged, and the next worker reads it again."""
    worker, proxy = play.desk.workers[0], play.desk.proxies[0]
    worker.start()
    play.wait(lambda: worker.ready, "it has partitions")
    proxy.refuse_connections()
    play.produce(play.records)
    play.wait(lambda: "store_unavailable" in worker.log.read_text(), "it waits for the database")
    gone_s = worker.terminate()
    assert gone_s is not None
    assert gone_s < GONE_WITHIN_S
    assert not any(play.committed().values())
    proxy.accept_connections()
    worker.start()
    play.wait_until_committed()
    assert play.verify() == Findings()


def test_a_second_signal_ends_it_at_once(play: Scenario) -> None:
    worker, proxy = play.desk.workers[0], play.desk.proxies[0]
    worker.start()
    play.wait(lambda: worker.ready, "it has partitions")
    proxy.refuse_connections()
    play.produce(play.records)
    play.wait(lambda: "store_unavailable" in worker.log.read_text(), "it waits for the database")
    os.kill(worker.pid, signal.SIGTERM)
    time.sleep(0.5)
    assert worker.running
    gone_s = worker.terminate()
    assert gone_s is not None
    assert gone_s < 2
    assert worker.exit_status == EX_TEMPFAIL


def test_one_that_starts_while_the_database_is_away_still_knows_the_directory(play: Scenario) -> None:
    """It reads no event before it knows which directory is in force: else all of them would be unmapped."""
    worker, proxy = play.desk.workers[0], play.desk.proxies[0]
    play.produce(play.records)
    proxy.refuse_connections()
    worker.start()
    play.wait(lambda: "store_unavailable" in worker.log.read_text(), "it waits for the database")
    proxy.accept_connections()
    play.wait_until_committed()
    assert play.verify() == Findings()


def test_an_outage_costs_neither_a_record_nor_memory(tmp_path: Path, database: EmbeddedDatabase) -> None:
    """Records come in all the time, and the worker catches up without help. `ent chaos --away` does it for longer."""
    with scenario(tmp_path, database, records=20_000) as play:
        play.desk.put_in_force(EXAMPLE)
        worker, proxy = play.desk.workers[0], play.desk.proxies[0]
        worker.start()
        play.wait(lambda: worker.ready, "it has partitions")
        proxy.refuse_connections()
        play.produce(play.records)
        peak_mb, end_s = 0.0, time.monotonic() + AWAY_S
        while time.monotonic() < end_s:
            peak_mb = max(peak_mb, psutil.Process(worker.pid).memory_info().rss / 1e6)
            time.sleep(0.2)
        assert not any(play.committed().values())
        pid = worker.pid
        proxy.accept_connections()
        play.wait_until_committed()
        assert worker.pid == pid
        assert peak_mb < MOST_MEMORY_MB
        assert play.verify() == Findings()
