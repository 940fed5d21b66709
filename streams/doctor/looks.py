"""The looks at each part. They change nothing, wherever they look."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from sinks.clickhouse import situation
from sinks.clickhouse.client import Client
from sinks.clickhouse.directory import current_revision
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.store import ClickHouseStore
from streams.collector.tokens import TokensError, read_tokens
from streams.doctor.finding import Finding, ok, skipped, warning, wrong
from streams.school_keys import missing_next_key, require_keys
from streams.settings import KafkaSettings, Settings
from streams.topics import check_topics, specs

CLOCKS_DIFFER_S = 5.0
DISK_LOW, DISK_FULL = 0.15, 0.05
"""Shares of free space below which it is told."""
CALENDAR_SHORT_DAYS = 60
BEHIND_S = 300.0
_GRAFANA_TIMEOUT_S = 5.0


def look_at_secrets(settings: Settings, now: datetime) -> Iterator[Finding]:
    """The keys are there and strong, that of this school year and of the next; SettingsError says which is not."""
    settings.key("event_id_key")
    yield ok("secrets", "the key for ids of events is there and strong")
    keyring = settings.keyring()
    require_keys(keyring, now)
    yield ok("secrets", "the pseudonym key of this school year is there and strong")
    advice = missing_next_key(keyring, now)
    if advice:
        yield warning("secrets", "the next school year has no pseudonym key yet", advice)


def look_at_topics(kafka: KafkaSettings) -> Iterator[Finding]:
    """The brokers answer and every topic is as it should be; TopicError where they do not."""
    problems = check_topics(
        kafka.bootstrap, specs(kafka.event_partitions), api_version=kafka.api_version, security=kafka.security
    )
    yield ok("broker", f"Kafka answers at {kafka.bootstrap}")
    for problem in problems:
        yield wrong("topics", f"{problem.topic}: {problem.what}", problem.remedy)
    if not problems:
        yield ok("topics", "all are as they should be")


def look_at_server(client: Client, now: datetime) -> Iterator[Finding]:
    """The database answers, its clock is ours, and its disks have room; a `DatabaseFailure` where it does not."""
    found = situation.server(client)
    yield ok("database", f"ClickHouse {found.version} answers")
    apart_s = abs((found.now - now).total_seconds())
    if apart_s > CLOCKS_DIFFER_S:
        yield warning(
            "clock", f"the database's clock is {apart_s:.0f} s from this machine's", "run a time service (NTP) on both"
        )
    else:
        yield ok("clock", "the database's clock is this machine's")
    yield _room("the database's fullest disk", found.free_share)


def look_at_disk(folder: Path) -> Iterator[Finding]:
    """This machine's own disk has room."""
    used = shutil.disk_usage(folder)
    yield _room("this machine's disk", used.free / used.total)


def _room(what: str, free: float) -> Finding:
    told = f"{what} has {free:.0%} free"
    remedy = "make room, or add a disk: ClickHouse stops merging, and then writing, when it is full"
    if free < DISK_FULL:
        return wrong("disk", told, remedy)
    return warning("disk", told, remedy) if free < DISK_LOW else ok("disk", told)


def look_at_migrations(client: Client, database: str) -> Iterator[Finding]:
    """The tables are those of this version; MigrationRefused where histories differ."""
    report = migrate(client, database, check=True, patience_s=1.0)
    for name in report.pending:
        yield wrong("migrations", f"{name} is missing", "run `ent migrate`")
    for name in report.newer:
        told = f"{name} is of a later version"
        yield warning("migrations", told, "install that version here, or restore the database of before it")
    if not report.pending and not report.newer:
        yield ok("migrations", f"all {len(report.present)} are applied")


