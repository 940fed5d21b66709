"""Migrations against a database: cut anywhere, run twice at once, checked without a trace."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sinks.clickhouse.client import Client
from sinks.clickhouse.embedded.process import EmbeddedDatabase
from sinks.clickhouse.errors import Misconfigured, Unavailable
from sinks.clickhouse.migrate import FOLDER, OUR_VERSION, MigrationRefused, migrate
from tests.database import client_of, settings_of

FILES = {
    "0001_create_visits.sql": """
        -- Visits; read them through v_visits.
        CREATE TABLE IF NOT EXISTS ${database}.visits ${on_cluster} (n UInt64, s String DEFAULT ';')
        ENGINE = ${replicated}ReplacingMergeTree ORDER BY n;
        CREATE VIEW IF NOT EXISTS ${database}.v_visits ${on_cluster} AS SELECT * FROM ${database}.visits FINAL;
    """,
    "0002_add_school.sql": """
        ALTER TABLE ${database}.visits ${on_cluster} ADD COLUMN IF NOT EXISTS school LowCardinality(String);
        CREATE OR REPLACE VIEW ${database}.v_visits ${on_cluster} AS SELECT * FROM ${database}.visits FINAL /* ; */;
    """,
    "0003_count_visits.sql": """
        CREATE TABLE IF NOT EXISTS ${database}.counts ${on_cluster} (
          school String, visits SimpleAggregateFunction(sum, UInt64))
        ENGINE = ${replicated}AggregatingMergeTree ORDER BY school;
        CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.counting ${on_cluster} TO ${database}.counts AS
        SELECT school, count() AS visits FROM ${database}.visits GROUP BY school
    """,
}
NAMES = [name.removesuffix(".sql") for name in FILES]


class Cut(BaseException):
    """The program dies here."""


class CutClient(Client):
    """A client whose program dies before or after its command of a given number."""

    left = 10**9
    after = False

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        self.left -= 1
        if self.left < 0 and not self.after:
            raise Cut
        super().command(sql, parameters)
        if self.left < 0:
            raise Cut


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def client(database: EmbeddedDatabase) -> Client:
    client = client_of(database)
    client.command("DROP DATABASE IF EXISTS target")
    return client


def state(client: Client, database: str = "target") -> list[tuple[Any, ...]]:
    """What the migrations made: tables with their definitions, and the records without their times."""
    tables = client.query_rows(
        "SELECT name, replaceAll(create_table_query, database, '') FROM system.tables WHERE database = {d:String} "
        "ORDER BY name",
        {"d": database},
    )
    records = client.query_rows(
        f"SELECT DISTINCT number, name, checksum, version FROM {database}.migrations ORDER BY ALL"
    )
    return [*tables, *records]


def test_all_files_are_applied_once_in_order_and_recorded(client: Client, folder: Path) -> None:
    assert migrate(client, "target", folder=folder).applied == NAMES
    again = migrate(client, "target", folder=folder)
    assert (again.applied, again.present, again.pending) == ([], NAMES, [])
    assert client.query_rows("SELECT number, name, version FROM target.migrations ORDER BY number") == [
        (n, name, OUR_VERSION) for n, name in enumerate(NAMES, 1)
    ]
    client.command("INSERT INTO target.visits (n, school) VALUES (1, 'a'), (2, 'a')")
    assert client.query_rows("SELECT n, s, school FROM target.v_visits ORDER BY n") == [(1, ";", "a"), (2, ";", "a")]
    assert client.query_rows("SELECT school, visits FROM target.counts") == [("a", 2)]


def test_a_check_writes_nothing(client: Client, folder: Path) -> None:
    """Not even the database; and it tells what is missing as long as something is."""
    assert migrate(client, "target", folder=folder, check=True).pending == NAMES
    assert client.query_rows("SELECT count() FROM system.databases WHERE name = 'target'") == [(0,)]
    last = folder / f"{NAMES[-1]}.sql"
    text = last.read_text()
    last.unlink()
    migrate(client, "target", folder=folder)
    last.write_text(text)
    before = state(client)
    report = migrate(client, "target", folder=folder, check=True)
    assert (report.present, report.pending) == (NAMES[:-1], NAMES[-1:])
    assert report.lines() == [f"missing  {NAMES[-1]}"]
    assert state(client) == before
    assert migrate(client, "target", folder=folder).lines() == [f"applied  {NAMES[-1]}"]


@pytest.mark.parametrize("after", [False, True])
def test_a_run_that_was_cut_anywhere_is_healed_by_the_next(
    database: EmbeddedDatabase, client: Client, folder: Path, after: bool
) -> None:
    migrate(client, "target", folder=folder)
    whole = state(client)
    cuts = 0
    while True:
        client.command("DROP DATABASE target SYNC")
        cut = CutClient(settings_of(database))
        cut.left, cut.after = cuts, after
        try:
            migrate(cut, "target", folder=folder)
        except Cut:
            cuts += 1
            migrate(client, "target", folder=folder)
            assert state(client) == whole
        else:
            break
    assert cuts == 2 + 6 + 3  # the table of records, six statements, three records


def test_several_runs_at_once_end_as_one(database: EmbeddedDatabase, client: Client, folder: Path) -> None:
    migrate(client, "target", folder=folder)
    whole = state(client)
    for _ in range(8):
        client.command("DROP DATABASE target SYNC")
        barrier = threading.Barrier(4)

        def run(_: int, barrier: threading.Barrier = barrier) -> list[str]:
            own = client_of(database)
            own.query_rows("SELECT 1")
            barrier.wait()
            report = migrate(own, "target", folder=folder)
            return sorted(report.applied + report.present)

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(run, range(4))) == [NAMES] * 4
        assert state(client) == whole
    assert migrate(client, "target", folder=folder).present == NAMES


def test_a_file_that_was_changed_after_it_was_applied_is_refused(client: Client, folder: Path) -> None:
    migrate(client, "target", folder=folder)
    path = folder / f"{NAMES[1]}.sql"
    path.write_text(path.read_text() + "\n-- a remark")
    for check in (False, True):
        with pytest.raises(MigrationRefused, match=rf"{NAMES[1]} is not the file that was applied.*put that file back"):
            migrate(client, "target", folder=folder, check=check)


def test_a_database_of_a_later_version_is_left_alone(client: Client, folder: Path) -> None:
    """Fine as long as nothing of ours is missing; otherwise the histories differ, and somebody must say which."""
    later = folder / "0004_add_later.sql"
    later.write_text("CREATE TABLE IF NOT EXISTS ${database}.later (n UInt8) ENGINE = MergeTree ORDER BY n")
    migrate(client, "target", folder=folder)
    later.unlink()
    report = migrate(client, "target", folder=folder)
    assert (report.present, report.newer) == (NAMES, ["0004_add_later"])
    assert any("0004_add_later" in line for line in report.lines())
    client.command("DELETE FROM target.migrations WHERE number = 2")
    with pytest.raises(MigrationRefused, match=f"lacks {NAMES[1]}: install version {OUR_VERSION} or later"):
        migrate(client, "target", folder=folder)


def test_a_statement_that_fails_names_its_file_and_leaves_it_unrecorded(client: Client, folder: Path) -> None:
    bad = folder / "0004_add_wrong.sql"
    bad.write_text("CREATE TABLE IF NOT EXISTS ${database}.wrong (n Nonsense) ENGINE = MergeTree ORDER BY n")
    with pytest.raises(MigrationRefused, match=r"0004_add_wrong.*Nonsense"):
        migrate(client, "target", folder=folder)
    bad.write_text("CREATE TABLE IF NOT EXISTS ${database}.wrong (n UInt8) ENGINE = MergeTree ORDER BY n")
    assert migrate(client, "target", folder=folder).applied == ["0004_add_wrong"]


def test_it_waits_for_a_database_that_is_away(database: EmbeddedDatabase, client: Client, folder: Path) -> None:
    told: list[str] = []
    back = threading.Timer(0.6, database.start)
    database.kill()
    back.start()
    assert migrate(client, "target", folder=folder, tell=told.append).applied == NAMES
    back.join()
    assert "does not take connections" in told[0]
    assert "s more" in told[0]


def test_its_patience_ends(database: EmbeddedDatabase, client: Client, folder: Path) -> None:
    database.kill()
    try:
        with pytest.raises(Unavailable):
            migrate(client, "target", folder=folder, patience_s=0.5)
    finally:
        database.start()


def test_a_reader_cannot_migrate_and_is_told(database: EmbeddedDatabase, client: Client, folder: Path) -> None:
    client.command("CREATE DATABASE IF NOT EXISTS ent")
    with pytest.raises((Misconfigured, MigrationRefused), match=r"only read|lacks a privilege"):
        migrate(client_of(database, reader=True), "target", folder=folder)


def test_our_own_migrations_heal_and_repeat(database: EmbeddedDatabase, client: Client) -> None:
    """The files that are shipped: cut in the middle, then run by two at once."""
    cut = CutClient(settings_of(database))
    cut.left = 7
    with pytest.raises(Cut):
        migrate(cut, "target")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: migrate(client_of(database), "target"), range(2)))
    report = migrate(client, "target", check=True)
    assert report.pending == []
    assert report.present == sorted(path.stem for path in FOLDER.glob("*.sql"))
