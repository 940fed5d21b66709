"""The demonstration as a person runs it: exact under faults, started again on its files, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from sinks.clickhouse.client import connect
from sinks.clickhouse.embedded.process import EmbeddedDatabase
from sinks.clickhouse.store import ClickHouseStore
from tests.database import settings_of
from tests.requirements import need

REPORTED = {
    "produced",
    "consumed",
    "stored",
    "duplicates",
    "rejected",
    "dropped",
    "ledger_balanced",
    "events_per_second",
    "freshness_p50_s",
    "freshness_p95_s",
    "rss_mb",
    "windows_equal_truth",
}


def demo(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "streams", "demo", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ENT_")}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )


def run_for(seconds: float, report: Path, *more: str) -> dict[str, Any]:
    process = demo("--for", str(seconds), "--report", str(report), "--no-page", "--scale", "0.2", *more)
    try:
        told, errors = process.communicate(timeout=170)
    finally:
        _end(process)
    assert process.returncode == 0, f"{told[-2000:]}\n{errors[-2000:]}"
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.timeout(180)
def test_it_ends_by_itself_with_exact_figures_under_faults(tmp_path: Path) -> None:
    found = run_for(5, tmp_path / "report.json")
    assert set(found) >= REPORTED
    assert found["windows_equal_truth"], found["differences"]
    assert found["ledger_balanced"]
    assert found["produced"] == found["consumed"] > 20_000
    assert found["duplicates"] > 0
    assert len(found["rejected"]) > 5
    assert found["dropped"]["ignored_type"] > 0
    outcomes = found["stored"] + found["duplicates"] + sum(found["rejected"].values()) + sum(found["dropped"].values())
    assert outcomes == found["consumed"]
    assert 0 < found["freshness_p50_s"] <= found["freshness_p95_s"]


@pytest.mark.jvm
@pytest.mark.timeout(240)
def test_it_does_the_same_on_a_real_kafka(tmp_path: Path) -> None:
    need("jvm")
    found = run_for(2, tmp_path / "report.json", "--broker", "jvm")
    assert found["windows_equal_truth"], found["differences"]
    assert found["ledger_balanced"]


@pytest.mark.timeout(240)
def test_started_twice_on_the_same_files_the_ledger_is_right_and_nothing_is_left(tmp_path: Path) -> None:
    """Each start is another incarnation of the log in memory; what it sends again is told as duplicates."""
    folder = tmp_path / "demo"
    stored = []
    for _ in range(2):
        process = demo("--folder", str(folder), "--no-page", "--scale", "0.1", "--seed", "3")
        try:
            _wait_for_live(process)
            family = [process.pid, *(child.pid for child in psutil.Process(process.pid).children(recursive=True))]
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
            assert process.returncode == 0
            assert not [pid for pid in family if psutil.pid_exists(pid)]
        finally:
            _end(process)
        with EmbeddedDatabase(folder / "database") as database:
            lines = ClickHouseStore(connect(settings_of(database)), "ent").ledger()
        assert all(line.closes for line in lines)
        stored.append((len({line.incarnation for line in lines}), sum(line.stored for line in lines)))
    (first_logs, first), (second_logs, second) = stored
    assert second_logs == 2 * first_logs
    assert first <= second < first * 1.05
    assert sum(line.duplicate for line in lines) > 0


def _wait_for_live(process: subprocess.Popen[str]) -> None:
    """Return when the history is stored and live events flow."""
    assert process.stderr is not None
    end_s = time.monotonic() + 150
    for line in process.stderr:
        if line.startswith("history since"):
            time.sleep(1.5)
            return
        assert time.monotonic() < end_s, "the history took too long"
    pytest.fail("it ended before it went live")
