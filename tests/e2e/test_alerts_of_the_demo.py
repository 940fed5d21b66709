"""Days of the demonstration in a real database, on a simulated clock, with a webhook that listens."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import polars as pl
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from sinks.clickhouse.embedded.process import EmbeddedDatabase
from streams.alerting.assembly import assemble
from streams.alerting.service import AlertService
from streams.alerting.settings import AlertSettings
from streams.commands import app
from streams.demo.morning import first_day
from streams.demo.play import ALERTS
from streams.simulator.calendar import is_school_day
from tests.alert_memory import Silence
from tests.database import client_of, database
from tests.simulated_city import SimulatedCity, paris

__all__ = ["database"]

pytestmark = pytest.mark.timeout(120)  # a month of a city is written first
ARMISTICE, WEDNESDAY, THURSDAY, FRIDAY = (date(2026, 11, day) for day in (11, 18, 19, 20))
STOPPED = date(2026, 11, 23)
DAY = timedelta(days=1)
LARGEST = "0689909B"
Told = list[dict[str, Any]]
SETTINGS = {name.removeprefix("ENT_ALERTS__").lower(): int(value) for name, value in ALERTS.items()}


class Listener:
    """A webhook."""

    def __init__(self) -> None:
        told: list[dict[str, Any]] = []

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.told = told
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Demo:
    """The service as `ent demo` sets it, over what the demonstration's schools did, from one day to the next."""

    def __init__(self, city: SimulatedCity, webhook: Listener) -> None:
        self.city, self.webhook = city, webhook
        settings = AlertSettings(webhook_url=SecretStr(webhook.url), **SETTINGS)
        self.service: AlertService = assemble(city.client, city.database, settings)

    def run(self, day: date, first: str, last: str, step_min: int = 5, *, stopped: bool = False) -> Told:
        """What was told from `first` until `last`; with `stopped` nothing is complete after `first`."""
        known = len(self.webhook.told)
        now, end = (paris(day, clock) + timedelta(seconds=90) for clock in (first, last))
        self.city.complete(now)
        while now <= end:
            if not stopped:
                self.city.complete(now)
            self.service.tick(now)
            now += timedelta(minutes=step_min)
        return self.webhook.told[known:]


@dataclass
class Days:
    """What was told, and shown, on each of them."""

    holiday: Told
    wednesday: Told
    outage: Told
    shown: list[tuple[Any, ...]]
    recovery: Told
    platform: Told
    platform_recovery: Told
    stop: Told


@pytest.fixture(scope="module")
def city(database: EmbeddedDatabase) -> SimulatedCity:
    """The history of the demonstration; on Thursday its largest school falls silent, on Friday the platform."""
    made = SimulatedCity(client_of(database), "demonstration", 68)
    made.settle(FRIDAY)
    silences = {
        THURSDAY: Silence(paris(THURSDAY, "08:45"), paris(THURSDAY, "12:00"), LARGEST),
        FRIDAY: Silence(paris(FRIDAY, "08:45"), paris(FRIDAY, "10:30"), share=95),
    }
    day, written = first_day(paris(THURSDAY, "08:35"), is_school_day), []
    while day <= STOPPED:
        minutes = made.minutes(day)
        written.append(silences[day].spare(minutes) if day in silences else minutes)
        day += DAY
    made.write(pl.concat(written))
    return made


@pytest.fixture(scope="module")
def days(city: SimulatedCity) -> Iterator[Days]:
    webhook = Listener()
    demo = Demo(city, webhook)
    yield Days(
        holiday=demo.run(ARMISTICE, "09:00", "15:00", 180),
        wednesday=demo.run(WEDNESDAY, "09:00", "18:00", 90),
        outage=demo.run(THURSDAY, "08:40", "09:05"),
        shown=city.client.query_rows(f"SELECT uai, toString(kind) FROM {city.database}.v_alerts WHERE open"),
        recovery=demo.run(THURSDAY, "13:00", "17:00", 60),
        platform=demo.run(FRIDAY, "08:45", "08:55"),
        platform_recovery=demo.run(FRIDAY, "09:00", "18:00", 60),
        stop=demo.run(STOPPED, "08:30", "10:00", 30, stopped=True) + demo.run(STOPPED, "10:00", "18:00", 60),
    )
    webhook.close()


def test_a_schools_outage_is_at_the_webhook_within_twenty_minutes_and_explained(
    days: Days, database: EmbeddedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ent simulate --outage` at 08:45 in a school that expects sixty logins an hour until a quarter to eleven."""
    assert kinds(days.outage) == [("opened", "ecole_silencieuse", LARGEST)]
    assert days.shown == [(LARGEST, "ecole_silencieuse")]
    for part in ("attendues", "Comparé aux mêmes heures de", "Classes concernées", "mercredi libre", "Certitude"):
        assert part in days.outage[0]["text"]
    assert paris(THURSDAY, "08:35") <= datetime.fromisoformat(days.outage[0]["since"]) <= paris(THURSDAY, "08:50")
    assert "ecole_silencieuse since" in explain(database, monkeypatch, LARGEST, "2026-11-19T09:05")
    assert kinds(days.recovery) == [("resolved", "ecole_silencieuse", LARGEST)]


def test_an_outage_of_the_platform_is_one_alert_within_ten_minutes_and_no_schools(days: Days) -> None:
    assert kinds(days.platform) == [("opened", "plateforme_en_baisse", None)]
    assert kinds(days.platform_recovery) == [("resolved", "plateforme_en_baisse", None)]


def test_a_holiday_and_a_free_wednesday_are_told_of_by_nobody(days: Days) -> None:
    assert days.holiday + days.wednesday == []


def test_a_stopped_pipeline_is_told_as_that_and_no_school_is_blamed(days: Days) -> None:
    assert kinds(days.stop) == [
        ("told", "bulletin_hebdomadaire", None),
        ("opened", "flux_interrompu", None),
        ("resolved", "flux_interrompu", None),
    ]


def kinds(told: Told) -> list[tuple[str, str, str | None]]:
    return [(one["status"], one["kind"], one["school"]) for one in told]


def explain(database: EmbeddedDatabase, monkeypatch: pytest.MonkeyPatch, school: str, moment: str) -> str:
    for name, value in {
        "PORT": str(database.port),
        "USER": database.user,
        "PASSWORD": database.password.get_secret_value(),
        "DATABASE": "demonstration",
    }.items():
        monkeypatch.setenv(f"ENT_DATABASE__{name}", value)
    for name, value in ALERTS.items():
        monkeypatch.setenv(name, value)
    return CliRunner().invoke(app, ["alerts", "explain", school, moment]).output
