"""The harness can fail: each mutant of the worker is caught, and the worker itself is not."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sinks.clickhouse.embedded.process import EmbeddedDatabase
from streams.chaos.proxy import PASS, Statement, Treatment
from streams.chaos.verification import Findings, GroundTruth
from streams.simulator.mulhouse import EXAMPLE
from tests.integration.chaos.rig import PATIENCE_S, Scenario, scenario

MEMORY_LIMIT_EXCEEDED = 241

pytestmark = pytest.mark.timeout(240)


# ---- killed between the store and the windows --------------------------------------------------------------------


def hold(play: Scenario, *tables: str) -> threading.Event:
    """Inserts into tables whose names contain one of `tables` wait until the event is set, and are then lost."""
    released = threading.Event()
    held = Treatment(hold_while=lambda: not released.is_set())

    def judge(statement: Statement) -> Treatment:
        into = statement.inserts_into or ""
        return held if not released.is_set() and any(table in into for table in tables) else PASS

    play.desk.proxies[0].judge = judge
    return released


def commits_while_held(play: Scenario, *tables: str) -> Findings:
    """What is committed too early while the inserts into `tables` hang."""
    released = hold(play, *tables)
    play.desk.put_in_force(EXAMPLE)
    play.desk.workers[0].start()
    play.produce(play.records)
    play.wait(lambda: any(play.committed().values()), "something is committed")
    found = play.commits_ahead()
    released.set()
    return found


def test_an_early_acknowledgement_is_caught(tmp_path: Path, database: EmbeddedDatabase) -> None:
    with scenario(tmp_path, database, mutant="acknowledge_early") as play:
        assert commits_while_held(play, "usage_by").wrong_cells


def test_a_commit_ahead_of_the_store_is_caught(tmp_path: Path, database: EmbeddedDatabase) -> None:
    with scenario(tmp_path, database, mutant="commit_ahead") as play:
        assert commits_while_held(play, "events").lost


def test_a_worker_killed_between_store_and_windows_commits_nothing_and_loses_nothing(
    tmp_path: Path, database: EmbeddedDatabase
) -> None:
    with scenario(tmp_path, database) as play:
        released = hold(play, "usage_by")
        play.desk.put_in_force(EXAMPLE)
        worker = play.desk.workers[0]
        worker.start()
        play.produce(play.records)
        stored = f"SELECT count() FROM {play.desk.name}.events FINAL"
        accepted = play.truth.counts()["accepted"]
        play.wait(lambda: play.client.query_rows(stored) == [(accepted,)], "all is stored")
        assert not any(play.committed().values())
        worker.kill()
        released.set()
        worker.start()
        play.wait_until_committed()
        assert play.verify() == Findings()


# ---- the same records twice, under a corrected directory, with a refusal in between --------------------------------


class Twice:
    """The truth of records that were sent twice."""

    def __init__(self, once: GroundTruth) -> None:
        self.cells = once.cells
        self._once = once

    def counts(self) -> Mapping[str, Any]:
        once = self._once.counts()
        return {
            **once,
            "produced": 2 * once["produced"],
            "duplicates": 2 * once["duplicates"] + once["accepted"],
            "rejected": {reason: 2 * count for reason, count in once["rejected"].items()},
            "dropped": {reason: 2 * count for reason, count in once["dropped"].items()},
        }


def play_twice(play: Scenario) -> Findings:
    """Without a directory every school is unknown; with it, the same events move to other cells."""
    play.client.command(f"SYSTEM STOP MERGES {play.desk.name}.events")  # a merge would hide rows that were sent twice
    refused: list[Statement] = []

    def refuse_once(statement: Statement) -> Treatment:
        if statement.inserts_into == "events" and not refused:
            refused.append(statement)
            return Treatment(refusal_code=MEMORY_LIMIT_EXCEEDED)
        return PASS

    play.desk.proxies[0].judge = refuse_once
    worker = play.desk.workers[0]
    worker.start()
    play.produce(play.records)
    play.wait_until_committed()
    worker.terminate()
    assert refused
    play.desk.put_in_force(EXAMPLE)
    worker.start()
    play.produce(play.records)
    play.wait_until_committed()
    return play.verify(Twice(play.truth))


def test_what_is_refused_repeated_and_corrected_is_right(tmp_path: Path, database: EmbeddedDatabase) -> None:
    with scenario(tmp_path, database) as play:
        assert play_twice(play) == Findings()


def test_cells_that_are_not_set_to_zero_are_caught(tmp_path: Path, database: EmbeddedDatabase) -> None:
    with scenario(tmp_path, database, mutant="write_no_zeros") as play:
        assert play_twice(play).wrong_cells


def test_passes_that_count_replaced_rows_are_caught(tmp_path: Path, database: EmbeddedDatabase) -> None:
    with scenario(tmp_path, database, mutant="read_without_final") as play:
        assert play_twice(play).wrong_cells


def test_a_refused_insert_that_counts_as_done_is_caught(tmp_path: Path, database: EmbeddedDatabase) -> None:
    with scenario(tmp_path, database, mutant="swallow_refusals") as play:
        assert play_twice(play).lost


# ---- two workers on the same minutes ---------------------------------------------------------------------------------


def overtake(play: Scenario) -> Findings:
    """A pass over minutes reads half of the events, is overtaken by the other worker's, and writes after it."""
    reading, overtaken = threading.Event(), threading.Event()
    lock = threading.Lock()

    def wait() -> None:
        assert overtaken.wait(PATIENCE_S)

    def slow_the_first(statement: Statement) -> Treatment:
        with lock:
            if statement.inserts_into == "usage_by_minute" and not reading.is_set():
                reading.set()
                return Treatment(between=wait)
        return PASS

    play.desk.put_in_force(EXAMPLE)
    for worker in play.desk.workers:
        worker.start()
    play.wait(lambda: all(worker.ready for worker in play.desk.workers), "both have partitions")
    for proxy in play.desk.proxies:
        proxy.judge = slow_the_first
    play.produce(play.records[::2], partition=0)
    play.wait(reading.is_set, "a pass has read")
    play.produce(play.records[1::2], partition=1)
    play.wait_until_committed(partition=1)
    overtaken.set()
    play.wait_until_committed()
    return play.verify()


def test_a_pass_that_was_overtaken_undoes_nothing(tmp_path: Path, database: EmbeddedDatabase) -> None:
    with scenario(tmp_path, database, workers=2) as play:
        assert overtake(play) == Findings()


def test_passes_without_an_order_are_caught(tmp_path: Path, database: EmbeddedDatabase) -> None:
    with scenario(tmp_path, database, workers=2, mutant="use_constant_version") as play:
        assert overtake(play).wrong_cells
