"""Alerts in a real database: what is read of connections, the life of an alert, and what was told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from typer.testing import CliRunner

from sinks.clickhouse.alert_tables import AlertTables, Delivery, Mute, StepRow
from sinks.clickhouse.client import Client
from sinks.clickhouse.embedded.process import EmbeddedDatabase
from sinks.clickhouse.logins import LoginTables, Span
from streams.alerting.assembly import assemble
from streams.alerting.settings import AlertSettings
from streams.commands import app
from streams.directory.folder import read_directory_folder
from streams.simulator.mulhouse import EXAMPLE
from streams.simulator.population import Settling
from tests.database import client_of, database
from tests.simulated_city import SimulatedCity, minutes_of, paris

__all__ = ["database"]

pytestmark = pytest.mark.timeout(180)  # the history of a city is written first
THURSDAY = date(2026, 11, 19)
SCHOOL = "0689907Z"
OPENED = StepRow(
    alert_id="0123456789",
    step=1,
    what="opened",
    at=datetime(2026, 11, 19, 9, 30, tzinfo=UTC),
    kind="ecole_silencieuse",
    topic=f"ecole:{SCHOOL}",
    uai=SCHOOL,
    profile="",
    since=datetime(2026, 11, 19, 9, tzinfo=UTC),
    level=3,
    observed=None,
    expected=40.0,
    evidence=20.0,
    limit=14.0,
    title="Plus de connexions : École",
    text="Depuis 10:00.",
    details='{"classes": ["CP A"]}',
)
RESOLVED = replace(OPENED, step=2, what="resolved", at=OPENED.at + timedelta(hours=1))


@pytest.fixture(scope="module")
def client(database: EmbeddedDatabase) -> Client:
    """Two weeks of a simulated Mulhouse."""
    client = client_of(database)
    city = SimulatedCity(client, "alerts", 68)
    city.settle(THURSDAY)
    city.write_history(date(2026, 11, 12), THURSDAY + timedelta(days=1))
    city.complete(paris(THURSDAY, "18:00"))
    return client


@pytest.fixture
def alerts(client: Client) -> AlertTables:
    for table in ("alert_steps", "alert_deliveries", "alert_mutes", "alert_acks", "alert_labels"):
        client.command(f"TRUNCATE TABLE alerts.{table}")
    return AlertTables(client, "alerts")


def test_connections_are_counted_in_bins_of_paris_clock(client: Client) -> None:
    """Each school, profile and five minutes, from the first minute that was asked for."""
    counts = LoginTables(client, "alerts").counts(THURSDAY, THURSDAY + timedelta(days=1), 420, 5)
    minutes = minutes_of(Settling(read_directory_folder(EXAMPLE).rows, 68), 68, THURSDAY)
    local = pl.col("at").dt.replace_time_zone("UTC").dt.convert_time_zone("Europe/Paris")
    expected = minutes.filter((pl.col("type") == "login") & (local.dt.hour() >= 7))["n"].sum()
    assert counts["logins"].sum() == expected
    assert counts["bin"].is_between(0, 179 + 24).all()
    assert set(counts["day"]) == {THURSDAY}


def test_what_fell_is_compared_with_the_same_hours_of_other_days(client: Client) -> None:
    """Classes by their labels, with the mean of the comparable days."""
    tables = LoginTables(client, "alerts")
    now, before = (Span(paris(day, "08:00"), paris(day, "12:00")) for day in (THURSDAY, date(2026, 11, 12)))
    classes = tables.parts(SCHOOL, "class_id", now, [before])
    assert sum(part.events for part in classes) > 50
    assert sum(part.usual_events for part in classes) > 50
    assert not any(part.name.startswith("068") for part in classes), "people do not know our ids"
    assert tables.persons(SCHOOL, now) > 5
    assert tables.parts(SCHOOL, "profile", now, []) == []


def test_an_alert_lives_in_its_steps(alerts: AlertTables) -> None:
    """The same step told twice is one step; what is open and since when comes from all of them."""
    alerts.add_steps([OPENED])
    alerts.add_steps([OPENED])
    (standing,) = alerts.alerts()
    assert (standing.open, standing.steps, standing.opened_at) == (True, 1, OPENED.at)
    alerts.add_steps([RESOLVED])
    (ended,) = alerts.alerts()
    assert (ended.open, ended.resolved_at, ended.since) == (False, RESOLVED.at, OPENED.since)
    assert alerts.alerts(RESOLVED.at + timedelta(minutes=1)) == []
    assert alerts.steps("0123") == [OPENED, RESOLVED]


def test_a_step_is_untold_until_its_delivery_is_noted(alerts: AlertTables) -> None:
    """Failed attempts are counted; a delivery on one channel says nothing of another."""
    alerts.add_steps([OPENED])
    failed = Delivery(OPENED.alert_id, 1, "webhook", "failed", 1, "the webhook answered 503", OPENED.at)
    alerts.note_delivery(failed)
    assert [(channel, n) for _, channel, n in alerts.untold(["webhook", "email"], OPENED.at)] == [
        ("webhook", 1),
        ("email", 0),
    ]
    alerts.note_delivery(replace(failed, outcome="sent", attempts=2))
    assert [channel for _, channel, _ in alerts.untold(["webhook", "email"], OPENED.at)] == ["email"]


def test_operators_read_acknowledge_mute_and_label(
    alerts: AlertTables, client: Client, database: EmbeddedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the list to the label, by the first letters of an id."""
    monkeypatch.setenv("ENT_DATABASE__PORT", str(database.port))
    monkeypatch.setenv("ENT_DATABASE__USER", database.user)
    monkeypatch.setenv("ENT_DATABASE__PASSWORD", database.password.get_secret_value())
    monkeypatch.setenv("ENT_DATABASE__DATABASE", "alerts")
    alerts.add_steps([OPENED])
    ent = CliRunner()
    assert OPENED.title in ent.invoke(app, ["alerts", "list"]).output
    assert OPENED.text in ent.invoke(app, ["alerts", "show", "0123"]).output
    assert ent.invoke(app, ["alerts", "ack", "0123"]).exit_code == 0
    assert alerts.acknowledged() == {OPENED.alert_id}
    assert alerts.alerts()[0].acknowledged
    muted = ent.invoke(app, ["alerts", "mute", SCHOOL, "--hours", "2"]).output.strip()
    assert [mute.mute_id for mute in alerts.mutes()] == [muted]
    assert ent.invoke(app, ["alerts", "mute", SCHOOL, "--withdraw", muted]).exit_code == 0
    assert alerts.mutes() == []
    assert ent.invoke(app, ["alerts", "label", "fausse_alerte", "--alert", "0123"]).exit_code == 0
    assert client.query_rows("SELECT toString(verdict), alert_id FROM alerts.alert_labels") == [
        ("fausse_alerte", OPENED.alert_id)
    ]
    assert "no alert 9999" in ent.invoke(app, ["alerts", "show", "9999"]).output
    explained = ent.invoke(app, ["alerts", "explain", SCHOOL, "2026-11-19T15:00"]).output
    for word in ("a school day", "information", "silence", "parent"):
        assert word in explained


def test_a_pass_stores_every_schools_scores(alerts: AlertTables, client: Client) -> None:
    """With little history they say that they are still learning; a second pass changes nothing."""
    service = assemble(client, "alerts", AlertSettings(history_days=7))
    assert service.tick(paris(THURSDAY, "15:02"))
    assert not service.tick(paris(THURSDAY, "15:03"))
    found = client.query_rows(
        "SELECT uniqExact(uai), count(), any(toString(state)) FROM alerts.v_school_health WHERE profile = ''"
    )
    assert found == [(21, 21, "apprentissage")]
    assert alerts.last_judged() == paris(THURSDAY, "15:00")


def test_mutes_cover_their_school_kind_and_time() -> None:
    """Everything else is told."""
    mute = Mute("m", SCHOOL, "", OPENED.at, OPENED.at + timedelta(hours=1), "")
    assert mute.covers(OPENED)
    assert not mute.covers(RESOLVED)
    assert not replace(mute, uai="0689901T").covers(OPENED)
    assert not replace(mute, kind="doublons").covers(OPENED)
    assert replace(mute, uai="", kind=OPENED.kind).covers(OPENED)
