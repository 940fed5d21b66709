"""The full path against a backlog: fetch, decode, validate, enrich, pseudonyms, inserts and windows, one worker.

    python bench/backlog.py [--events 1000000] [--broker jvm] [--report bench/results.json]

The events lie in Kafka before the worker starts. CPU is that of the worker and of the database, from the first stored
event until everything is committed; the broker and the producer are left out. Events are about 350 bytes, of 20 000
accounts with three records a session, spread over eight hours, 1 % of them invalid. Absolute rates depend on the
machine: compare ratios, made by one run.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
from confluent_kafka import Producer

from sinks.clickhouse.store import ClickHouseStore
from streams.demo.scene import DATABASE, EVENT_PARTITIONS, Place, Scene
from streams.directory.folder import read_directory_folder
from streams.directory.loading import load_directory
from streams.simulator.mulhouse import EXAMPLE
from streams.topics import APP_VISIT, LOGIN, NOTIFICATION

_POOL = 60_000
_ACCOUNTS = 20_000
_VISITS = 3
"""Records of one session, on average: a login and what is opened after it."""
_SPAN = timedelta(hours=8)
_APPS = ("blog", "messagerie", "cahier_textes", "mediatheque", "questionnaires", "calendrier")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def events(count: int, seed: int = 5) -> Iterator[tuple[str, int, bytes, int]]:
    """(topic, partition, value, arrival in ms) of `count` events, every hundredth invalid."""
    draw = random.Random(seed)
    accounts = _accounts(draw)
    pool = [_template(draw, n, draw.choice(accounts)) for n in range(_POOL)]
    begin = datetime.now(UTC) - _SPAN
    step = _SPAN / count
    for n in range(count):
        topic, value = pool[n % _POOL]
        if n % 1000 == 0:
            moment = begin + n * step
            stamp, moment_ms = moment.strftime("%Y-%m-%dT%H:%M:%S").encode(), int(moment.timestamp() * 1000)
        value = value.replace(b"@ID-----", b"%08x" % n, 1).replace(b"@TIME", stamp, 1)
        yield topic, n % EVENT_PARTITIONS, value, moment_ms


@dataclass(frozen=True)
class _Account:
    """Somebody of a class, as its platform names him or her."""

    user: str
    profile: str
    uai: str
    class_id: str


def _accounts(draw: random.Random) -> list[_Account]:
    """As many as a city of 9 000 pupils has, with their parents and teachers."""
    classes = read_directory_folder(EXAMPLE).rows.classes.select("uai", "class_id").rows()
    profiles = draw.choices(("eleve", "parent", "enseignant"), (9, 10, 1), k=_ACCOUNTS)
    return [
        _Account(f"usr-{n:09d}-{draw.getrandbits(32):08x}", profile, *draw.choice(classes))
        for n, profile in enumerate(profiles)
    ]


def _template(draw: random.Random, n: int, account: _Account) -> tuple[str, bytes]:
    kind = draw.choices(("login", "app_visit", "notification"), (3, 6, 1))[0]
    data: dict[str, Any] = {"uai": [account.uai], "classes": [account.class_id], "channel": "web"}
    data["device"] = "ordinateur"
    if kind == "notification":
        data |= {"app": draw.choice(_APPS), "kind": "SHARE", "sender_profile": "enseignant", "recipient_count": 20}
    else:
        session = random.Random(f"{account.user} {n // (_ACCOUNTS * _VISITS)}").getrandbits(96)
        data |= {"profile": account.profile, "user": account.user, "session": f"{session:024x}"}
    if kind == "app_visit":
        data |= {"app": draw.choice(_APPS), "app_kind": "NATIF"}
    if n % 100 == 0:
        data["uai"] = "not a list"
    envelope = {"specversion": "1.0", "id": f"@ID------{draw.getrandbits(64):016x}", "source": "urn:ent:bench"}
    envelope |= {"type": f"fr.ent.{kind}.v1", "time": f"@TIME.{draw.randrange(1000):03d}Z"}
    topic = {"login": LOGIN, "app_visit": APP_VISIT, "notification": NOTIFICATION}[kind]
    return topic, json.dumps(envelope | {"data": data}, separators=(",", ":")).encode()


def produce(bootstrap: str, count: int) -> int:
    """Fill the topics; the bytes of all values."""
    producer = Producer(
        {"bootstrap.servers": bootstrap, "compression.type": "lz4", "linger.ms": 20, "batch.size": 1_000_000,
         "queue.buffering.max.messages": 1_000_000}
    )  # fmt: skip
    size = 0
    for n, (topic, partition, value, moment_ms) in enumerate(events(count)):
        size += len(value)
        while True:
            try:
                producer.produce(topic, value, partition=partition, timestamp=moment_ms)
                break
            except BufferError:
                producer.poll(0.05)
        if n % 10_000 == 0:
            producer.poll(0)
            _show(f"produced {n} of {count}")
    producer.flush()
    return size


def run(folder: Path, count: int, *, jvm: bool = True, workers: int = 1, profile: Path | None = None) -> dict[str, Any]:
    """Fill a broker that keeps its files in `folder`, and what came of `count` events."""
    with Scene(Place(folder), jvm=jvm) as scene:
        worker = scene.start_worker()
        load_directory(EXAMPLE, scene.bootstrap, api_version=scene.api_version)
        scene.wait_for_directory()
        worker.stop()
        size = produce(scene.bootstrap, count)
        return {"bytes_per_event": round(size / count)} | measure(scene, count, workers, profile)


def measure(scene: Scene, count: int, workers: int, profile: Path | None) -> dict[str, Any]:
    """Start workers on the backlog and follow them to the end."""
    store = ClickHouseStore(scene.client, DATABASE)
    committed = scene.committed()
    before = committed.total()
    group = [psutil.Process(scene.start_worker().pid)]
    database = psutil.Process(scene.database.pid)
    start_s, first = time.monotonic(), (_cpu_s(group[0]), _cpu_s(database))
    group += [psutil.Process(scene.start_further_worker().pid) for _ in range(workers - 1)]
    spy = _spy(group[0].pid, profile) if profile else None
    peak = max(worker.memory_info().rss for worker in group)
    while (done := committed.total() - before) < count:
        scene.worker.check()
        peak = max(peak, *(worker.memory_info().rss for worker in group))
        _show(f"{done} of {count} committed")
        time.sleep(0.2)
    wall_s = time.monotonic() - start_s
    worker_s, database_s = sum(map(_cpu_s, group)) - first[0], _cpu_s(database) - first[1]
    if spy:
        spy.wait()
    lines = store.ledger()
    return {
        "events": count,
        "workers": workers,
        "wall_s": round(wall_s, 2),
        "events_per_s": round(count / wall_s),
        "events_per_worker_cpu_s": round(count / worker_s),
        "events_per_cpu_s_with_database": round(count / (worker_s + database_s)),
        "worker_rss_peak_mb": round(peak / 1e6),
        "database_rss_mb": round(database.memory_info().rss / 1e6),
        "ledger_closes": all(line.closes for line in lines),
        "stored": sum(line.stored for line in lines),
        "rejected": sum(line.rejected for line in lines),
    }


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _spy(pid: int, output: Path) -> psutil.Popen:
    return psutil.Popen(["py-spy", "record", "-p", str(pid), "-d", "20", "-f", "raw", "-o", str(output), "-r", "200"])


def _show(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{text:<60}")


def main() -> int:
    """Run and tell; exit 1 where a figure of the core promise is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--broker", choices=["jvm", "embedded"], default="jvm", help="embedded: 200 000 events at most")
    parser.add_argument("--report", type=Path)
    parser.add_argument("--profile", type=Path, help="where py-spy, if installed, writes 20 s of stacks")
    parser.add_argument("--workers", type=int, default=1, help="of one group; the start of further ones is counted")
    options = parser.parse_args()
    jvm = options.broker == "jvm"
    with tempfile.TemporaryDirectory(prefix="ent-bench-") as folder:
        found = run(Path(folder), options.events, jvm=jvm, workers=options.workers, profile=options.profile)
    machine = {"cores": psutil.cpu_count(), "processor": platform.processor() or platform.machine()}
    found = {"command": " ".join(sys.argv), **machine, **found}
    for name, value in found.items():
        print(f"{name:<34} {value}")
    if options.report:
        options.report.write_text(json.dumps(found, indent=2) + "\n")
    return 0 if found["ledger_closes"] else 1


if __name__ == "__main__":
    sys.exit(main())
