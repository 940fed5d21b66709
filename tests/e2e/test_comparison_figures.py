"""What Comparaisons shows, against the same figures counted in Python from the events themselves."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from datetime import date

import pytest

from grafana.viewer.source import Source
from tests.e2e.figures import FIRST, Board, activated, chosen, day_of, in_period, monday_of, people
from tests.grafana_seed import NOW, City, accounts, app_label

pytestmark = pytest.mark.timeout(400)
Rates = dict[tuple[date, str], float]


@pytest.fixture
def board(source: Source, city: City) -> Board:
    return Board(source, city, "ent-comparaisons", FIRST, NOW)


def weekly(city: City, group_of: Callable[[str, str], str], total: Mapping[str, int]) -> Rates:
    """Persons of each week and group / the group's activated accounts; `group_of` takes a school and a class."""
    known = {(row["uai"], row["profile"]) for row in accounts(city)}
    seen: dict[tuple[date, str], set[int]] = defaultdict(set)
    for event in chosen(city, "login", lambda event: monday_of(event) >= FIRST):
        for uai in event.schools:
            group = group_of(uai, event.class_id)
            if group and (uai, event.profile) in known:
                seen[monday_of(event), group].add(event.user)
    return {key: round(100 * len(users) / total[key[1]], 1) for key, users in seen.items()}


def by_school(city: City, name: Callable[[str], str]) -> Rates:
    return weekly(city, lambda uai, _: name(uai), activated(city, lambda row: name(row["uai"])))


def by_class(city: City, name: Callable[[str], str]) -> Rates:
    total = activated(city, lambda row: name(row["class_id"]) if row["class_id"] else "")
    return weekly(city, lambda _, class_id: name(class_id) if class_id else "", total)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Éducation prioritaire", lambda school: school.education_prioritaire or "Hors EP"),
        ("Vagues de déploiement", lambda school: f"Depuis le {school.deployed_from:%d/%m/%Y}"),
        ("Écoles pilotes et les autres", lambda school: "Écoles pilotes" if school.pilot else "Autres écoles"),
    ],
)
async def test_groups_of_schools_week_by_week(board: Board, city: City, title: str, name: Callable[..., str]) -> None:
    schools = {school.uai: school for school in city.schools}
    table = await board.columns(title)
    weeks = [day_of(time) for time in table["time"]]
    shown = dict(zip(zip(weeks, table["groupe"], strict=True), table["taux"], strict=True))
    assert shown == by_school(city, lambda uai: name(schools[uai]))


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Enseignants formés et les autres", lambda of: "Enseignant formé" if of.trained else "Enseignant non formé"),
        ("Classes équipées et les autres", lambda of: "Classes équipées" if of.projector else "Classes non équipées"),
    ],
)
async def test_groups_of_classes_week_by_week(board: Board, city: City, title: str, name: Callable[..., str]) -> None:
    table = await board.columns(title)
    weeks = [day_of(time) for time in table["time"]]
    shown = dict(zip(zip(weeks, table["groupe"], strict=True), table["taux"], strict=True))
    assert shown == by_class(city, lambda class_id: name(city.traits[class_id]))


@pytest.mark.parametrize(
    ("title", "column", "attribute"),
    [
        ("Taux de connexion par pôle", "Pôle", "pole"),
        ("Taux de connexion par circonscription", "Circonscription", "circonscription"),
    ],
)
async def test_territories_by_their_mean_weekly_rate(
    board: Board, city: City, title: str, column: str, attribute: str
) -> None:
    group = {school.uai: str(getattr(school, attribute)) for school in city.schools}
    rates: dict[str, list[float]] = defaultdict(list)
    for (_, name), rate in by_school(city, group.__getitem__).items():
        rates[name].append(rate)
    table = await board.columns(title)
    expected = {name: sum(weeks) / len(weeks) for name, weeks in rates.items()}
    assert dict(zip(table[column], table["Taux de connexion"], strict=True)) == pytest.approx(expected, abs=0.051)
    assert table["Taux de connexion"] == sorted(table["Taux de connexion"], reverse=True)


async def test_the_sizes_of_the_groups(board: Board, city: City) -> None:
    table = await board.columns("Taille des groupes")
    shown = dict(zip(table["Groupe"], table["Écoles ou classes"], strict=True))
    assert shown == {
        "Écoles pilotes": sum(school.pilot for school in city.deployed),
        "Écoles en REP": sum(school.education_prioritaire == "REP" for school in city.deployed),
        "Écoles en REP+": sum(school.education_prioritaire == "REP+" for school in city.deployed),
        "Écoles avec classe mobile": sum(school.mobile_classes > 0 for school in city.deployed),
        "Classes d’un enseignant formé": 50,
        "Classes équipées (vidéoprojecteur et PC)": sum(traits.projector for traits in city.traits.values()),
    }


async def test_institutional_resources(board: Board, city: City) -> None:
    """Of what the city opens, the Médiathèque alone is one."""
    table = await board.columns("Ressources institutionnelles")
    weeks: dict[date, tuple[set[int], set[int]]] = defaultdict(lambda: (set(), set()))
    for event in chosen(city, "app_visit", lambda event: monday_of(event) >= FIRST):
        opened, everyone = weeks[monday_of(event)]
        everyone.add(event.user)
        if event.app == "mediatheque":
            opened.add(event.user)
    shown = {day_of(time): part for time, part in zip(table["time"], table["Part des personnes"], strict=True)}
    assert shown == {week: round(100 * len(opened) / len(all_), 1) for week, (opened, all_) in weeks.items()}
    table = await board.columns("Ressources institutionnelles sur la période")
    visits = [event for event in in_period(city, "app_visit") if event.app == "mediatheque"]
    assert (table["Ressource"], table["Visites"]) == ([app_label("mediatheque")], [len(visits)])
    assert table["Personnes"] == [people(visits)]
    assert table["Écoles"] == [len(Counter(uai for event in visits for uai in event.schools))]
