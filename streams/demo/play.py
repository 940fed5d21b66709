"""A demonstration from its first to its last moment: history at full speed, then live on a simulated clock."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import psutil

from schemas.school_time.bundled import BUNDLED
from sinks.clickhouse.school_time import SchoolTimeTables
from sinks.clickhouse.store import ClickHouseStore
from streams.clock import Clock
from streams.demo.freshness import FreshnessProbe, percentile
from streams.demo.morning import PARIS, first_day, school_morning
from streams.demo.pacing import MAX_AHEAD, PacedProducer
from streams.demo.report import compare_counts, compare_windows, totals
from streams.demo.scene import DATABASE, Place, Scene
from streams.directory.folder import read_directory_folder
from streams.directory.loading import load_directory
from streams.producer import open_producer
from streams.simulator.calendar import is_school_day
from streams.simulator.faults import Faults
from streams.simulator.outage import read_outages
from streams.simulator.simulation import Simulation

_TICK_S: Final = 0.2
ALERTS: Final = {"ENT_ALERTS__WARMUP_DAYS": "12"}
"""The history is short; the limits of the evidence are then mostly those that were chosen beforehand."""
_SAVE_EVERY_S: Final = 5.0


@dataclass(frozen=True)
class Script:
    """What is to be shown."""

    place: Place
    directory: Path
    seed: int = 68
    scale: float = 1.0
    faults: Faults = field(default_factory=Faults)
    jvm: bool = False
    page_port: int | None = 8080
    """None: no page."""
    webhook: str | None = None
    """Where alerts are posted; None: nowhere."""
    live_s: float | None = None
    """Live seconds until it ends by itself; None: until it is interrupted."""


@dataclass
class Bookmark:
    """How far a demonstration's events go, kept beside its database."""

    path: Path
    produced_until: datetime | None = None

    @classmethod
    def read(cls, path: Path) -> Bookmark:
        """The one in `path`, or an empty one."""
        if not path.exists():
            return cls(path)
        return cls(path, datetime.fromisoformat(json.loads(path.read_text())["produced_until"]))

    def write(self, until: datetime) -> None:
        """Remember that everything that arrives before `until` was produced."""
        self.produced_until = until
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps({"produced_until": until.isoformat()}))
        part.replace(self.path)


def play(script: Script, say: Callable[[str], None]) -> dict[str, Any]:
    """Run the whole demonstration and report on it; ends after `live_s` or at KeyboardInterrupt.

    Raises DemoError where a part does not start or ends, with the end of its log.
    """
    bookmark = Bookmark.read(script.place.folder / "bookmark.json")
    morning = school_morning(datetime.now(UTC), is_school_day)
    begin = max(morning, bookmark.produced_until or morning)
    clock = Clock(begin - datetime.now(UTC))
    say("starting broker, database and worker")
    told = {"ENT_ALERTS__WEBHOOK_URL": script.webhook} if script.webhook else {}
    with Scene(script.place, jvm=script.jvm, clock_offset=clock.offset, worker_settings=ALERTS | told) as scene:
        script.place.note_clock(clock.offset)
        scene.start_worker()
        simulation = _load_directory(script, scene, clock, say)
        producer = PacedProducer(
            open_producer(scene.bootstrap, api_version=scene.api_version), scene.committed(), scene.worker.check
        )
        try:
            if script.page_port is not None:
                address = scene.start_page(script.page_port)
            history = _replay(simulation, producer, bookmark, first_day(morning, is_school_day), clock, say)
            local = clock.now().astimezone(PARIS)
            if script.page_port is not None:
                say(f"the page: {address}  (simulated clock: {local:%d/%m/%Y %H:%M}; Ctrl-C ends)")
            ages_s = _go_live(script, scene, simulation, producer, bookmark, clock)
            producer.wait_until_behind(0)
            return _report(scene, simulation, producer, history, ages_s)
        finally:
            producer.close()


@dataclass(frozen=True)
class _Replayed:
    records: int
    seconds: float


