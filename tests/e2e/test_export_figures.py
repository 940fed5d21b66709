"""What Remontées gives to download, against the same lines counted in Python from the events themselves."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest

from grafana.viewer.source import Source
from schemas.applications import APPLICATIONS, SERVICES
from tests.e2e.figures import LABELS, Board, chosen
from tests.grafana_seed import PARIS, City, Event, accounts, app_label

pytestmark = pytest.mark.timeout(400)
MONDAY = date(2026, 11, 9)
SUNDAY = MONDAY + timedelta(days=6)
PAUSE = timedelta(minutes=30)
KEYS = [
    "debutsemaine",
    "uai",
    "academie",
    "commune",
    "departement",
    "region",
    "ministere",
    "circonscription",
    "nature_uai",
    "secteur",
]
EXPORTED = [
    "établissement",
    "UAI",
    "date",
    "profil",
    "connexions",
    "visiteurs uniques",
    "comptes chargés",
    "comptes activés",
]

Visit = list[Event]


@pytest.fixture
def board(source: Source, city: City) -> Board:
    return Board(source, city, "ent-remontees", MONDAY, datetime.combine(SUNDAY, time(23, 59, 59), PARIS))


def week(city: City, kind: str) -> list[Event]:
    return chosen(city, kind, lambda event: MONDAY <= event.day <= SUNDAY)


@pytest.fixture
def visits(city: City) -> dict[str, list[Visit]]:
    """The visits to each school: events of one person without a pause of more than half an hour."""
    steps: dict[tuple[str, str, int], Visit] = defaultdict(list)
    for event in sorted(week(city, "login") + week(city, "app_visit"), key=lambda event: event.time):
        for uai in event.schools:
            steps[uai, event.profile, event.user].append(event)
    found: dict[str, list[Visit]] = defaultdict(list)
    for (uai, _, _), events in steps.items():
        found[uai].append([events[0]])
        for before, event in pairwise(events):
            if event.time - before.time > PAUSE:
                found[uai].append([])
            found[uai][-1].append(event)
    return found


def length(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def seconds(visit: Visit) -> int:
    return int((visit[-1].time - visit[0].time).total_seconds())


def measures(table: dict[str, list[Any]], name: str, row: int) -> tuple[int, int, str]:
    visits, users, duration = (table[f"{what}_{name}"][row] for what in ("visites", "utilisateurs", "duree"))
    return visits, users, duration


def expected(of: list[Visit]) -> tuple[int, int, str]:
    return len(of), len({visit[0].user for visit in of}), length(sum(map(seconds, of)))


async def test_the_connections_as_platforms_export_them(board: Board, city: City) -> None:
    table = await board.columns("Connexions, visiteurs et comptes")
    assert list(table) == EXPORTED
    count: Counter[tuple[str, str, str]] = Counter()
    users: dict[tuple[str, str, str], set[int]] = defaultdict(set)
    for event in week(city, "login"):
        for uai in event.schools:
            key = (uai, event.day.isoformat(), LABELS[event.profile])
            count[key] += 1
            users[key].add(event.user)
    loaded: Counter[tuple[str, str]] = Counter()
    for account in accounts(city):
        loaded[str(account["uai"]), LABELS[str(account["profile"])]] += int(str(account["loaded"]))
    keys = list(zip(table["UAI"], table["date"], table["profil"], strict=True))
    assert dict(zip(keys, table["connexions"], strict=True)) == count
    assert dict(zip(keys, table["visiteurs uniques"], strict=True)) == {key: len(who) for key, who in users.items()}
    assert [figure or 0 for figure in table["comptes chargés"]] == [loaded[uai, profile] for uai, _, profile in keys]
    assert None in table["comptes chargés"]


async def test_the_accesses_as_platforms_export_them(board: Board, city: City) -> None:
    table = await board.columns("Accès aux applications")
    assert list(table) == ["établissement", "UAI", "date", "profil", "module", "nombre d’accès"]
    count = Counter(
        (uai, event.day.isoformat(), LABELS[event.profile], app_label(event.app))
        for event in week(city, "app_visit")
        for uai in event.schools
    )
    keys = zip(table["UAI"], table["date"], table["profil"], table["module"], strict=True)
    assert dict(zip(keys, table["nombre d’accès"], strict=True)) == count


async def test_visits_by_national_profile(board: Board, visits: dict[str, list[Visit]]) -> None:
    table = await board.columns("DNMA : visites par profil")
    assert list(table)[:10] == KEYS
    assert sorted(table["uai"]) == sorted(visits)
    assert set(table["debutsemaine"]) == {MONDAY.isoformat()}
    national = {"eleve": "eleve", "parent": "parent", "enseignant": "enseignant", "personnel": "admin_vie_scol_tech"}
    for row, uai in enumerate(table["uai"]):
        assert measures(table, "globales", row) == expected(visits[uai])
        for profile, name in national.items():
            of = [visit for visit in visits[uai] if visit[0].profile == profile]
            assert measures(table, name, row) == expected(of)


async def test_visits_by_device(board: Board, visits: dict[str, list[Visit]]) -> None:
    table = await board.columns("DNMA : visites par appareil")

    def device(visit: Visit) -> str:
        return next((event.device for event in visit if event.device not in ("", "inconnu")), "autreappareil")

    for row, uai in enumerate(table["uai"]):
        for name in ("ordinateur", "smartphone", "tablette", "autreappareil"):
            of = [visit for visit in visits[uai] if device(visit) == name]
            assert measures(table, name, row) == expected(of)


async def test_visits_by_national_service(board: Board, visits: dict[str, list[Visit]]) -> None:
    table = await board.columns("DNMA : visites par service")
    assert {name.partition("_")[2] for name in table if name.startswith("visites_")} == SERVICES
    for row, uai in enumerate(table["uai"]):
        spent: Counter[str] = Counter()
        used: dict[str, set[int]] = defaultdict(set)
        users: dict[str, set[int]] = defaultdict(set)
        for number, visit in enumerate(visits[uai]):
            for event, after in pairwise([*visit, visit[-1]]):
                if event.app in APPLICATIONS:
                    service = APPLICATIONS[event.app].service
                    spent[service] += int((after.time - event.time).total_seconds())
                    used[service].add(number)
                    users[service].add(event.user)
        for service in SERVICES:
            assert measures(table, service, row) == (len(used[service]), len(users[service]), length(spent[service]))
