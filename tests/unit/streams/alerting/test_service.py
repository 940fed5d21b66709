"""Passes over a simulated Mulhouse on simulated time: what opens an alert, and what does not."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import polars as pl
import pytest

from schemas.school_time import Calendar, Closure, ClosureReason, HolidayCalendar
from schemas.school_time.bundled import BUNDLED
from sinks.clickhouse.alert_tables import StepRow
from streams.alerting.service import AlertService
from streams.alerting.settings import AlertSettings
from streams.alerting.tables import Tables
from streams.alerting.telling import Telling
from tests.alert_memory import CityLogins, MemoryAlerts, Silence, Times, minutes, paris

SEED = 68
pytestmark = pytest.mark.timeout(240)  # seconds of CPU; each test learns two months anew
THURSDAY = date(2026, 11, 19)
WEDNESDAY = date(2026, 11, 18)
ARMISTICE = date(2026, 11, 11)
SETTINGS = AlertSettings(history_days=50, dashboard_url="https://tableau.example/d/ecole?var-uai={uai}")


@dataclass
class Heard:
    """A channel that keeps what it is given."""

    name: str = "webhook"
    steps: list[StepRow] = field(default_factory=list)

    def send(self, step: StepRow) -> None:
        self.steps.append(step)


class Stage:
    """A service over a city whose clock the test moves."""

    def __init__(self, *silences: Silence, alerts: MemoryAlerts | None = None) -> None:
        self.logins = CityLogins(SEED, paris(THURSDAY, "07:00"), list(silences))
        self.times = Times(SEED)
        self.alerts = alerts or MemoryAlerts()
        self.heard = Heard()
        self.start()

    def start(self) -> None:
        """A new process: what the old one had in memory is gone."""
        telling = Telling(self.alerts, [self.heard], timedelta(days=1))
        self.service = AlertService(Tables(self.times, self.logins, self.alerts), SETTINGS, telling)

    def run(self, day: date, first: str, last: str, step_min: int = 15) -> None:
        now, end = paris(day, first), paris(day, last)
        while now <= end:
            self.pass_at(now + timedelta(seconds=90))
            now += timedelta(minutes=step_min)

    def pass_at(self, now: datetime) -> None:
        self.logins.now = now
        self.service.tick(now)

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(step.what, step.kind) for step in self.heard.steps]


def largest(day: date) -> str:
    """The school with the most connections."""
    totals = minutes(SEED, day).group_by("uai").agg(n=pl.col("n").sum()).sort("n")
    return str(totals["uai"][-1])


@pytest.fixture(scope="module", autouse=True)
def _drawn() -> None:
    """Draw the history once."""
    CityLogins(SEED, paris(THURSDAY, "20:00")).counts(date(2026, 9, 14), THURSDAY + timedelta(days=1), 420, 5)


def test_a_quiet_day_a_holiday_and_a_free_wednesday_raise_nothing() -> None:
    """Half of the schools are closed on Wednesdays, all of them on 11 November and on Sundays."""
    stage = Stage()
    for day in (ARMISTICE, WEDNESDAY, THURSDAY, date(2026, 11, 15)):
        stage.run(day, "07:00", "20:00", step_min=30)
    assert stage.told == []
    states = {state for frame in stage.alerts.health for state in frame["state"].unique()}
    assert "hors_temps_scolaire" in states
    assert "en_alerte" not in states


def test_a_schools_outage_is_told_once_explained_and_resolved() -> None:
    """With figures, comparable days, what fell, what it is not, how sure, and where to look."""
    school = largest(THURSDAY)
    stage = Stage(Silence(paris(THURSDAY, "08:00"), paris(THURSDAY, "17:00"), school))
    stage.run(THURSDAY, "07:30", "20:00", step_min=5)
    opened = stage.heard.steps[0]
    assert (opened.what, opened.uai) == ("opened", school)
    assert opened.kind in {"ecole_silencieuse", "ecole_en_baisse"}
    for part in (f"École {school}", "jeudi 12 nov.", "attendues", "mercredi libre", "Certitude", f"var-uai={school}"):
        assert part in opened.title + opened.text
    assert "class_id grande" in opened.text
    assert "class_id petite" not in opened.text, "fewer persons than may be told of"
    assert [step.alert_id for step in stage.heard.steps] == [opened.alert_id] * len(stage.heard.steps)
    assert stage.heard.steps[-1].what == "resolved"
    assert [what for what, _ in stage.told].count("opened") == 1


def test_a_second_outage_on_the_same_day_is_told_anew() -> None:
    """The first has an end; the second is another alert, with a beginning of its own."""
    school = largest(THURSDAY)
    spans = (("08:30", "10:00"), ("13:30", "17:00"))
    stage = Stage(*(Silence(paris(THURSDAY, first), paris(THURSDAY, last), school) for first, last in spans))
    stage.run(THURSDAY, "08:30", "18:30", step_min=5)
    opened = [step for step in stage.heard.steps if step.what == "opened"]
    assert [step.uai for step in opened] == [school, school]
    assert opened[0].alert_id != opened[1].alert_id
    assert opened[1].since > paris(THURSDAY, "12:00")
    assert [what for what, _ in stage.told][:3] == ["opened", "resolved", "opened"]


def test_a_platform_outage_is_one_alert_and_no_schools() -> None:
    """Some events still arrive: the pipeline works, and all schools fall together."""
    stage = Stage(Silence(paris(THURSDAY, "15:30"), paris(THURSDAY, "17:30"), share=95))
    stage.run(THURSDAY, "15:00", "19:00", step_min=5)
    assert stage.told == [("opened", "plateforme_en_baisse"), ("resolved", "plateforme_en_baisse")]
    assert stage.heard.steps[0].at < paris(THURSDAY, "17:30"), "how soon depends on the hour: few connect at 15:30"


def test_a_stopped_pipeline_is_its_own_alert_and_mutes_the_schools() -> None:
    """Nothing is judged beyond what is complete, and when it goes on no school is blamed for the gap."""
    stage = Stage()
    stage.run(THURSDAY, "08:00", "09:00")
    stage.logins.complete = paris(THURSDAY, "09:00")
    stage.run(THURSDAY, "09:15", "12:00")
    stage.logins.complete = None
    stage.run(THURSDAY, "12:15", "18:00")
    assert stage.told == [("opened", "flux_interrompu"), ("resolved", "flux_interrompu")]


def test_a_feed_of_which_nothing_arrives_is_an_interruption_too() -> None:
    """Not one event of any school, although Kafka is read to its end."""
    stage = Stage(Silence(paris(THURSDAY, "10:00"), paris(THURSDAY, "12:00")))
    stage.run(THURSDAY, "09:00", "18:00", step_min=5)
    assert stage.told == [("opened", "flux_interrompu"), ("resolved", "flux_interrompu")]


def test_a_service_that_starts_before_the_history_is_read_learns_it_all_the_same() -> None:
    """As in a new demonstration: the passes begin while a month of events is still to come."""
    school = largest(THURSDAY)
    stage = Stage(Silence(paris(THURSDAY, "08:30"), paris(THURSDAY, "12:00"), school))
    begun, stage.logins.begun = stage.logins.begun, THURSDAY + timedelta(days=1)
    stage.pass_at(paris(THURSDAY, "08:21"))  # nothing was sent yet, so that nothing is missing
    stage.logins.begun = begun
    for back in (40, 20, 1):
        stage.logins.complete = paris(THURSDAY - timedelta(days=back), "12:00")
        stage.pass_at(paris(THURSDAY, "08:31"))
    stage.logins.complete = None
    stage.run(THURSDAY, "08:35", "09:30", step_min=5)
    assert [(step.what, step.uai) for step in stage.heard.steps] == [("opened", school)]


def test_a_declared_closure_raises_nothing() -> None:
    """The same silence as an outage, declared beforehand."""
    school = largest(THURSDAY)
    stage = Stage(Silence(paris(THURSDAY, "08:00"), paris(THURSDAY, "19:00"), school))
    stage.times.closures = [
        Closure("c", school, paris(THURSDAY, "00:00"), paris(THURSDAY, "23:59"), ClosureReason.GREVE)
    ]
    stage.run(THURSDAY, "08:00", "19:00")
    assert stage.told == []


def test_a_calendar_near_its_end_warns_and_past_it_mutes() -> None:
    """One alert that worsens; the outage of a school is then not told of."""
    school = largest(THURSDAY)
    stage = Stage(Silence(paris(THURSDAY, "08:00"), paris(THURSDAY, "19:00"), school))
    stage.times.calendar = _until(THURSDAY + timedelta(days=30))
    stage.pass_at(paris(THURSDAY, "07:31"))
    assert stage.told == [("opened", "calendrier_expire")]
    assert "dans 30 jours" in stage.heard.steps[0].text
    stage.times.calendar = _until(THURSDAY)
    stage.run(THURSDAY, "08:00", "19:00", step_min=30)
    assert [kind for _, kind in stage.told] == ["calendrier_expire"] * len(stage.told)
    assert "Calendrier expiré" in stage.heard.steps[-1].title


def _until(after: date) -> Calendar:
    known = BUNDLED.zones["B"]
    periods = tuple(period for period in known.periods if period.after <= after)
    return Calendar({"B": HolidayCalendar(known.begins, after, periods)})


def test_a_service_killed_at_every_pass_tells_the_same() -> None:
    """Each pass by a process of its own, that learns everything anew: nothing is lost, doubled or opened again."""
    school = largest(THURSDAY)
    silence = Silence(paris(THURSDAY, "08:00"), paris(THURSDAY, "15:00"), school)
    steady, killed = Stage(silence), Stage(silence)
    for hour in (11, 13, 18):
        steady.run(THURSDAY, f"{hour:02d}:00", f"{hour:02d}:30", step_min=30)
        killed.run(THURSDAY, f"{hour:02d}:00", f"{hour:02d}:30", step_min=30)
        killed.start()
    assert killed.told == steady.told
    assert set(killed.alerts.rows) == set(steady.alerts.rows)


def test_an_outage_while_the_service_was_away_is_told_when_it_is_back() -> None:
    """Opened and resolved, with the hours at which it was."""
    school = largest(THURSDAY)
    stage = Stage(Silence(paris(THURSDAY, "08:00"), paris(THURSDAY, "15:00"), school))
    stage.run(THURSDAY, "08:00", "08:00")
    stage.run(THURSDAY, "19:00", "19:00")
    assert [what for what, _ in stage.told] == ["opened", "resolved"]
    assert stage.heard.steps[0].since < paris(THURSDAY, "10:00")


def test_mondays_digest_has_the_week_and_is_told_once() -> None:
    """Alerts that were, and notifications in the pause numérique."""
    stage = Stage(Silence(paris(THURSDAY, "08:00"), paris(THURSDAY, "17:00"), largest(THURSDAY)))
    stage.run(THURSDAY, "08:00", "20:00", step_min=30)
    for clock in ("07:45", "08:05", "09:00"):
        stage.pass_at(paris(date(2026, 11, 23), clock))
    digests = [step for step in stage.heard.steps if step.kind == "bulletin_hebdomadaire"]
    assert len(digests) == 1
    assert f"École {largest(THURSDAY)}" in digests[0].text
    assert "pause numérique : École 0689901T (30 %)" in digests[0].text