def _load_directory(script: Script, scene: Scene, clock: Clock, say: Callable[[str], None]) -> Simulation:
    """Bring directory and school time into force and build the simulated schools from the same files."""
    load_directory(script.directory, scene.bootstrap, api_version=scene.api_version)
    directory = read_directory_folder(script.directory)
    scene.wait_for_directory()
    say(f"directory in force: {len(directory.rows.classes)} classes")
    simulation = Simulation(directory.rows, script.seed, script.scale, script.faults)
    tables = SchoolTimeTables(scene.client, DATABASE)
    tables.load(BUNDLED, simulation.timetables(clock.now().astimezone(PARIS).date()))
    tables.expand()
    return simulation


def _replay(
    simulation: Simulation,
    producer: PacedProducer,
    bookmark: Bookmark,
    first: date,
    clock: Clock,
    say: Callable[[str], None],
) -> _Replayed:
    """Produce everything up to the present simulated moment, as fast as it is read."""
    known = bookmark.produced_until
    begin = first if known is None else max(first, known.astimezone(PARIS).date())
    until, start_s, sent = clock.now(), time.monotonic(), 0
    span_s = (until - datetime.combine(begin, datetime.min.time(), PARIS)).total_seconds()
    for records in simulation.history(begin, until):
        producer.wait_until_behind(MAX_AHEAD)
        producer.send(records)
        sent += len(records)
        reached = datetime.fromtimestamp(records[-1].timestamp_ms / 1000, UTC)
        done = 1 - (until - reached).total_seconds() / span_s
        _show_progress(done, sent, time.monotonic() - start_s, reached.astimezone(PARIS))
    producer.wait_until_behind(0)
    bookmark.write(until)
    seconds = time.monotonic() - start_s
    say(
        f"\nhistory since {begin:%d/%m/%Y}: {sent} records in {seconds:.1f} s, "
        f"{sent / max(seconds, 0.001):.0f} a second"
    )
    return _Replayed(sent, seconds)


def _show_progress(done: float, sent: int, seconds: float, reached: datetime) -> None:
    if sys.stderr.isatty():
        bar = "█" * int(done * 30)
        sys.stderr.write(f"\rhistory {bar:<30} {done:4.0%}  {reached:%d/%m %H:%M}  {sent} records, {seconds:.0f} s ")
        sys.stderr.flush()


def _go_live(
    script: Script,
    scene: Scene,
    simulation: Simulation,
    producer: PacedProducer,
    bookmark: Bookmark,
    clock: Clock,
) -> list[float]:
    """Produce events as their simulated moment comes; the ages at which they became visible, in seconds."""
    since = bookmark.produced_until or clock.now()
    first_minute = int(since.timestamp()) // 60 * 60
    store_sql = f"SELECT sum(events_once) FROM {DATABASE}.v_usage_by_minute WHERE slice >= toDateTime({first_minute})"
    probe = FreshnessProbe(lambda: int(scene.client.query_rows(store_sql)[0][0]))
    # What was produced before belongs to the past: it would look like a stall.
    producer.send(simulation.due(since, since := clock.now()))
    producer.wait_until_behind(0)
    probe.produced(simulation.truth.accepted_since(first_minute))
    probe.start()
    saved_s = time.monotonic()
    end_s = None if script.live_s is None else saved_s + script.live_s
    try:
        while end_s is None or time.monotonic() < end_s:
            time.sleep(_TICK_S)
            scene.worker.check()
            simulation.outages = read_outages(script.place.outages)
            producer.send(simulation.due(since, since := clock.now()))
            probe.produced(simulation.truth.accepted_since(first_minute))
            if time.monotonic() - saved_s > _SAVE_EVERY_S:
                bookmark.write(since)
                saved_s = time.monotonic()
        producer.wait_until_behind(0)
    finally:
        bookmark.write(since)
        ages_s = probe.stop()
    return ages_s


def _report(
    scene: Scene, simulation: Simulation, producer: PacedProducer, history: _Replayed, ages_s: list[float]
) -> dict[str, Any]:
    store = ClickHouseStore(scene.client, DATABASE)
    found = totals(store, producer.produced)
    wrong = compare_windows(store, simulation.truth) + compare_counts(found, simulation.truth.counts())
    return found | {
        "events_per_second": round(history.records / max(history.seconds, 0.001)),
        "freshness_p50_s": _rounded(percentile(ages_s, 0.5)),
        "freshness_p95_s": _rounded(percentile(ages_s, 0.95)),
        "rss_mb": round(psutil.Process(scene.worker.pid).memory_info().rss / 1e6),
        "windows_equal_truth": not wrong,
        "differences": wrong[:20],
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
