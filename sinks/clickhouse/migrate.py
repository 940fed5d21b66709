"""Numbered SQL files, applied in order and recorded in the table `migrations` of the database.

ClickHouse has neither transactions over DDL nor locks, so safety lies in what is sent: every statement may be repeated
(checked when the files are read), a file is recorded after its last statement, and a record only says what every run
would say. A run that was cut is healed by the next one; two at once do the same work twice.
"""

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from sinks.clickhouse.client import Client
from sinks.clickhouse.errors import DatabaseFailure, Misconfigured, Unavailable
from sinks.clickhouse.sql import UnfinishedSql, statements

Outcome = TypeVar("Outcome")

FOLDER = Path(__file__).with_name("migrations")
OUR_VERSION = version("ent-telemetry")

_FILE = re.compile(r"(\d{4})_([a-z][a-z0-9]*_[a-z0-9_]+)\.sql")
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_REPEATABLE = re.compile(
    r"CREATE\s+OR\s+REPLACE\b | CREATE\s+(?:\w+\s+){1,3}IF\s+NOT\s+EXISTS\b | DROP\s+(?:\w+\s+){1,3}IF\s+EXISTS\b"
    r"| GRANT\b | ALTER\s+TABLE\b(?!.*\b(?:ADD|CLEAR|DROP|RENAME)\s+\w+\s+(?!IF\b))",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_UNKNOWN_TABLE, _UNKNOWN_DATABASE = 60, 81
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0

_RECORDS = (
    "CREATE DATABASE IF NOT EXISTS ${database} ${on_cluster}",
    """CREATE TABLE IF NOT EXISTS ${database}.migrations ${on_cluster} (
  number UInt32 COMMENT 'of the file',
  name String COMMENT 'of the file',
  checksum FixedString(64) COMMENT 'SHA-256 of the file as it was when it was applied',
  applied_at DateTime64(3, 'UTC') COMMENT 'when its last statement was done',
  version String COMMENT 'of ent-telemetry')
ENGINE = ${replicated}ReplacingMergeTree(applied_at)
ORDER BY (number, name, checksum)""",
)


class MigrationRefused(RuntimeError):
    """Files and database do not belong together, or a file is not fit to be applied; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, its name, its text as it stands in the folder, and the SHA-256 of that text."""

    number: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.replace("\r\n", "\n").encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the table `migrations`."""

    number: int
    name: str
    checksum: str
    version: str


@dataclass(frozen=True, slots=True)
class Report:
    """Names of files: those a run `applied`, those found there (`present`), those missing that a check left out
    (`pending`), and those in the database that this version does not have (`newer`)."""

    applied: list[str] = field(default_factory=list)
    present: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    newer: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The same for an operator."""
        told = [f"applied  {name}" for name in self.applied]
        told += [f"missing  {name}" for name in self.pending]
        told += [f"newer    {name}: a later version of ent-telemetry was here" for name in self.newer]
        if not self.applied and not self.pending:
            told.append(f"up to date: all {len(self.present)} migrations are applied")
        return told


def migrate(
    client: Client,
    database: str,
    *,
    folder: Path = FOLDER,
    cluster: str | None = None,
    check: bool = False,
    patience_s: float = 60.0,
    tell: Callable[[str], None] = lambda _: None,
) -> Report:
    """Bring `database` up to the files in `folder`; with `check`, only say what is missing and write nothing.

    `cluster` makes tables replicated and statements run `ON CLUSTER`. While the database is away it is tried again for
    `patience_s` in all, and `tell` hears of it. Raises `MigrationRefused`, `Misconfigured`, or `Unavailable` when
    patience ended.
    """
    files = read_folder(folder)
    names = substitutions(database, cluster)
    patience = _Patience(patience_s, tell)
    report = compare(files, patience.run(partial(_recorded, client, database)))
    if check:
        return report
    done: list[str] = []
    if report.pending:
        for statement in _RECORDS:
            _apply(client, patience, fill_in(statement, names), "migrations")
    for migration in files:
        if migration.name not in report.pending:
            continue
        for statement in statements(fill_in(migration.text, names)):
            _apply(client, patience, statement, migration.name)
        patience.run(partial(_record, client, database, migration))
        done.append(migration.name)
        tell(f"applied {migration.name}")
    return Report(applied=done, present=report.present, newer=report.newer)


def read_folder(folder: Path) -> list[Migration]:
    """The migrations of a folder, by number. Raises `MigrationRefused` for repeated numbers and for unfit files."""
    found: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        match = _FILE.fullmatch(path.name)
        if match is None:
            raise MigrationRefused(f"{path.name}: name it like 0007_create_events.sql")
        found.append(Migration(int(match.group(1)), path.stem, path.read_text()))
    numbers = [migration.number for migration in found]
    if numbers[:1] != [1] or len(set(numbers)) < len(numbers):
        raise MigrationRefused(f"{folder}: the files must be numbered from 0001 without repeats, not {numbers}")
    for migration in found:
        _require_repeatable(migration)
    return found


def compare(files: list[Migration], records: list[Record]) -> Report:
    """What is there and what is missing. Raises `MigrationRefused` where the histories differ."""
    by_number: dict[int, Record] = {}
    for record in records:
        other = by_number.setdefault(record.number, record)
        if (other.name, other.checksum) != (record.name, record.checksum):
            raise MigrationRefused(
                f"number {record.number} was applied twice with different files ({other.name} by {other.version}, "
                f"{record.name} by {record.version}): two versions ran at once. See which tables are there, and delete "
                "the wrong line from the table migrations"
            )
    present, missing = [], []
    for migration in files:
        known = by_number.pop(migration.number, None)
        if known is None:
            missing.append(migration.name)
            continue
        if (known.name, known.checksum) != (migration.name, migration.checksum):
            raise MigrationRefused(
                f"{migration.name} is not the file that was applied ({known.name} of version {known.version}): put "
                "that file back as it was, and make the change in a new one"
            )
        present.append(migration.name)
    newer = [by_number[number] for number in sorted(by_number)]
    if newer and missing:
        raise MigrationRefused(
            f"the database has {newer[-1].name} of version {newer[-1].version}, which this version ({OUR_VERSION}) "
            f"does not know, and lacks {missing[0]}: install version {newer[-1].version} or later, and migrate with it"
        )
    return Report(present=present, pending=missing, newer=[record.name for record in newer])


def substitutions(database: str, cluster: str | None) -> dict[str, str]:
    """What stands for `${database}`, `${on_cluster}` and `${replicated}`, on one node or on a cluster."""
    for name in (database, cluster or "cluster"):
        if not _NAME.fullmatch(name):
            raise MigrationRefused(f"{name!r} is no name of a database or a cluster: letters, digits and _ only")
    return {
        "database": database,
        "on_cluster": f"ON CLUSTER '{cluster}'" if cluster else "",
        "replicated": "Replicated" if cluster else "",
    }


def fill_in(text: str, names: dict[str, str]) -> str:
    """`text` with its placeholders replaced. Raises `MigrationRefused` for one that is not known."""

    def known(match: re.Match[str]) -> str:
        if match.group(1) not in names:
            raise MigrationRefused(f"{match.group()} is not known: there are {', '.join(names)}")
        return names[match.group(1)]

    return _PLACEHOLDER.sub(known, text)


def _require_repeatable(migration: Migration) -> None:
    try:
        found = statements(migration.text)
    except UnfinishedSql as error:
        raise MigrationRefused(f"{migration.name}.sql, {error}") from error
    for statement in found:
        if not _REPEATABLE.match(statement):
            raise MigrationRefused(
                f"{migration.name}.sql: a run that was cut is repeated, so write this statement with IF NOT EXISTS, "
                f"IF EXISTS or OR REPLACE: {statement[:80]!r}"
            )


def _recorded(client: Client, database: str) -> list[Record]:
    try:
        rows = client.query_rows(
            f"SELECT number, name, toString(checksum), argMax(version, applied_at) FROM {database}.migrations "
            "GROUP BY number, name, checksum ORDER BY number, name"
        )
    except Misconfigured as failure:
        if failure.code in (_UNKNOWN_TABLE, _UNKNOWN_DATABASE):
            return []
        raise
    return [Record(*row) for row in rows]


def _record(client: Client, database: str, migration: Migration) -> None:
    client.command(
        f"INSERT INTO {database}.migrations (number, name, checksum, applied_at, version) "
        "SELECT {number:UInt32}, {name:String}, {checksum:String}, now64(3), {version:String}",
        {
            "number": migration.number,
            "name": migration.name,
            "checksum": migration.checksum,
            "version": OUR_VERSION,
        },
    )


def _apply(client: Client, patience: "_Patience", statement: str, name: str) -> None:
    try:
        patience.run(partial(client.command, statement))
    except Unavailable:
        raise
    except DatabaseFailure as failure:
        raise MigrationRefused(f"{name}: {failure}; the statement was {statement[:120]!r}") from failure


class _Patience:
    """Tries again what fails while the database is away, for so many seconds in all."""

    def __init__(self, seconds: float, tell: Callable[[str], None]) -> None:
        self._left_s = seconds
        self._tell = tell

    def run(self, action: Callable[[], Outcome]) -> Outcome:
        """Do `action`, again and again if need be. Raises its `Unavailable` when no patience is left."""
        pause_s = _FIRST_PAUSE_S
        while True:
            started = time.monotonic()
            try:
                return action()
            except Unavailable as failure:
                self._left_s -= time.monotonic() - started + pause_s
                if self._left_s <= 0:
                    raise
                self._tell(f"{failure}; trying for {self._left_s:.0f} s more")
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
