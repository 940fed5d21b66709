"""What Applications shows, against the same figures counted in Python from the events themselves."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta

import pytest

from grafana.viewer.source import Source
from schemas.applications import APPLICATIONS
from tests.e2e.figures import FIRST, LABELS, Board, chosen, day_of, in_period, people
from tests.grafana_seed import NOW, TODAY, City, app_label

pytestmark = pytest.mark.timeout(400)
DAYS = (TODAY - FIRST).days + 1


@pytest.fixture
def applications(source: Source, city: City) -> Board:
    return Board(source, city, "ent-applications", FIRST, NOW)


@pytest.mark.parametrize("app", [None, "blog"])
async def test_the_figures_of_all_applications_and_of_one(applications: Board, city: City, app: str | None) -> None:
    visits = [event for event in in_period(city, "app_visit") if app in (None, event.app)]
    expected = {
        "Visites": len(visits),
        "Personnes": people(visits),
        "Visites par personne": round(len(visits) / people(visits), 1),
        "Applications utilisées": len({event.app for event in visits} - {"autre"}),
        "Écoles utilisatrices": round(100 * len({uai for event in visits for uai in event.schools}) / 21, 1),
    }
    for title, figure in expected.items():
        shown = await applications.columns(title, apps=[app] if app else None)
        assert (title, shown[title]) == (title, [figure])


async def test_the_share_that_the_catalogue_does_not_know(applications: Board, city: City) -> None:
    visits = in_period(city, "app_visit")
    unknown = [event for event in visits if event.app == "autre"]
    assert (await applications.columns("Non reconnues"))["part"] == [round(100 * len(unknown) / len(visits), 2)]
    table = await applications.columns("Applications non reconnues, par nom envoyé")
    assert (table["Nom envoyé"], table["Visites"]) == (["atelier-inconnu"], [len(unknown)])
    assert table["Écoles"] == [len({event.schools[0] for event in unknown})]


async def test_each_application_with_its_share_change_people_and_schools(applications: Board, city: City) -> None:
    table = await applications.columns("Les applications")
    visits = in_period(city, "app_visit")
    before = chosen(city, "app_visit", lambda event: FIRST - timedelta(days=DAYS) <= event.day < FIRST)
    for row, key in enumerate(table["application_id"]):
        now = [event for event in visits if event.app == key]
        last = sum(event.app == key for event in before)
        assert table["Application"][row] == app_label(key)
        assert table["Visites"][row] == len(now)
        assert table["Part"][row] == round(100 * len(now) / len(visits), 1)
        assert table["Évolution"][row] == pytest.approx(100 * (len(now) / last - 1), abs=0.051)
        assert table["Personnes"][row] == people(now)
        assert table["Écoles"][row] == len({uai for event in now for uai in event.schools})
    assert set(table["application_id"]) == {event.app for event in visits}


async def test_services_count_each_person_once(applications: Board, city: City) -> None:
    visits: dict[str, int] = Counter()
    users: dict[str, set[int]] = defaultdict(set)
    for event in in_period(city, "app_visit"):
        service = APPLICATIONS[event.app].service if event.app in APPLICATIONS else "non reconnu"
        visits[service] += 1
        users[service].add(event.user)
    table = await applications.columns("Visites par service DNMA")
    assert dict(zip(table["Service"], table["Visites"], strict=True)) == visits
    table = await applications.columns("Personnes par service DNMA")
    assert dict(zip(table["Service"], table["Personnes"], strict=True)) == {s: len(u) for s, u in users.items()}


async def test_visits_by_day_and_profile(applications: Board, city: City) -> None:
    table = await applications.columns("Visites par jour et par profil")
    expected = Counter((event.day, LABELS[event.profile]) for event in in_period(city, "app_visit"))
    days = [day_of(time) for time in table["time"]]
    assert dict(zip(zip(days, table["profil"], strict=True), table["visites"], strict=True)) == expected


async def test_first_uses_add_up_since_the_school_year_began(applications: Board, city: City) -> None:
    table = await applications.columns("Premières utilisations, en cumul")
    first: dict[tuple[str, int], date] = {}
    for event in chosen(city, "app_visit", lambda event: event.app != "autre"):
        first.setdefault((event.app, event.user), event.day)
    visits = Counter(event.app for event in in_period(city, "app_visit") if event.app != "autre")
    most = [app for app, _ in visits.most_common(8)]
    assert set(table["application"]) == {app_label(app) for app in most}
    keys = {app_label(app): app for app in most}
    for time, label, shown in zip(table["time"], table["application"], table["personnes"], strict=True):
        assert shown == sum(app == keys[label] and day <= day_of(time) for (app, _), day in first.items())


async def test_the_share_of_classes_that_an_application_reached(applications: Board, city: City) -> None:
    table = await applications.columns("Couverture des classes")
    classes: dict[str, set[str]] = defaultdict(set)
    for event in in_period(city, "app_visit"):
        if event.class_id and event.app != "autre":
            classes[app_label(event.app)].add(event.class_id)
    shown = dict(zip(table["Application"], table["Part des classes"], strict=True))
    assert shown == {label: round(100 * len(reached) / 450, 1) for label, reached in classes.items()}
