"""What École shows of one school, against the same figures counted in Python from the events themselves."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from grafana.viewer.source import Source
from tests.e2e.figures import (
    FIRST,
    LABELS,
    Board,
    activated,
    chosen,
    day_of,
    hour_of,
    in_period,
    people,
    with_accounts,
)
from tests.grafana_seed import BREAK, HEALTH, HOLIDAYS, NOW, PARIS, TODAY, City, app_label

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def school(city: City) -> str:
    """One that shares a member of staff with another, so that counting once in all would be wrong."""
    return city.schools[1].uai


@pytest.fixture
def ecole(source: Source, city: City) -> Board:
    return Board(source, city, "ent-ecole", FIRST, NOW)


async def test_the_figures_of_the_school(ecole: Board, city: City, school: str) -> None:
    logins = in_period(city, "login", school)
    total = activated(city, lambda row: row["uai"])[school]
    expected = {
        "Connexions": len(logins),
        "Personnes connectées": people(logins),
        "Taux de connexion": round(100 * people(with_accounts(city, logins)) / total, 1),
        "Connexions par personne": round(len(logins) / people(logins), 1),
    }
    for title, figure in expected.items():
        ((shown,),) = (await ecole.columns(title, [school])).values()
        assert (title, shown) == (title, figure)


async def test_the_band_is_the_same_weekday_of_six_weeks_before(ecole: Board, city: City, school: str) -> None:
    table = await ecole.columns("Connexions par jour et bande attendue", [school])
    count = Counter(event.day for event in chosen(city, "login", lambda event: school in event.schools))
    assert [day_of(time) for time in table["time"]] == [FIRST + timedelta(days=n) for n in range(29)]
    for row, time in enumerate(table["time"]):
        day = day_of(time)
        before = [count[day - timedelta(weeks=n)] for n in range(1, 7) if count[day - timedelta(weeks=n)]]
        assert table["Connexions"][row] == count[day]
        shown = [table[name][row] for name in ("Attendu, bas", "Attendu (médiane)", "Attendu, haut")]
        if len(before) < 3:
            assert shown == [None, None, None]
        else:
            middle = sorted(before)[len(before) // 2]
            assert shown == [min(before), middle, max(before)]
            assert statistics.median_low(before) <= middle


async def test_the_last_judgement_of_each_hour_is_shown_beside_its_bounds(ecole: Board, school: str) -> None:
    table = await ecole.columns("Heure par heure : attendu par la veille des alertes, et observé", [school])
    last: dict[datetime, dict[str, Any]] = {}
    for judged in HEALTH:
        if judged["state"] == "normal":
            last.setdefault(judged["at"].replace(minute=0, second=0), judged)
    expected = sorted(last.values(), key=lambda judged: judged["at"])
    shown = [datetime.fromtimestamp(time / 1000, NOW.tzinfo) for time in table["time"]]
    assert shown == [row["at"] for row in expected]
    assert table["Observées"] == [row["observed"] for row in expected]
    bounds = list(zip(table["Borne basse"], table["Attendues"], table["Borne haute"], strict=True))
    assert bounds == [(11, 22, 44)] * len(expected)


async def test_the_classes_of_the_school(ecole: Board, city: City, school: str) -> None:
    """Each class of the directory once, masked below five persons."""
    table = await ecole.columns("Les classes sur la période", [school])
    users: dict[str, set[int]] = defaultdict(set)
    for event in in_period(city, "login", school):
        users[event.class_id].add(event.user)
    total = activated(city, lambda row: row["class_id"])
    labels = {label: class_id for class_id, (uai, label) in city.classes.items() if uai == school}
    assert sorted(table["Classe"]) == sorted(labels)
    for row, label in enumerate(table["Classe"]):
        class_id = labels[label]
        count = len(users[class_id])
        assert table["Personnes"][row] == (count if count == 0 or count >= 5 else None)
        rate = None if 0 < count < 5 else pytest.approx(100 * count / total[class_id], abs=0.051)
        assert table["Taux de connexion"][row] == rate
        assert (table["Enseignant"][row] == "Formé") == city.traits[class_id].trained
        assert (table["Équipement"][row] == "Équipée") == city.traits[class_id].projector


async def test_the_hours_of_the_week_are_means_of_the_weeks(ecole: Board, city: City, school: str) -> None:
    table = await ecole.columns("Connexions par heure de la semaine", [school])
    count = Counter((hour_of(event), event.day.weekday()) for event in in_period(city, "login", school))
    weeks = (NOW.date() - FIRST + timedelta(days=7)).days // 7
    days = [name for name in table if name != "Heure"]
    shown = {
        (int(hour[:2]), weekday): table[day][row]
        for row, hour in enumerate(table["Heure"])
        for weekday, day in enumerate(days)
    }
    assert {key for key, value in shown.items() if value} == set(count)
    assert shown == pytest.approx({key: round(count[key] / weeks, 1) for key in shown}, abs=0.051)


async def test_profiles_applications_and_devices_of_the_school(ecole: Board, city: City, school: str) -> None:
    logins = in_period(city, "login", school)
    persons = Counter({profile: people(e for e in logins if e.profile == profile) for profile in LABELS})
    table = await ecole.columns("Personnes par profil", [school])
    assert dict(zip(table["Profil"], table["Personnes"], strict=True)) == {
        LABELS[profile]: count for profile, count in persons.items() if count >= 5
    }
    words = {"ordinateur": "Ordinateur", "smartphone": "Smartphone", "tablette": "Tablette", "inconnu": "Non précisé"}
    table = await ecole.columns("Connexions par appareil", [school])
    devices = Counter(words[event.device] for event in logins)
    assert dict(zip(table["Appareil"], table["Connexions"], strict=True)) == devices
    table = await ecole.columns("Applications les plus visitées", [school])
    visits = Counter(app_label(event.app) for event in in_period(city, "app_visit", school))
    assert dict(zip(table["Application"], table["Visites"], strict=True)) == dict(visits.most_common(15))


async def test_the_notes_on_the_quality_of_the_data(ecole: Board, city: City, school: str) -> None:
    table = await ecole.columns("Qualité des données de l’école", [school])
    shown = dict(zip(table["Constat"], table["Nombre"], strict=True))
    events = [
        event
        for kind in ("login", "app_visit", "notification", "activation")
        for event in in_period(city, kind, school)
    ]
    assert shown["Événements reçus"] == len(events)
    assert shown["Application inconnue du catalogue"] == sum(event.app == "autre" for event in events)
    assert shown["Arrivés plus d’une heure après"] == 0
    part = dict(zip(table["Constat"], table["Part"], strict=True))["Application inconnue du catalogue"]
    assert part == round(100 * shown["Application inconnue du catalogue"] / len(events), 1)


async def test_holidays_and_breaks_are_drawn(ecole: Board, school: str) -> None:
    calendar = await ecole.marks("Calendrier", [school])
    spans = [
        (text, day_of(start), day_of(end))
        for text, start, end in zip(calendar["text"], calendar["time"], calendar["timeEnd"], strict=True)
    ]
    assert ("Vacances", *HOLIDAYS) in spans
    assert ("Jour férié", date(2026, 11, 11), date(2026, 11, 12)) in spans
    breaks = await ecole.marks("Ruptures de série", [school])
    assert breaks["text"] == [BREAK]
    assert datetime.fromtimestamp(breaks["time"][0] / 1000, PARIS) == datetime(2026, 11, 9, tzinfo=PARIS)


async def test_the_running_day_is_marked(ecole: Board) -> None:
    marks = await ecole.marks("Jour en cours")
    assert [(day_of(start), day_of(end)) for start, end in zip(marks["time"], marks["timeEnd"], strict=True)] == [
        (TODAY, TODAY + timedelta(days=1))
    ]
