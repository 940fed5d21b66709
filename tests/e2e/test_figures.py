"""What Accueil and Adoption show, against the same figures counted in Python from the events themselves."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial

import pytest

from grafana.dashboards import check
from grafana.viewer.source import Source
from tests.e2e.figures import (
    FIRST,
    LABELS,
    Board,
    activated,
    chosen,
    day_of,
    in_period,
    monday_of,
    people,
    so_far,
    week_ago,
    with_accounts,
)
from tests.grafana_seed import HOLIDAYS, NOW, PARIS, TODAY, City, Event, accounts, app_label

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def accueil(source: Source, city: City) -> Board:
    end = datetime(TODAY.year, TODAY.month, TODAY.day, 23, 59, 59, tzinfo=PARIS)
    return Board(source, city, "ent-accueil", TODAY, end)


@pytest.fixture
def adoption(source: Source, city: City) -> Board:
    return Board(source, city, "ent-adoption", FIRST, NOW)


async def test_every_query_of_every_dashboard_gives_rows(source: Source) -> None:
    """With All, one and three values; no error, at most 10 000 points, sound links, titles, units and descriptions."""
    assert await check(source.query, NOW) == []


@pytest.mark.parametrize(
    ("title", "column", "kind", "figure"),
    [
        ("Connexions du jour", "connexions", "login", len),
        ("Actifs du jour", "personnes", "login", people),
        ("Applications ouvertes", "ouvertures", "app_visit", len),
        ("Écoles actives", "part", "login", lambda events: len({uai for event in events for uai in event.schools})),
    ],
)
async def test_a_figure_of_the_day_stands_beside_that_of_a_week_ago_at_the_same_minute(
    accueil: Board, city: City, title: str, column: str, kind: str, figure: Callable[[list[Event]], float]
) -> None:
    expected = [
        week_ago(figure, chosen(city, kind, lambda _: True)),
        figure(chosen(city, kind, partial(so_far, day=TODAY))),
    ]
    if column == "part":
        expected = [100 * count / 21 for count in expected]
    assert (await accueil.columns(title))[column] == pytest.approx(expected, abs=0.051 if column == "part" else 0.51)


async def test_with_one_school_its_figures_count_all_who_belong_to_it(accueil: Board, city: City) -> None:
    """Over all schools an event counts once; within one school it counts although another comes first."""
    school = next(event.schools[1] for event in chosen(city, "login", partial(so_far, day=TODAY)) if event.schools[1:])
    expected = chosen(city, "login", lambda event: so_far(event, TODAY) and school in event.schools)
    shown = await accueil.columns("Connexions du jour", [school])
    assert shown["connexions"][-1] == len(expected)


async def test_the_schools_of_the_day(accueil: Board, city: City) -> None:
    table = await accueil.columns("Écoles déployées")
    total = activated(city, lambda row: row["uai"])
    today, everything = chosen(city, "login", partial(so_far, day=TODAY)), chosen(city, "login", lambda _: True)
    for row, uai in enumerate(table["ecole_id"]):
        now = [event for event in today if uai in event.schools]
        before = round(week_ago(len, [event for event in everything if uai in event.schools]))
        shown = {name: values[row] for name, values in table.items()}
        rate = round(100 * people(now) / total[uai], 1) if total[uai] else None
        assert (shown["Connexions"], shown["Personnes"]) == (len(now), people(now))
        assert shown["Taux de connexion"] == rate
        assert shown["Évolution"] == pytest.approx(100 * (len(now) / before - 1), abs=0.051)
        assert shown["État"] == state(len(now), before)
    assert len(table["ecole_id"]) == 21
    assert table["État"][:2] == ["Silencieuse", "En baisse"]
    assert None in table["Taux de connexion"]


def state(now: int, before: int) -> str:
    if before < 20:
        return "Volume faible" if now or before else "Sans activité"
    if not now:
        return "Silencieuse"
    return "En baisse" if now < before / 2 else "À surveiller" if now < 0.75 * before else "Normale"


async def test_the_hours_of_the_day_and_of_a_week_ago(accueil: Board, city: City) -> None:
    table = await accueil.columns("Connexions par heure")
    before = TODAY - timedelta(days=7)
    hours: dict[date, Counter[int]] = defaultdict(Counter)
    for event in chosen(city, "login", lambda event: event.day in (TODAY, before)):
        hours[event.day][event.time.astimezone(PARIS).hour] += 1
    for row, time in enumerate(table["time"]):
        hour = datetime.fromtimestamp(time / 1000, PARIS)
        assert hour.date() == TODAY
        assert table["Une semaine avant"][row] == hours[before][hour.hour]
        assert table["Ce jour"][row] == (hours[TODAY][hour.hour] if hour <= NOW else None)


async def test_the_applications_of_the_day_are_ranked(accueil: Board, city: City) -> None:
    table = await accueil.columns("Applications les plus ouvertes")
    opened = Counter(app_label(event.app) for event in chosen(city, "app_visit", lambda e: so_far(e, TODAY)))
    shown = dict(zip(table["Application"], table["Ouvertures"], strict=True))
    assert list(shown.values()) == sorted(opened.values(), reverse=True)[:10]
    assert shown == {app: opened[app] for app in shown}


async def test_activated_accounts(adoption: Board, city: City) -> None:
    rows = accounts(city)
    share = 100 * sum(int(str(row["activated"])) for row in rows) / sum(int(str(row["loaded"])) for row in rows)
    assert (await adoption.columns("Comptes activés"))["taux"] == [round(share, 1)]


async def test_people_connections_and_rate_of_the_period(adoption: Board, city: City) -> None:
    events = chosen(city, "login", lambda event: event.day >= FIRST)
    assert (await adoption.columns("Personnes connectées"))["personnes"] == [people(events)]
    assert (await adoption.columns("Connexions"))["connexions"] == [len(events)]
    counted = people(with_accounts(city, events))
    total = sum(activated(city, lambda _: 0).values())
    assert (await adoption.columns("Taux de connexion"))["taux"] == [round(100 * counted / total, 1)]


async def test_the_weekly_rate_by_profile_counts_each_person_once_a_week(adoption: Board, city: City) -> None:
    table = await adoption.columns("Taux de connexion par semaine et par profil")
    total = activated(city, lambda row: row["profile"])
    seen: dict[tuple[date, str], set[int]] = defaultdict(set)
    for event in with_accounts(city, chosen(city, "login", lambda _: True)):
        seen[monday_of(event), event.profile].add(event.user)
    expected = {
        (monday, LABELS[profile]): round(100 * len(users) / total[profile], 1)
        for (monday, profile), users in seen.items()
        if monday >= FIRST
    }
    mondays = [datetime.fromtimestamp(time / 1000, PARIS).date() for time in table["time"]]
    assert dict(zip(zip(mondays, table["profil"], strict=True), table["taux"], strict=True)) == expected


async def test_growth_compares_weeks_in_the_schools_that_emitted_in_both(adoption: Board, city: City) -> None:
    table = await adoption.columns("Croissance d’une semaine à l’autre")
    weeks: dict[date, Counter[int]] = defaultdict(Counter)
    for event in chosen(city, "login", lambda _: True):
        weeks[monday_of(event)][event.day.weekday()] += len(event.schools)
    this = TODAY - timedelta(days=TODAY.weekday())
    for row, name in enumerate(table["Semaine du"]):
        monday = datetime.strptime(name[:10], "%d/%m/%Y").date()
        days = range(TODAY.weekday() if monday == this else 7)
        now, before = (sum(weeks[week][day] for day in days) for week in (monday, monday - timedelta(weeks=1)))
        assert table["Connexions"][row] == weeks[monday].total()
        assert table["Croissance"][row] == pytest.approx(100 * (now / before - 1), abs=0.051)
        assert name.endswith("(en cours)") == (monday == this)
    last_week = table["Croissance"][1]
    assert (await adoption.columns("Croissance"))["growth"] == [last_week]


async def test_connections_by_day_and_profile(adoption: Board, city: City) -> None:
    table = await adoption.columns("Connexions par jour et par profil")
    expected = Counter((e.day, LABELS[e.profile]) for e in chosen(city, "login", lambda event: event.day >= FIRST))
    days = [datetime.fromtimestamp(time / 1000, PARIS).date() for time in table["time"]]
    assert dict(zip(zip(days, table["profil"], strict=True), table["connexions"], strict=True)) == expected


@pytest.mark.parametrize("weekly", [True, False])
async def test_every_cell_of_the_450_classes(source: Source, city: City, weekly: bool) -> None:
    """Rate, masked below five persons, zero, no denominator, and no cell without anything from the school."""
    first = FIRST if weekly else TODAY - timedelta(days=11)
    table = await Board(source, city, "ent-adoption", first, NOW).columns("Les classes dans le temps")
    total = activated(city, lambda row: row["class_id"])
    users: dict[tuple[date, str], set[int]] = defaultdict(set)
    opened: set[tuple[date, str]] = set()
    for event in city.events:
        column = monday_of(event) if weekly else event.day
        if column < first:
            continue
        if event.day.weekday() < 5:
            opened |= {(column, uai) for uai in event.schools}
        if event.type == "login":
            users[column, event.class_id].add(event.user)
    expected = {}
    for class_id, (uai, _) in city.classes.items():
        for column in {column for column, where in opened if where == uai}:
            count = len(users[column, class_id])
            rate = round(100 * count / total[class_id], 1) if total[class_id] else -2
            expected[column, class_id] = 0 if count == 0 else -1 if count < 5 else rate
    columns = [day_of(time) for time in table["time"]]
    shown = dict(zip(zip(columns, table["classe_id"], strict=True), table["taux"], strict=True))
    assert shown == expected
    assert {0, -1, -2} < set(shown.values())
    assert len(set(table["classe_id"])) == 450


async def test_active_classes_of_the_week(adoption: Board, city: City) -> None:
    users: dict[str, set[int]] = defaultdict(set)
    for event in chosen(city, "login", lambda event: event.day >= TODAY - timedelta(days=TODAY.weekday())):
        users[event.class_id].add(event.user)
    active = sum(len(users[class_id]) >= 5 for class_id in city.classes)
    assert (await adoption.columns("Classes actives"))["part"] == [round(100 * active / 450, 1)]


async def test_applications_are_ranked_by_visits(adoption: Board, city: City) -> None:
    table = await adoption.columns("Applications les plus visitées")
    visits = Counter(app_label(e.app) for e in chosen(city, "app_visit", lambda event: event.day >= FIRST))
    assert dict(zip(table["Application"], table["Visites"], strict=True)) == dict(visits.most_common(15))


async def test_the_weekly_rate_on_loaded_accounts(adoption: Board, city: City) -> None:
    table = await adoption.columns("Taux sur les comptes chargés, par semaine et par profil")
    loaded: Counter[str] = Counter()
    for row in accounts(city):
        loaded[str(row["profile"])] += int(str(row["loaded"]))
    logins = with_accounts(city, chosen(city, "login", lambda _: True))
    for time, label, rate in zip(table["time"], table["profil"], table["taux"], strict=True):
        profile = next(key for key, name in LABELS.items() if name == label)
        week = [event for event in logins if monday_of(event) == day_of(time) and event.profile == profile]
        assert rate == round(100 * people(week) / loaded[profile], 1)


async def test_families_enter_once_and_for_all(adoption: Board, city: City) -> None:
    parents = chosen(city, "login", lambda event: event.profile == "parent")
    table = await adoption.columns("Entrée des familles")
    for time, shown in zip(table["time"], table["Parents entrés"], strict=True):
        assert shown == people(event for event in parents if monday_of(event) <= day_of(time))
    loaded = sum(int(str(row["loaded"])) for row in accounts(city) if row["profile"] == "parent")
    share = round(100 * people(with_accounts(city, parents)) / loaded, 1)
    assert (await adoption.columns("Familles entrées"))["part"] == [share]


async def test_each_week_its_new_regular_returning_and_dormant_people(adoption: Board, city: City) -> None:
    table = await adoption.columns("Nouveaux, réguliers, de retour, endormis")
    seen: dict[date, set[int]] = defaultdict(set)
    for event in chosen(city, "login", lambda _: True):
        seen[monday_of(event)].add(event.user)
    assert len(table["time"]) == 5
    for row, time in enumerate(table["time"]):
        week = day_of(time)
        now, last = seen[week], seen[week - timedelta(weeks=1)]
        ever = set().union(*(users for monday, users in seen.items() if monday < week))
        shown = [table[name][row] for name in ("Nouveaux", "Réguliers", "De retour", "Endormis")]
        assert shown == [len(now - ever), len(now & last), len(now & ever - last), len(last - now)]


async def test_the_number_of_applications_of_each_school(adoption: Board, city: City) -> None:
    table = await adoption.columns("Nombre d’applications par école")
    users: dict[tuple[str, str], set[int]] = defaultdict(set)
    for event in in_period(city, "app_visit"):
        for uai in event.schools:
            if event.app != "autre":
                users[uai, event.app].add(event.user)
    many = {
        school.uai: sum(len(who) >= 5 for (uai, _), who in users.items() if uai == school.uai)
        for school in city.deployed
    }
    assert dict(zip(table["ecole_id"], table["Applications"], strict=True)) == many
    assert sum(table["Ouvertes au moins une fois"]) == len(users)
    assert set(table["Comparaison"]) <= {"Plus que les autres", "Comme les autres", "Moins que les autres"}


async def test_pupils_who_come_no_more_since_ten_lesson_days(adoption: Board, city: City) -> None:
    """Lesson days: Mondays, Tuesdays, Thursdays and Fridays before today outside the holidays."""
    table = await adoption.columns("Élèves qui ne viennent plus")
    lessons = [
        day
        for day in (TODAY - timedelta(days=n) for n in range(1, 60))
        if day.weekday() in (0, 1, 3, 4) and not HOLIDAYS[0] <= day < HOLIDAYS[1]
    ]
    silence = lessons[9]
    pupils = chosen(city, "login", lambda event: event.profile == "eleve")
    for row, uai in enumerate(table["ecole_id"]):
        of = [event for event in pupils if uai in event.schools]
        before = {event.user for event in of if event.day < silence}
        silent = len(before - {event.user for event in of if event.day >= silence})
        assert table["Actifs avant"][row] == len(before)
        assert table["Silencieux"][row] == (None if 0 < silent < 5 else silent)
    assert any(table["Silencieux"])
