"""The generated SQL against the engine: it parses, its filters let no row of another school through; on a real server
if there is one, its users are tried."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from grafana.audiences import sources
from sinks.clickhouse.access import Audience, Directory, Kind, row_filter, wanted
from sinks.clickhouse.access_plan import plan, read_found
from sinks.clickhouse.client import Client, DatabaseSettings, connect
from sinks.clickhouse.errors import DatabaseFailure
from sinks.clickhouse.migrate import migrate
from streams.commands.access import read_audiences
from tests.database import client_of, embedded_database

EXAMPLE = Path(__file__).parents[2] / "examples/access.toml"
SERVER = "ENT_TEST_CLICKHOUSE"
DIRECTORY = Directory({"0680001A": ("Villefictive", "Villefictive 1"), "0680002B": ("Villefictive", "Villefictive 2")})
PASSWORD = SecretStr("a password of the tests")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with embedded_database(tmp_path_factory.mktemp("access")) as database:
        client = client_of(database)
        migrate(client, "ent")
        yield client


def fill(client: Client, database: str) -> None:
    """Rows of two schools in every published table that has any."""
    for place in ("", "0680001A", "0680002B", "Villefictive 1"):
        client.command(
            f"INSERT INTO {database}_public.cells (grain, start, place, users, version) "
            f"SELECT 'school_day', '2026-11-16', '{place}', 25, 1"
        )
    client.command(f"INSERT INTO {database}_public.releases VALUES (1, 1)")
    for uai in DIRECTORY.schools:
        for table, more in (("schools", ""), ("classes", ""), ("accounts", "")):
            client.command(f"INSERT INTO {database}_public.{table} (release, uai{more}) VALUES (1, '{uai}')")


def test_every_generated_statement_is_one(client: Client) -> None:
    """For making and for taking away."""
    audiences = read_audiences(EXAMPLE)
    objects = wanted(audiences, DIRECTORY, {each.name: PASSWORD for each in audiences}, "ent")
    assert {each.kind for each in objects} == {"role", "user", "profile", "quota", "policy", "grant"}
    for each in objects:
        for statement in (each.statement, each.drop):
            assert client.query_rows(f"EXPLAIN AST {statement}"), statement
    with pytest.raises(DatabaseFailure):
        client.query_rows("EXPLAIN AST CREATE ROW POLICY ent_a USING")


def test_no_row_of_another_school_passes_the_filter_of_a_school(client: Client) -> None:
    """Of any published table; its own row and the territory's do."""
    fill(client, "ent")
    school = Audience(name="a", kind=Kind.ECOLE, places=("0680001A",))
    for table, column, rows in (
        ("cells", "place", 2),
        ("schools", "uai", 1),
        ("classes", "uai", 1),
        ("accounts", "uai", 1),
    ):
        seen = row_filter(school, column, DIRECTORY.of(school))
        assert client.query_rows(f"SELECT count() FROM ent_public.{table} WHERE {seen}") == [(rows,)]
        other = f"SELECT count() FROM ent_public.{table} WHERE ({seen}) AND {column} = '0680002B'"
        assert client.query_rows(other) == [(0,)]


def test_every_published_table_with_schools_in_it_is_one_that_has_policies(client: Client) -> None:
    """A new table with a column of places must not be forgotten."""
    tables = client.query_rows(
        "SELECT DISTINCT c.table FROM system.columns AS c JOIN system.tables AS t "
        "ON t.database = c.database AND t.name = c.table "
        "WHERE c.database = 'ent_public' AND c.name IN ('uai', 'place', 'class_id') AND t.engine LIKE '%MergeTree'"
    )
    policies = wanted([Audience(name="a", kind=Kind.ECOLE, places=("A",))], DIRECTORY, {}, "ent")
    covered = {each.name.rpartition(".")[2] for each in policies if each.kind == "policy"}
    assert {table for (table,) in tables} == covered


def test_each_audience_has_a_data_source_of_its_own_and_no_password_in_it() -> None:
    made = sources(read_audiences(EXAMPLE), "clickhouse", 9000, "ent", secure=True)["datasources"]
    assert len({source["uid"] for source in made}) == len(made) == 4
    databases = {source["jsonData"]["username"]: source["jsonData"]["defaultDatabase"] for source in made}
    assert databases["ent_academie"] == "ent"
    assert databases["ent_ecole_0680001a"] == "ent_public"
    assert all(source["secureJsonData"]["password"].startswith("$ENT_ACCESS_") for source in made)


@pytest.fixture
def server() -> Client:
    """A real ClickHouse whose user may manage access."""
    address = os.environ.get(SERVER)
    if not address:
        pytest.skip(
            f"no ClickHouse server: set {SERVER}=user:password@host:port to one whose user has ACCESS MANAGEMENT; "
            "the embedded engine keeps no users"
        )
    credentials, _, place = address.rpartition("@")
    user, _, password = credentials.partition(":")
    host, _, port = place.partition(":")
    return connect(DatabaseSettings(host=host, port=int(port), user=user, password=SecretStr(password)))


def test_a_viewer_of_one_school_reads_nothing_of_another_on_a_real_server(server: Client) -> None:
    """By any SQL: the tables, the views, a table function, the exact database."""
    database = f"ent_{uuid.uuid4().hex[:8]}"
    school = Audience(name=f"t{uuid.uuid4().hex[:8]}", kind=Kind.ECOLE, places=("0680001A",))
    migrate(server, database)
    fill(server, database)
    objects = wanted([school], DIRECTORY, {school.name: PASSWORD}, database)
    try:
        for each in objects:
            server.command(each.statement)
        left = [step for step in plan(objects, read_found(server), {school.role}) if school.name in step.what]
        assert left == []
        viewer = connect(server.settings.model_copy(update={"user": school.role, "password": PASSWORD}))
        assert viewer.query_rows(f"SELECT count() FROM {database}_public.v_school_day") == [(2,)]
        for table, column in (("cells", "place"), ("v_school_day", "uai"), ("schools", "uai"), ("accounts", "uai")):
            sql = f"SELECT count() FROM {database}_public.{table} WHERE {column} = '0680002B'"
            assert viewer.query_rows(sql) == [(0,)]
        for sql in (f"SELECT * FROM {database}.events", f"SELECT * FROM merge('{database}', 'usage')"):
            with pytest.raises(DatabaseFailure):
                viewer.query_rows(sql)
    finally:
        for each in reversed(objects):
            server.command(each.drop)
        for name in (database, f"{database}_public"):
            server.command(f"DROP DATABASE IF EXISTS {name}")
