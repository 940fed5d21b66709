"""`ent simulate`: files that `ent decode` reads line by line, and brokers."""

import json
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import typer
from typer.testing import CliRunner

from schemas.directory_row import DirectoryRows
from schemas.formats import decode
from schemas.pseudonym import Key
from streams.commands.simulate import first_day, simulate
from streams.pipeline import Limits, check_times
from streams.producer import Producer
from streams.simulator.calendar import is_school_day
from streams.simulator.faults import Faults
from streams.simulator.output import produce, produce_live
from streams.simulator.simulation import Simulation

PARIS = ZoneInfo("Europe/Paris")
MONDAY = date(2026, 11, 16)
KEY = Key(b"a key for event ids, 32 bytes at least")
RATES = ["duplicates", "late", "disorder", "malformed", "unknown-class", "unknown-school", "tombstones", "ignored"]


def run(*arguments: str) -> Any:
    app = typer.Typer()
    app.command()(simulate)
    return CliRunner().invoke(app, list(arguments))


def test_a_file_decodes_one_to_one(tmp_path: Path) -> None:
    """Each line is one record, and comes to the end that the truth gives it."""
    file, truth = tmp_path / "events.ndjson", tmp_path / "truth.json"
    rates = [part for name in RATES for part in (f"--{name}", "0.05")]
    done = run(
        "--to", str(file), "--truth", str(truth), "--seed", "7", "--scale", "0.05", "--start", "2026-11-16", *rates
    )
    assert done.exit_code == 0, done.output
    told = json.loads(truth.read_text())
    lines = file.read_bytes().removesuffix(b"\n").split(b"\n")
    decoded = decode(lines, None, KEY)
    now = pl.Series([datetime(2026, 11, 22, tzinfo=PARIS)] * len(lines), dtype=pl.Datetime("ms", "UTC"))
    frame, untimely = check_times(decoded.frame, now, Limits())
    counts = told["counts"]
    assert counts["produced"] == len(lines)
    assert counts["accepted"] + counts["duplicates"] == len(frame)
    assert counts["rejected"] == dict(Counter(r.reason.value for r in [*decoded.refusals, *untimely]))
    assert counts["dropped"] == {"ignored_type": len(decoded.drops)}
    assert "empty" not in counts["rejected"]
    assert sum(row[-3] for row in told["windows"]["usage_by_day"]) == counts["accepted"]


def test_the_same_seed_writes_the_same_file(tmp_path: Path) -> None:
    """Byte by byte."""
    files = [tmp_path / "one", tmp_path / "two"]
    for file in files:
        assert run("--to", str(file), "--scale", "0.02", "--start", "2026-11-16", "--days", "2").exit_code == 0
    assert files[0].read_bytes() == files[1].read_bytes() != b""


def test_mistakes_of_the_operator_are_named(tmp_path: Path) -> None:
    """Neither target nor folder, and a day that no calendar knows."""
    file = str(tmp_path / "events")
    for arguments, said in (
        ([], "--to"),
        (["--to", file, "--broker", "localhost:9"], "either"),
        (["--to", file, "--live"], "--live"),
        (["--to", file, "--directory", str(tmp_path / "nowhere")], "--directory"),
        (["--to", file, "--directory", str(tmp_path)], "schools.csv"),
        (["--to", file, "--start", "2031-01-01"], "calendar"),
        (["--to", file, "--late", "2"], "--late"),
    ):
        done = run(*arguments)
        assert done.exit_code == 2, arguments
        assert said in done.output, done.output


class Broker:
    """Takes what a Kafka producer sends."""

    def __init__(self) -> None:
        self.taken: list[tuple[Any, ...]] = []

    def send(self, topic: str, value: bytes | None, key: bytes, **more: Any) -> "Broker":
        self.taken.append((topic, value, key, more["timestamp_ms"], more["partition"], more["headers"]))
        return self

    def add_errback(self, _: Any) -> None:
        """Nothing fails here."""

    def flush(self) -> None:
        """Everything is there at once."""


def test_a_broker_gets_every_record_with_its_time_key_and_headers(few_schools: DirectoryRows) -> None:
    """As the simulation hands them out."""
    until = datetime.combine(MONDAY + timedelta(days=1), datetime.min.time(), PARIS)
    faults = Faults(duplicates=0.1, tombstones=0.1)
    broker = Broker()
    counts = list(produce(Simulation(few_schools, 1, 0.1, faults), Producer(broker), MONDAY, until))
    records = [r for chunk in Simulation(few_schools, 1, 0.1, faults).history(MONDAY, until) for r in chunk]
    assert counts[-1] == len(records)
    assert broker.taken == [
        (r.topic, r.value, r.key, r.timestamp_ms, r.partition_hint, list(r.headers) if r.headers else None)
        for r in records
    ]
    assert any(headers for *_, headers in broker.taken)
    assert any(value is None for _, value, *_ in broker.taken)


def test_live_production_follows_the_clock_until_it_is_stopped(few_schools: DirectoryRows) -> None:
    """Each look at the clock brings what arrived since the one before."""
    stop, broker = Event(), Broker()
    eight = datetime.combine(MONDAY, datetime.min.time(), PARIS) + timedelta(hours=8)
    looks = [eight + timedelta(minutes=minutes) for minutes in (30, 45)]
    live = produce_live(Simulation(few_schools, 1), Producer(broker), eight, iter(looks).__next__, stop)
    assert next(live) == len(broker.taken) == len(Simulation(few_schools, 1).due(eight, looks[0]))
    assert next(live) == len(broker.taken) == len(Simulation(few_schools, 1).due(eight, looks[1]))
    stop.set()
    assert list(live) == []


def test_the_first_day_is_a_school_day_and_all_days_are_over() -> None:
    """On a Sunday: one day is Friday, five days begin on Tuesday, eight days on the Friday before."""
    sunday = date(2026, 11, 22)
    assert [first_day(days, sunday, is_school_day).day for days in (1, 5, 8)] == [20, 17, 13]
