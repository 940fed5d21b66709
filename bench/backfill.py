"""Live freshness while a backfill runs at full speed: two workers, one database, one machine.

    python bench/backfill.py [--events 300000] [--rate 200] [--broker jvm] [--report FILE]

Live events are produced at a steady rate, first alone and then while `ent backfill` sends a year of history through its
own lane. Freshness is from the broker's confirmation to the moment a query of minutes counts the event. Absolute times
depend on the machine and on what else it does: the run without the backfill is the measure of it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import psutil

from sinks.clickhouse.store import ClickHouseStore
from streams.demo.freshness import FreshnessProbe, percentile
from streams.demo.scene import DATABASE, Place, Scene
from streams.directory.folder import read_directory_folder
from streams.directory.loading import load_directory
from streams.producer import open_producer
from streams.simulator.mulhouse import EXAMPLE
from streams.topics import LOGIN, Lane

_ALONE_S = 20.0
_DAYS = 300
_A_SECOND = 100 / 60
_TICK_S = 0.1
_LIVE_SCHOOL = "0689901T"


def login(identifier: str, at: datetime, uai: str, user: int) -> bytes:
    """One canonical login."""
    data = {"uai": [uai], "profile": "eleve", "user": f"usr-{user:06d}", "channel": "web"}
    envelope = {"specversion": "1.0", "id": identifier, "source": "urn:ent:bench", "type": "fr.ent.login.v1"}
    return json.dumps(envelope | {"time": at.isoformat(), "data": data}, separators=(",", ":")).encode()


def write_history(path: Path, count: int) -> None:
    """A file of `count` events over most of a year, about a hundred a minute, as a city has them."""
    schools = read_directory_folder(EXAMPLE).rows.schools["uai"].unique().sort().to_list()
    begin = datetime.now(UTC).replace(hour=7, minute=0, second=0, microsecond=0) - timedelta(days=_DAYS)
    of_a_day = max(count // _DAYS, 1)
    with path.open("wb") as stream:
        for n in range(count):
            at = begin + timedelta(days=n // of_a_day, seconds=(n % of_a_day) / _A_SECOND)
            stream.write(login(f"h-{n}", at, schools[n % len(schools)], n % 9_000) + b"\n")


class Live:
    """Produces events of now at a steady rate, and looks how soon they are counted."""

    def __init__(self, scene: Scene, rate: float) -> None:
        self._scene, self._rate = scene, rate
        self._stop = threading.Event()
        self._source = f"live-{time.monotonic_ns()}"
        since = datetime.now(UTC).replace(second=0, microsecond=0)
        sql = (
            f"SELECT sum(events) FROM {DATABASE}.v_usage_by_minute WHERE type = 'login' AND "
            f"slice >= toDateTime({int(since.timestamp())}, 'UTC')"
        )
        before = int(scene.client.query_rows(sql)[0][0])
        self._probe = FreshnessProbe(lambda: int(scene.client.query_rows(sql)[0][0]) - before)
        self._thread = threading.Thread(target=self._produce, daemon=True)

    def __enter__(self) -> Self:
        self._probe.start()
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()
        time.sleep(5.0)
        self.ages_s = self._probe.stop()

    def _produce(self) -> None:
        sent = 0
        start_s = time.monotonic()
        with open_producer(self._scene.bootstrap, linger_ms=5, api_version=self._scene.api_version) as producer:
            while not self._stop.wait(_TICK_S):
                due = int((time.monotonic() - start_s) * self._rate)
                for n in range(sent, due):
                    value = login(f"{self._source}-{n}", datetime.now(UTC), _LIVE_SCHOOL, n % 500)
                    producer.send(LOGIN, value, partition=n % 4)
                producer.flush()
                sent = due
                self._probe.produced(sent)


def measure(scene: Scene, path: Path, count: int, rate: float) -> dict[str, Any]:
    """Live alone, then beside the backfill."""
    with Live(scene, rate) as alone:
        time.sleep(_ALONE_S)
    worker = scene.start_backfill_worker()
    process, database = psutil.Process(worker.pid), psutil.Process(scene.database.pid)
    first = (_cpu_s(process), _cpu_s(database))
    position = scene.committed(Lane.BACKFILL)
    start_s = time.monotonic()
    with Live(scene, rate) as beside:
        environment = {**os.environ, **scene.environment()}
        subprocess.run([sys.executable, "-m", "streams", "backfill", str(path)], env=environment, check=True)
        while position.behind(count) > 0:
            worker.check()
            time.sleep(0.2)
        wall_s = time.monotonic() - start_s
        spent = (_cpu_s(process) - first[0], _cpu_s(database) - first[1])
    position.close()
    found = {"live_events_per_s": rate, "backfill_events": count, "backfill_wall_s": round(wall_s, 1)}
    for name, ages_s in (("alone", alone.ages_s), ("beside", beside.ages_s)):
        found[f"live_{name}_p50_s"] = _rounded(percentile(ages_s, 0.5))
        found[f"live_{name}_p95_s"] = _rounded(percentile(ages_s, 0.95))
    return found | {
        "backfill_worker_cpu_s": round(spent[0], 1),
        "database_cpu_s": round(spent[1], 1),
        "ledger_closes": all(line.closes for line in ClickHouseStore(scene.client, DATABASE).ledger()),
    }


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def main() -> int:
    """Run and tell; exit 1 where live events were later than promised or the ledger does not close."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--rate", type=float, default=200.0, help="live events a second")
    parser.add_argument("--broker", choices=["jvm", "embedded"], default="jvm")
    parser.add_argument("--report", type=Path)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="ent-bench-") as folder,
        Scene(Place(Path(folder)), jvm=options.broker == "jvm") as scene,
    ):
        scene.start_worker()
        load_directory(EXAMPLE, scene.bootstrap, api_version=scene.api_version)
        scene.wait_for_directory()
        history = Path(folder) / "history.ndjson"
        write_history(history, options.events)
        found = measure(scene, history, options.events, options.rate)
    found["load_average"] = round(os.getloadavg()[0], 1)
    for name, value in found.items():
        print(f"{name:<24} {value}")
    if options.report:
        options.report.write_text(json.dumps(found, indent=2) + "\n")
    return 0 if found["ledger_closes"] and found["live_beside_p95_s"] <= 2.0 else 1


if __name__ == "__main__":
    sys.exit(main())