def look_at_directory(client: Client, database: str) -> Iterator[Finding]:
    """A directory is in force, and describes schools today."""
    revision = current_revision(client, database)
    if revision is None:
        told = "there is none: every school and class is unmapped"
        yield wrong("directory", told, "run `ent directory load FOLDER` while a worker runs")
        return
    schools = situation.schools_in_force(client, database, revision)
    if schools:
        yield ok("directory", f"revision {revision} describes {schools} schools today")
    else:
        told = f"revision {revision} describes no school today"
        yield wrong("directory", told, "look at valide_du and valide_au in schools.csv, and load it again")


def look_at_calendar(client: Client, database: str, today: date) -> Iterator[Finding]:
    """The calendar knows the next weeks."""
    if not situation.has_table(client, database, "calendar_periods"):
        yield skipped("calendar", "this database has no calendar")
        return
    horizon = situation.calendar_horizon(client, database)
    if horizon is None:
        told = "none is loaded: alerts on schools cannot tell a holiday from a failure"
        yield warning("calendar", told, "load one: `ent calendar load --help`")
        return
    left = (horizon - today).days
    told = f"it ends on {horizon}, in {left} days"
    if left <= 0:
        yield wrong("calendar", told, "load the next school year's")
    elif left < CALENDAR_SHORT_DAYS:
        yield warning("calendar", told, "load the next school year's")
    else:
        yield ok("calendar", told)


def look_at_figures(client: Client, database: str, now: datetime) -> Iterator[Finding]:
    """Figures are complete up to now, and every offset has an end."""
    partitions = situation.progress(client, database)
    if not partitions:
        yield warning("figures", "no worker has told of its progress yet", "start one: `ent worker`")
    else:
        behind_s = max((now - one.complete_through).total_seconds() for one in partitions)
        lag = sum(one.lag for one in partitions)
        told = f"complete up to {behind_s:.0f} s ago, {lag} records wait"
        if behind_s > BEHIND_S:
            yield wrong("figures", told, "is a worker running? docs/operations.md, EntFiguresBehind")
        else:
            yield ok("figures", told)
    open_lines = [line for line in ClickHouseStore(client, database).ledger() if not line.closes]
    if open_lines:
        missing = sum(line.missing for line in open_lines)
        yield wrong("ledger", f"{missing} offsets came to no end", "docs/operations.md, EntLedgerOpen")
    else:
        yield ok("ledger", "it closes")


def look_at_tokens(settings: Settings, today: date) -> Iterator[Finding]:
    """The collector's tokens can be read, and do not end soon unseen."""
    path = settings.collector.tokens_file
    if path is None:
        yield skipped("tokens", "ENT_COLLECTOR__TOKENS_FILE is not set: no collector here")
        return
    try:
        tokens = read_tokens(path)
    except TokensError as error:
        yield wrong("tokens", str(error), "mend the file; the collector goes on with the last good one")
        return
    ended = sorted({one.platform for one in tokens if one.expires and one.expires <= today})
    if ended:
        yield warning(
            "tokens", f"tokens of {', '.join(ended)} have ended", "take them out, or make new ones: `ent token`"
        )
    yield ok("tokens", f"{len(tokens)} of {len({one.platform for one in tokens})} platforms")


def look_at_grafana(url: str | None) -> Iterator[Finding]:
    """Grafana answers, and its own database is well."""
    if url is None:
        yield skipped("grafana", "not asked: give its address with --grafana")
        return
    if urlsplit(url).scheme not in {"http", "https"}:
        yield wrong("grafana", f"{url} is no address", "write it as http://localhost:3000")
        return
    try:
        with urlopen(f"{url.rstrip('/')}/api/health", timeout=_GRAFANA_TIMEOUT_S) as answer:  # noqa: S310 (checked above)
            health = json.load(answer)
    except (URLError, OSError, ValueError) as error:
        yield wrong("grafana", f"it does not answer at {url} ({error})", "start it, and see its log; then `ent smoke`")
        return
    if health.get("database") == "ok":
        yield ok("grafana", f"version {health.get('version', '?')} answers; `ent smoke` asks it everything")
    else:
        yield wrong("grafana", "its own database is not well", "see its log")


def now_utc() -> datetime:
    """This machine's clock."""
    return datetime.now(UTC)
