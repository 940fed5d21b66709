"""School time in the database, as dashboards ask for it and as operators declare it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.school_time import Category, Closure, ClosureReason, HalfDay, Timetable
from schemas.school_time.bundled import BUNDLED
from schemas.school_time.school_time import PARIS
from sinks.clickhouse.client import Client
from sinks.clickhouse.embedded.process import EmbeddedDatabase
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.school_time import SchoolTimeTables
from streams.commands import app
from tests.database import client_of, database

__all__ = ["database"]
MULHOUSE, NANTES = "0689901T", "0449901Y"
MORNING = (HalfDay(510, 690),)


@pytest.fixture
def client(database: EmbeddedDatabase) -> Client:
    return client_of(database)


@pytest.fixture
def tables(client: Client) -> Iterator[SchoolTimeTables]:
    """Two schools of zone B, one of them in Alsace, in a database of their own."""
    migrate(client, "time")
    schools = [(MULHOUSE, "Strasbourg", "6AE"), (NANTES, "Nantes", "")]
    for uai, academie, subdivision in schools:
        client.command(
            "INSERT INTO time.schools (revision, uai, valid_from, valid_to, academie, zone, holidays) "
            f"VALUES (1, '{uai}', '2025-09-01', '2149-06-06', '{academie}', 'B', '{subdivision}')"
        )
    client.command("INSERT INTO time.directory_revisions (revision) VALUES (1)")
    yield SchoolTimeTables(client, "time")
    client.command("DROP DATABASE time")


def category(client: Client, uai: str, moment: str) -> str:
    """As a dashboard asks: the last change before a moment (Paris)."""
    ((found,),) = client.query_rows(
        "SELECT t.category "
        "FROM (SELECT {uai:String} AS uai, toDateTime({moment:String}, 'Europe/Paris') AS slice) AS u "
        "ASOF LEFT JOIN time.v_school_time AS t ON u.uai = t.uai AND u.slice >= t.starts",
        {"uai": uai, "moment": moment},
    )
    return str(found)


def test_dashboards_can_ask_what_a_minute_is(tables: SchoolTimeTables, client: Client) -> None:
    """Per school: holidays, Good Friday in Alsace alone, a Wednesday, and nothing beyond the calendar."""
    tables.load(BUNDLED, {(NANTES, "2026-2027"): Timetable({3: MORNING, 5: MORNING})})
    assert tables.expand()
    assert category(client, MULHOUSE, "2027-03-26 09:00:00") == "ferie"
    assert category(client, NANTES, "2027-03-26 09:00:00") == "classe"
    assert category(client, MULHOUSE, "2026-11-25 09:00:00") == "mercredi_libre"
    assert category(client, NANTES, "2026-11-25 09:00:00") == "classe"
    assert category(client, NANTES, "2026-11-25 11:30:00") == "soir_matin"
    assert category(client, NANTES, "2026-11-23 09:00:00") == "jour_libre"
    assert category(client, MULHOUSE, "2026-10-20 09:00:00") == "vacances"
    assert category(client, MULHOUSE, "2027-08-26 00:00:00") == ""
    assert category(client, MULHOUSE, "2025-08-31 23:59:59") == ""


def test_what_was_loaded_is_read_again(tables: SchoolTimeTables) -> None:
    """Calendar, weeks and places, equal to what was written."""
    weeks = {(NANTES, "2026-2027"): Timetable({3: MORNING, 5: MORNING})}
    assert tables.read().calendar == BUNDLED, "where nothing was loaded"
    tables.load(BUNDLED, weeks)
    read = tables.read()
    assert read.calendar == BUNDLED
    assert read.timetables == weeks
    assert read.places[MULHOUSE].subdivision == "6AE"


def test_an_expansion_is_made_only_when_something_changed(tables: SchoolTimeTables, client: Client) -> None:
    """The service asks every few minutes; old expansions are dropped."""
    assert tables.expand()
    assert not tables.expand()
    for number in range(5):
        moment = datetime(2026, 11, 24, 8, number, tzinfo=PARIS)
        tables.declare(Closure(str(number), "", moment, moment.replace(hour=12), ClosureReason.GREVE))
        assert tables.expand()
    assert client.query_rows("SELECT uniqExact(revision) FROM time.school_time") == [(3,)]


def test_a_declared_closure_is_in_force_until_it_is_taken_back(tables: SchoolTimeTables, client: Client) -> None:
    """For its school alone."""
    strike = Closure(
        "a", MULHOUSE, datetime(2026, 11, 24, tzinfo=PARIS), datetime(2026, 11, 25, tzinfo=PARIS), ClosureReason.GREVE
    )
    tables.declare(strike)
    tables.expand()
    assert tables.closures() == [strike]
    assert category(client, MULHOUSE, "2026-11-24 09:00:00") == "fermeture"
    assert category(client, NANTES, "2026-11-24 09:00:00") == "classe"
    tables.declare(strike, withdrawn=True)
    tables.expand()
    assert category(client, MULHOUSE, "2026-11-24 09:00:00") == "classe"


def test_operators_load_declare_and_look(
    tables: SchoolTimeTables, database: EmbeddedDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command line from the ministry's file to a closure, and what it says of a file that is wrong."""
    monkeypatch.setenv("ENT_DATABASE__PORT", str(database.port))
    monkeypatch.setenv("ENT_DATABASE__USER", database.user)
    monkeypatch.setenv("ENT_DATABASE__PASSWORD", database.password.get_secret_value())
    monkeypatch.setenv("ENT_DATABASE__DATABASE", "time")
    weeks = tmp_path / "weeks.csv"
    weeks.write_text(
        "code_uai;annee_scolaire;mercredi_matin_debut;mercredi_matin_fin\n0689901T;2026-2027;08:30;11:30\n"
    )
    ent = CliRunner()
    assert ent.invoke(app, ["calendar", "check", "--timetables", str(weeks)]).exit_code == 0
    load = ["calendar", "load", "--timetables", str(weeks)]
    preview = json.loads(ent.invoke(app, [*load, "--preview", "--json"]).stdout)
    assert preview == {"added": [f"{MULHOUSE} 2026-2027"], "lost": [], "changed": [], "before": 0}
    assert tables.read().timetables == {}
    assert json.loads(ent.invoke(app, [*load, "--json"]).stdout)["usual_week"] == 1
    shown = ent.invoke(app, ["calendar", "show", MULHOUSE, "--from", "2026-11-25", "--days", "1"]).output
    assert "08:30–11:30" in shown
    declared = ent.invoke(app, ["calendar", "declare", "all", "--from", "2026-12-01", "--to", "2026-12-01"])
    assert declared.exit_code == 0
    assert tables.read().category_at(NANTES, datetime(2026, 12, 1, 23, tzinfo=PARIS)) is Category.FERMETURE
    assert declared.output.strip() in ent.invoke(app, ["calendar", "show"]).output
    weeks.write_text("code_uai;annee_scolaire;lundi_matin_debut;lundi_matin_fin\n0440002U;2026-2027;08:30;11:30\n")
    lossy = ent.invoke(app, load)
    assert (lossy.exit_code, "1 of 1 timetables would be lost" in lossy.output) == (1, True)
    weeks.write_text("code_uai;annee_scolaire\n0689901T;2026-2027\n")
    wrong = ent.invoke(app, load)
    assert wrong.exit_code == 1
    assert "line 2" in wrong.output
    assert tables.read().timetable(MULHOUSE, date(2026, 11, 25)).on(date(2026, 11, 25)) == MORNING
