"""The generated SQL against the engine: it parses, its filters let no row of another school through; on a real server
if there is one, its users are tried."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr
from typer.testing import CliRunner

from grafana.audiences import Reached, sources
from sinks.clickhouse.access import Audience, Directory, Kind, row_filter, wanted
from sinks.clickhouse.access_plan import Found, plan, read_found
from sinks.clickhouse.client import Client, DatabaseSettings, connect
from sinks.clickhouse.errors import DatabaseFailure
from sinks.clickhouse.migrate import migrate
from streams.commands import app
from streams.commands.access import read_audiences
from streams.settings import SettingsError
from tests.database import client_of, embedded_database

ROOT = Path(__file__).parents[2]
EXAMPLE, GRAFANA = ROOT / "examples/access.toml", ROOT / "grafana/provisioning"
REACHED = Reached("clickhouse", 9000, "ent", secure=True)
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
    """With an organisation, it is the only one there, and the one that dashboards look for."""
    made = sources(read_audiences(EXAMPLE), REACHED)["datasources"]
    assert len({(source["orgId"], source["uid"]) for source in made}) == len(made) == 4
    databases = {source["jsonData"]["username"]: source["jsonData"]["defaultDatabase"] for source in made}
    assert databases["ent_academie"] == "ent"
    assert databases["ent_ecole_0680001a"] == "ent_public"
    assert all(source["secureJsonData"]["password"].startswith("$ENT_ACCESS_") for source in made)
    operators = yaml.safe_load((GRAFANA / "datasources/clickhouse.yaml").read_text())["datasources"]
    asked_first = [source["uid"] for source in operators if source["isDefault"]]
    assert [source["uid"] for source in made if source["isDefault"]] == 3 * asked_first
    assert {source["orgId"] for source in made if not source["isDefault"]} == {1}


def test_provisioning_is_written_compared_and_read_as_the_hand_written_one(tmp_path: Path) -> None:
    """Each organisation gets the dashboards from where the operators' come; a file that was changed is seen."""
    command = ["access", "grafana", str(EXAMPLE), "--into", str(tmp_path)]
    assert CliRunner().invoke(app, [*command, "--check"]).exit_code == 1
    assert not list(tmp_path.iterdir())
    assert CliRunner().invoke(app, command).exit_code == 0
    assert CliRunner().invoke(app, [*command, "--check"]).exit_code == 0
    (operators,) = yaml.safe_load((GRAFANA / "dashboards/ent.yaml").read_text())["providers"]
    made = yaml.safe_load((tmp_path / "dashboards/audiences.yaml").read_text())["providers"]
    assert [each["orgId"] for each in made] == [2, 3, 4]
    assert {each["options"]["path"] for each in made} == {operators["options"]["path"]}
    written = tmp_path / "datasources/audiences.yaml"
    assert [each["orgId"] for each in yaml.safe_load(written.read_text())["datasources"]] == [1, 2, 3, 4]
    written.write_text(written.read_text().replace("ent_public", "ent"))
    changed = CliRunner().invoke(app, [*command, "--check"])
    assert (changed.exit_code, str(written) in changed.output) == (1, True)


def test_two_audiences_do_not_share_an_organisation(tmp_path: Path) -> None:
    file = tmp_path / "access.toml"
    file.write_text(EXAMPLE.read_text().replace("organisation = 4", "organisation = 3"))
    with pytest.raises(SettingsError, match="same organisation"):
        read_audiences(file)


def test_a_plan_says_every_change_and_no_hash_of_a_password(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As JSON too; what an exact reading gives away comes first. What a server has is made up: the engine has none."""
    monkeypatch.setattr("streams.commands.access.connect", lambda _settings: client)
    monkeypatch.setattr("streams.commands.access.read_found", lambda _client: [Found("role", "ent_gone")])
    (tmp_path / "ville").write_text("the password of the city")
    done = CliRunner().invoke(app, ["access", "plan", str(EXAMPLE), "--passwords", str(tmp_path), "--json"])
    assert done.exit_code == 1, done.output
    told = json.loads(done.stdout)
    assert [opened.split()[0] for opened in told["opened"]] == ["academie"]
    for change in ({"sign": "+", "what": "user ent_ville"}, {"sign": "-", "what": "role ent_gone"}):
        assert change in told["changes"]
    assert "IDENTIFIED" not in done.stdout


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
