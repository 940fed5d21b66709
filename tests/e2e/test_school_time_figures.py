"""What Hors temps scolaire shows, against the same figures counted in Python from events and usual lessons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, time, timedelta

import pytest

from grafana.viewer.source import Source
from tests.e2e.figures import FIRST, LABELS, Board, day_of, in_period, monday_of
from tests.grafana_seed import HOLIDAYS, NOW, PARIS, City, Event, app_label

pytestmark = pytest.mark.timeout(400)
ARMISTICE = date(2026, 11, 11)


@pytest.fixture
def board(source: Source, city: City) -> Board:
    return Board(source, city, "ent-hors-temps", FIRST, NOW)


def moment_of(event: Event) -> str:
    """As the page's own definitions say, for a school that keeps the usual hours."""
    local = event.time.astimezone(PARIS)
    if HOLIDAYS[0] <= event.day < HOLIDAYS[1]:
        return "Vacances"
    if event.day == ARMISTICE:
        return "Jour férié"
    if event.day.weekday() > 4:
        return "Week-end"
    if event.day.weekday() == 2:
        return "Mercredi libre"
    if time(8, 30) <= local.time() < time(11, 30) or time(13, 30) <= local.time() < time(16, 30):
        return "Classe"
    return "Pause méridienne" if time(11, 30) <= local.time() < time(13, 30) else "Soir et matin"


def share(events: Iterable[Event], condition: Callable[[Event], bool]) -> float:
    met = [condition(event) for event in events]
    return round(100 * sum(met) / len(met), 1)


def outside(event: Event) -> bool:
    return moment_of(event) != "Classe"


def paused(event: Event) -> bool:
    """From 20:00 to 07:00, and from Friday 20:00 to Monday 07:00."""
    local = event.time.astimezone(PARIS)
    return local.hour >= 20 or local.hour < 7 or local.weekday() > 4


async def test_the_shares_of_the_period(board: Board, city: City) -> None:
    logins = in_period(city, "login")
    expected = {
        "Hors temps scolaire": share(logins, outside),
        "Soirs": share(logins, lambda e: moment_of(e) == "Soir et matin" and e.time.astimezone(PARIS).hour >= 12),
        "Mercredis libres": share(logins, lambda e: moment_of(e) == "Mercredi libre"),
        "Week-ends": share(logins, lambda e: moment_of(e) == "Week-end"),
        "Vacances et fériés": share(logins, lambda e: moment_of(e) in ("Vacances", "Jour férié")),
    }
    assert all(expected.values())
    for title, figure in expected.items():
        assert (title, (await board.columns(title))[title]) == (title, [figure])


async def test_connections_by_day_and_moment(board: Board, city: City) -> None:
    table = await board.columns("Connexions par jour et par moment")
    expected = Counter((event.day, moment_of(event)) for event in in_period(city, "login"))
    days = [day_of(at) for at in table["time"]]
    assert dict(zip(zip(days, table["moment"], strict=True), table["connexions"], strict=True)) == expected
    table = await board.columns("Connexions par moment")
    moments: Counter[str] = Counter()
    for (_, moment), count in expected.items():
        moments[moment] += count
    assert dict(zip(table["Moment"], table["Connexions"], strict=True)) == moments


async def test_the_share_by_profile_week_and_application(board: Board, city: City) -> None:
    logins, visits = in_period(city, "login"), in_period(city, "app_visit")
    table = await board.columns("Part hors temps scolaire par profil")
    assert dict(zip(table["Profil"], table["Hors temps scolaire"], strict=True)) == {
        LABELS[profile]: share([e for e in logins if e.profile == profile], outside)
        for profile in {event.profile for event in logins}
    }
    table = await board.columns("Part hors temps scolaire par semaine et par profil")
    for at, profile, part in zip(table["time"], table["profil"], table["part"], strict=True):
        of = [event for event in logins if monday_of(event) == day_of(at) and LABELS[event.profile] == profile]
        assert part == share(of, outside)
    table = await board.columns("Part hors temps scolaire par application")
    assert dict(zip(table["Application"], table["Hors temps scolaire"], strict=True)) == {
        app_label(app): share([e for e in visits if e.app == app], outside) for app in {e.app for e in visits}
    }


async def test_the_digital_pause(board: Board, city: City) -> None:
    sent = [event for event in in_period(city, "notification") if event.stage == "sent"]
    assert (await board.columns("Envois dans la pause"))["part"] == [share(sent, paused)]
    table = await board.columns("Notifications et pause numérique, par semaine")
    for row, at in enumerate(table["time"]):
        of = [event for event in sent if monday_of(event) == day_of(at)]
        assert table["Dans la pause"][row] == sum(paused(event) for event in of)
        assert table["Hors de la pause"][row] == sum(not paused(event) for event in of)
    table = await board.columns("Pause numérique par école")
    for row, uai in enumerate(table["ecole_id"]):
        of = [event for event in sent if uai in event.schools]
        assert (table["Envoyées"][row], table["Dans la pause"][row]) == (len(of), sum(map(paused, of)))
        assert table["Part"][row] == share(of, paused)


async def test_the_calendar_is_drawn_over_the_days(board: Board) -> None:
    marks = await board.marks("Calendrier")
    starts = [day_of(at) for at in marks["time"]]
    assert starts == sorted(starts)
    assert set(zip(marks["text"], starts, strict=True)) == {("Vacances", HOLIDAYS[0]), ("Jour férié", ARMISTICE)}
    assert day_of(marks["timeEnd"][1]) - day_of(marks["time"][1]) == timedelta(days=1)
