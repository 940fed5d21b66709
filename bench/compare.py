"""Our worker and what people would use instead: the same topic, the same job, the same run, interleaved rounds.

    python -m bench.compare [--rounds 3] [--only ent,confluent] [--job J1] [--write]

J1: decode, validate, enrich, minute windows. J2: the same, and every event into ClickHouse by HTTP. CPU is user and
system time of the system's own process, the broker and the database left out; net means after its first record. All
totals are checked. --write puts the table into docs/benchmarks.md and the figures into bench/results.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import psutil

from bench.peers.digest import Window, digest
from bench.systems import CEILINGS, SYSTEMS, System, classpath, environment_python
from bench.visits import PARTITIONS, Expected, classes_of, produce
from streams.demo.scene import DATABASE, Place, Scene
from streams.directory.folder import read_directory_folder
from streams.directory.loading import load_directory
from streams.group_position import GroupPosition
from streams.simulator.mulhouse import EXAMPLE
from streams.topics import APP_VISIT, Cleanup, Lane, TopicSpec, create_topics

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench/results.json"
TABLE = ROOT / "docs/benchmarks.md"
_LIMIT_S = 420
_SMALL = "bench.visits"
_SINK_TABLE = "bench.rows"
_SINK_COLUMNS = (
    "event_id String, event_time DateTime, uai LowCardinality(String), school LowCardinality(String), "
    "class_id LowCardinality(String), levels LowCardinality(String), profile LowCardinality(String), "
    "app LowCardinality(String), user String, session String, device LowCardinality(String)"
)


@dataclass(frozen=True)
class Run:
    """One run of one system."""

    name: str
    job: str
    records: int
    cpu_s: float
    start_cpu_s: float
    wall_s: float
    rss_mb: float
    totals_ok: bool


@dataclass
class Bench:
    """A broker, a database and the topics, and the systems that run against them one after the other."""

    scene: Scene
    folder: Path
    settings: dict[str, str]
    expected: dict[str, Expected] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)

    def prepare(self, records: int) -> None:
        """Fill the topics and load the directory."""
        directory = read_directory_folder(EXAMPLE)
        classes = classes_of(directory)
        (self.folder / "classes.json").write_text(json.dumps(classes))
        spec = TopicSpec(_SMALL, PARTITIONS, Cleanup.DELETE, timedelta(days=7))
        create_topics(self.scene.bootstrap, [spec])
        self.scene.start_worker()
        load_directory(EXAMPLE, self.scene.bootstrap)
        self.scene.wait_for_directory()
        self.scene.worker.stop()
        for topic, count in ((APP_VISIT, records), (_SMALL, records // 5)):
            _say(f"producing {count} records to {topic}")
            self.expected[topic] = produce(self.scene.bootstrap, topic, count, list(classes))
        self.scene.client.command("CREATE DATABASE IF NOT EXISTS bench")
        self.scene.client.command(
            f"CREATE TABLE {_SINK_TABLE} ({_SINK_COLUMNS}) ENGINE = MergeTree ORDER BY (event_time, uai)"
        )
        self.scene.client.command(f"CREATE TABLE bench.events AS {DATABASE}.events")

    def run(self, system: System, job: Literal["J1", "J2"]) -> None:
        """Run a system once and keep what it took."""
        expected = self.expected[_SMALL if system.slow else APP_VISIT]
        self.scene.client.command(f"TRUNCATE TABLE {_SINK_TABLE}")
        worker = system.name == "ent-telemetry" and job == "J2"
        found = self._worker(expected) if worker else self._process(system, job, expected)
        self.runs.append(found)
        rate = found.records / found.cpu_s
        _say(f"{job} {found.name:<34} {rate:>9.0f} events/CPU-s, totals {'equal' if found.totals_ok else 'WRONG'}")

    def _process(self, system: System, job: str, expected: Expected) -> Run:
        state = Path(tempfile.mkdtemp(dir=self.folder))
        output = state / "output"
        environment = {**os.environ, **self._environment(system, job, expected, state)}
        start_s = time.monotonic()
        with output.open("wb") as stream:
            process = subprocess.Popen(system.command(), env=environment, stdout=stream, stderr=stream, cwd=state)
            usage = _wait(process)
        wall_s = time.monotonic() - start_s
        result = _result(output.read_text(errors="replace"), system.name)
        stored = job == "J1" or system.kind == "ceiling" or self._stored() == expected.valid == result["inserted"]
        same = system.kind == "ceiling" or (result["digest"], result["valid"]) == (expected.digest, expected.valid)
        shutil.rmtree(state, ignore_errors=True)
        cpu_s = usage.ru_utime + usage.ru_stime
        return Run(
            system.name,
            job,
            result["seen"],
            cpu_s,
            result["start_cpu_s"],
            wall_s,
            usage.ru_maxrss / 1024,
            stored and same,
        )

    def _stored(self) -> int:
        ((rows,),) = self.scene.client.query_rows(f"SELECT count() FROM {_SINK_TABLE}")
        return int(rows)

    def _environment(self, system: System, job: str, expected: Expected, state: Path) -> dict[str, str]:
        settings = self.scene.database_settings
        sink = f"{settings.host}:{settings.port}" if job == "J2" or system.kind == "ceiling" else ""
        return {
            "BENCH_BOOTSTRAP": self.scene.bootstrap,
            "BENCH_TOPIC": expected.topic,
            "BENCH_RECORDS": str(expected.records),
            "BENCH_GROUP": f"bench-{state.name}",
            "BENCH_STATE": str(state),
            "BENCH_MODE": system.mode,
            "BENCH_CLASSES": str(self.folder / "classes.json"),
            "BENCH_DIRECTORY": str(EXAMPLE),
            "BENCH_SINK": sink,
            "BENCH_SINK_LOGIN": f"{settings.user}:{settings.password.get_secret_value()}",
            "BENCH_SINK_TABLE": _SINK_TABLE,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'bench/peers'}",
        }

    def _worker(self, expected: Expected) -> Run:
        """Our worker as it is deployed, with its events, windows of all lengths, ledger and dead letters."""
        for table in self._own_tables():
            self.scene.client.command(f"TRUNCATE TABLE {DATABASE}.{table}")
        self.settings["ENT_KAFKA__GROUP"] = f"bench-{len(self.runs)}-{os.getpid()}"
        start_s = time.monotonic()
        process = psutil.Process(self.scene.start_worker().pid)
        start_cpu_s = _cpu_s(process)
        group = GroupPosition(
            self.scene.bootstrap, self.settings["ENT_KAFKA__GROUP"], Lane.LIVE.topics, PARTITIONS, None
        )
        with closing(group) as committed:
            while committed.total() < expected.records:
                self.scene.worker.check()
                time.sleep(0.1)
        wall_s, cpu_s = time.monotonic() - start_s, _cpu_s(process)
        peak_kb = next(
            int(line.split()[1])
            for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
            if line.startswith("VmHWM")
        )
        self.scene.worker.stop()
        windows: Counter[Window] = Counter()
        for at_s, uai, app, events in self.scene.client.query_rows(
            f"SELECT toUnixTimestamp(slice), uai, app, sum(events) FROM {DATABASE}.v_app_usage_by_minute "
            "GROUP BY slice, uai, app"
        ):
            windows[int(at_s), str(uai), str(app)] = int(events)
        same = (digest(windows), windows.total()) == (expected.digest, expected.valid)
        return Run("ent-telemetry", "J2", expected.records, cpu_s, start_cpu_s, wall_s, peak_kb / 1024, same)

    def _own_tables(self) -> list[str]:
        rows = self.scene.client.query_rows(
            "SELECT name FROM system.tables WHERE database = {database:String} AND (name IN ('events', 'dead_letters', "
            "'dropped', 'positions', 'logs', 'progress') OR name LIKE '%usage_by_%') AND name NOT LIKE 'v_%'",
            {"database": DATABASE},
        )
        return [str(name) for (name,) in rows]


def _wait(process: subprocess.Popen[bytes]) -> Any:
    """The resources that a process took; it is killed after the limit."""
    end_s = time.monotonic() + _LIMIT_S
    while True:
        pid, _, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            return usage
        if time.monotonic() > end_s:
            process.kill()
            end_s += _LIMIT_S
        time.sleep(0.02)


def _result(text: str, name: str) -> dict[str, Any]:
    found = [line for line in text.splitlines() if line.startswith("RESULT {")]
    if not found:
        raise SystemExit(f"{name} told no result; the end of what it said:\n{text[-2000:]}")
    result: dict[str, Any] = json.loads(found[-1].removeprefix("RESULT "))
    return result


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def summarise(runs: list[Run], systems: dict[str, System]) -> list[dict[str, Any]]:
    """One entry for each system and job: medians over the rounds."""
    groups: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for run in runs:
        groups[run.name, run.job].append(run)

    def median(of: list[Run], value: Callable[[Run], float]) -> float:
        return statistics.median(value(run) for run in of)

    return [
        {
            "name": name,
            "job": job,
            "kind": systems[name].kind,
            "version": systems[name].version(),
            "rounds": len(found),
            "records": found[0].records,
            "events_per_cpu_s": round(median(found, lambda run: run.records / run.cpu_s)),
            "net_events_per_cpu_s": round(median(found, lambda run: run.records / (run.cpu_s - run.start_cpu_s))),
            "wall_s": round(median(found, lambda run: run.wall_s), 1),
            "peak_rss_mb": round(median(found, lambda run: run.rss_mb)),
            "totals_ok": all(run.totals_ok for run in found),
        }
        for (name, job), found in groups.items()
    ]


def table(entries: list[dict[str, Any]]) -> Iterator[str]:
    """Lines of Markdown, ratios to us first."""
    ours = {e["job"]: e for e in entries if e["kind"] == "ours"}
    yield "| System | Job | We / it | We / it, net | Events per CPU-s | Net | Wall s | Peak MB | Totals |"
    yield "|---|---|--:|--:|--:|--:|--:|--:|---|"
    for e in sorted(entries, key=lambda e: (e["job"], e["kind"] == "ceiling", -e["net_events_per_cpu_s"])):
        own = ours.get(e["job"])
        whole = f"{own['events_per_cpu_s'] / e['events_per_cpu_s']:.2f}" if own else ""
        net = f"{own['net_events_per_cpu_s'] / e['net_events_per_cpu_s']:.2f}" if own else ""
        told = "–" if e["kind"] == "ceiling" else ("equal" if e["totals_ok"] else "**wrong**")
        yield (
            f"| {e['name']} {e['version']} | {e['job']} | {whole} | {net} | {e['events_per_cpu_s']:,} "
            f"| {e['net_events_per_cpu_s']:,} | {e['wall_s']} | {e['peak_rss_mb']} | {told} |"
        )


def write(entries: list[dict[str, Any]], about: dict[str, Any]) -> None:
    """Put the figures where readers and `make bench-check` find them."""
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps({**kept, "compare": about, "systems": entries}, indent=2) + "\n")
    begin, end = "<!-- table: begin -->", "<!-- table: end -->"
    text = TABLE.read_text()
    before, after = text[: text.index(begin)], text[text.index(end) :]
    size = f"{about['records']:,} records of {about['bytes_per_event']} bytes"
    facts = f"`{about['command']}`, {about['cores']} cores, {size}"
    TABLE.write_text(f"{before}{begin}\n{facts}\n\n" + "\n".join(table(entries)) + f"\n{after}")


def measure(rounds: int, only: list[str], jobs: list[str], records: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Run everything that is asked for."""
    chosen = [s for s in (*SYSTEMS, *CEILINGS) if not only or any(part in s.name for part in only)]
    settings = {"ENT_KAFKA__GROUP": "bench"}
    environment_python()
    if any(s.java for s in chosen):
        classpath()
    with (
        tempfile.TemporaryDirectory(prefix="ent-compare-") as folder,
        Scene(Place(Path(folder)), jvm=True, worker_settings=settings) as scene,
    ):
        bench = Bench(scene, Path(folder), settings)
        bench.prepare(records)
        for turn in range(rounds):
            for system in chosen:
                for job in jobs:
                    if job in system.jobs and turn < system.rounds:
                        _say(f"round {turn + 1} of {rounds}: {system.name} {job}")
                        bench.run(system, "J1" if job == "J1" else "J2")
        entries = summarise(bench.runs, {s.name: s for s in chosen})
        about = {
            "command": "python -m bench.compare " + " ".join(sys.argv[1:]),
            "cores": psutil.cpu_count(),
            "records": records,
            "bytes_per_event": bench.expected[APP_VISIT].bytes_per_event,
        }
        return entries, about


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main() -> int:
    """Measure, print and, if asked, write; exit 1 where totals differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--only", default="", help="parts of names, separated by commas")
    parser.add_argument("--job", choices=["J1", "J2"])
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    only = [part for part in options.only.split(",") if part]
    entries, about = measure(options.rounds, only, [options.job] if options.job else ["J1", "J2"], options.records)
    print("\n".join(table(entries)))
    if options.write:
        write(entries, about)
    return 0 if all(entry["totals_ok"] for entry in entries) else 1


if __name__ == "__main__":
    sys.exit(main())
