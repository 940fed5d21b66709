"""A fictional city for the tests of dashboards: 21 deployed schools, 450 classes, six weeks of events.

The events are made from a seed, stored, and turned into windows by one statement a table. What the dashboards must show
is counted from the same events here, without the database.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pyarrow as pa

from schemas.applications import APPLICATIONS
from sinks.clickhouse.client import Client
from sinks.clickhouse.migrate import migrate

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 20, 13, 37, 30, tzinfo=UTC)
"""A Friday, 14:37 in Paris."""
TODAY = NOW.astimezone(PARIS).date()
FIRST_DAY = date(2026, 10, 12)
HOLIDAYS = (date(2026, 10, 17), date(2026, 11, 2))
"""Half-open: the autumn holidays of zone B."""

NAMES = (
    "Les Tilleuls", "Le Canal", "Les Coteaux", "La Fonderie", "Le Vieux-Pont", "Jean-Zay", "La Plaine", "Le Lavoir",
    "Les Glycines", "Le Rempart", "Louise-Michel", "Les Acacias", "L'Étang", "La Gare", "Émile-Zola", "Le Moulin",
    "Les Vergers", "La Source", "Simone-Veil", "Les Remparts", "Le Nordfeld",
)  # fmt: skip
POLES = ("Centre", "Nord", "Est", "Coteaux", "Fonderie", "Ouest", "Sud", "Gare", "Plaine")
LEVELS = ("CP", "CE1", "CE2", "CM1", "CM2")
PROFILES = (
    ("eleve", "Élèves", "eleve"),
    ("parent", "Parents", "parent"),
    ("enseignant", "Enseignants", "enseignant"),
    ("personnel", "Personnels", "admin_vie_scol_tech"),
    ("inconnu", "Profil inconnu", ""),
)
LOADED = {"eleve": 20, "parent": 26, "enseignant": 1}
"""Accounts of a class."""
ACTIVATED = {"eleve": 17, "parent": 15, "enseignant": 1}
SILENT, FALLING, WITHOUT_ACCOUNTS = 9, 6, 13
"""Schools, by their place in the list: no event today; a third of the usual today; no accounts in the directory."""

REFUSED = ("bad_json", "future", "bad_uai_format")

_CHANCE = {
    "eleve": (0.38, 0.1, 0.03),
    "parent": (0.2, 0.14, 0.07),
    "enseignant": (0.8, 0.4, 0.12),
    "personnel": (0.8, 0.4, 0.02),
}
"""Of a connection on a school day, a Wednesday, a day off."""
_HOURS = {
    "eleve": (8, 9, 10, 11, 13, 14, 15, 19),
    "parent": (7, 8, 12, 17, 18, 19, 20, 21),
    "enseignant": (8, 10, 12, 13, 16, 17, 20),
    "personnel": (8, 9, 10, 14, 15),
}
_APPS = (
    "messagerie", "cahier_textes", "blog", "cahier_liaison", "mediatheque", "calendrier", "livret_scolaire",
    "atelier_multimedia", "annuaire", "exercices", "pages", "questionnaires",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class School:
    uai: str
    name: str
    pole: str
    circonscription: str
    education_prioritaire: str
    deployed: bool


@dataclass(frozen=True, slots=True)
class Event:
    """One event, as the tests count it. `schools` are the user's, the first one first."""

    time: datetime
    day: date
    type: str
    schools: tuple[str, ...]
    class_id: str
    profile: str
    app: str
    user: int


@dataclass(slots=True)
class City:
    """The directory and all events."""

    schools: list[School]
    classes: dict[str, tuple[str, str]]
    """class id -> UAI, label"""
    events: list[Event] = field(default_factory=list)

    @property
    def deployed(self) -> list[School]:
        return [school for school in self.schools if school.deployed]


def make_city(seed: int = 1) -> City:
    """The city and its events; the same for the same seed."""
    chance = random.Random(seed)
    schools = [_school(at) for at in range(len(NAMES) + 4)]
    classes = {}
    for at in range(450):
        school = schools[at % len(NAMES)]
        place = at // len(NAMES)
        label = f"{LEVELS[place % len(LEVELS)]} {'ABCDE'[place // len(LEVELS)]}"
        classes[f"{school.uai}-{label.replace(' ', '')}"] = (school.uai, label)
    city = City(schools, classes)
    days = [FIRST_DAY + timedelta(n) for n in range((TODAY - FIRST_DAY).days + 1)]
    for user in _users(city, chance):
        for day in days:
            city.events.extend(_day_of(user, day, chance))
    city.events.sort(key=lambda event: event.time)
    return city


def _school(at: int) -> School:
    deployed = at < len(NAMES)
    name = f"École {NAMES[at]}" if deployed else f"École non déployée {at}"
    number = 689900 + at
    uai = f"{number:07d}" + "ABCDEFGHJKLMNPRSTUVWXYZ"[number % 23]
    zone = ("REP+", "REP", "")[at % 3]
    return School(uai, name, f"Pôle {POLES[at % len(POLES)]}", f"Mulhouse {1 + at % 3}", zone, deployed)


@dataclass(frozen=True, slots=True)
class _User:
    key: int
    profile: str
    schools: tuple[str, ...]
    class_id: str
    zeal: float
    school_at: int


def _users(city: City, chance: random.Random) -> Iterator[_User]:
    order = {school.uai: at for at, school in enumerate(city.schools)}
    key = 0
    for class_id, (uai, _) in city.classes.items():
        eager = 0.02 if chance.random() < 0.02 else chance.uniform(0.35, 1.5)
        for profile, number in ACTIVATED.items():
            for _ in range(number):
                key += 1
                yield _User(key, profile, (uai,), class_id, eager * chance.uniform(0.6, 1.3), order[uai])
    for at, school in enumerate(city.deployed):
        for _ in range(2):
            key += 1
            # One of the two works in the next school too.
            others = (city.schools[(at + 1) % len(NAMES)].uai,) if key % 2 else ()
            yield _User(key, "personnel", (school.uai, *others), "", 1.0, at)


def _day_of(user: _User, day: date, chance: random.Random) -> Iterator[Event]:
    usual = _CHANCE[user.profile]
    off = day.weekday() > 4 or HOLIDAYS[0] <= day < HOLIDAYS[1]
    likely = usual[2] if off else usual[1] if day.weekday() == 2 else usual[0]
    likely *= user.zeal * (1 + 0.004 * (day - FIRST_DAY).days)
    if day == TODAY:
        likely *= {SILENT: 0.0, FALLING: 0.3}.get(user.school_at, 1.0)
    if chance.random() >= likely:
        return
    for _ in range(1 if chance.random() < 0.8 else 2):
        hour = chance.choice(_HOURS[user.profile])
        local = datetime(day.year, day.month, day.day, hour, chance.randrange(60), chance.randrange(60), tzinfo=PARIS)
        start = local.astimezone(UTC)
        if start >= NOW:
            continue
        yield Event(start, day, "login", user.schools, user.class_id, user.profile, "", user.key)
        for step in range(chance.randrange(4)):
            time = start + timedelta(seconds=40 * (step + 1))
            app = _APPS[min(int(chance.expovariate(0.35)), len(_APPS) - 1)]
            if time < NOW:
                yield Event(time, day, "app_visit", user.schools, user.class_id, user.profile, app, user.key)


def store(client: Client, city: City | None, database: str = "ent") -> None:
    """The tables, and in them the city; None leaves them empty."""
    migrate(client, database)
    if city is None:
        return
    _store_directory(client, city, database)
    _store_events(client, city, database)
    _store_windows(client, database)
    partitions = [
        {"topic": "ent.login.v1", "partition": n, "incarnation": 1, "complete_through": NOW, "lag": 0} for n in range(4)
    ]
    client.insert_arrow(
        f"{database}.progress", pa.Table.from_pylist([{**row, "written_at": NOW} for row in partitions])
    )
    refused = [
        {
            "topic": "ent.login.v1",
            "incarnation": 1,
            "partition": 0,
            "offset": 1_000_000 + at,
            "arrived_at": NOW - timedelta(hours=2 * at),
            "reason": REFUSED[at % len(REFUSED)],
        }
        for at in range(30)
    ]
    client.insert_arrow(f"{database}.dead_letters", pa.Table.from_pylist(refused))


def _store_directory(client: Client, city: City, database: str) -> None:
    def insert(table: str, rows: list[dict[str, object]]) -> None:
        client.insert_arrow(f"{database}.{table}", pa.Table.from_pylist([{"revision": 1, **row} for row in rows]))

    counts = {"schools": len(city.schools), "classes": len(city.classes), "profiles": len(PROFILES)}
    insert("directory_revisions", [{"activated_at": datetime(2026, 8, 25, tzinfo=UTC), **counts}])
    span = {"valid_from": date(2026, 8, 1), "valid_to": date(2149, 6, 6)}
    insert(
        "schools",
        [
            {
                "uai": school.uai,
                "name": school.name,
                "commune": "Mulhouse",
                "circonscription": school.circonscription,
                "pole": school.pole,
                "education_prioritaire": school.education_prioritaire,
                "zone": "B",
                "deployed_from": date(2026, 9, 1) if school.deployed else None,
                **span,
            }
            for school in city.schools
        ],
    )
    insert(
        "classes",
        [
            {"class_id": key, "uai": uai, "label": label, "levels": [label[:3].strip()], "pupils": 20, **span}
            for key, (uai, label) in city.classes.items()
        ],
    )
    insert(
        "profiles",
        [
            {"profile": key, "label": label, "dnma": dnma, "rank": rank}
            for rank, (key, label, dnma) in enumerate(PROFILES)
        ],
    )
    insert("accounts", [dict(row) for row in accounts(city)])
    client.insert_arrow(
        f"{database}.applications",
        pa.Table.from_pylist(
            [
                {"app": app.key, "label": app.label, "kind": app.kind, "service": app.service, "release": 1}
                for app in APPLICATIONS.values()
            ]
        ),
    )


def accounts(city: City) -> list[dict[str, object]]:
    """Rows of the table accounts; one school has none."""
    without = city.schools[WITHOUT_ACCOUNTS].uai
    rows: list[dict[str, object]] = [
        {"uai": uai, "class_id": key, "profile": profile, "loaded": LOADED[profile], "activated": ACTIVATED[profile]}
        for key, (uai, _) in city.classes.items()
        for profile in LOADED
        if uai != without
    ]
    rows += [
        {"uai": school.uai, "class_id": "", "profile": "personnel", "loaded": 4, "activated": 3}
        for school in city.deployed
        if school.uai != without
    ]
    return rows


def _store_events(client: Client, city: City, database: str) -> None:
    events = city.events
    frame = pl.DataFrame(
        {
            "event_id": [number.to_bytes(16, "big") for number in range(len(events))],
            "event_time": [event.time for event in events],
            "type": [event.type for event in events],
            "school": [event.schools[0] for event in events],
            "uai": [event.schools[0] for event in events],
            "class_id": [event.class_id for event in events],
            "other_uai": [list(event.schools[1:]) for event in events],
            "other_class_id": [["" for _ in event.schools[1:]] for event in events],
            "profile": [event.profile for event in events],
            "app": [event.app for event in events],
            "user_key": [event.user for event in events],
            "topic": ["ent.login.v1"] * len(events),
            "incarnation": [1] * len(events),
            "partition": [0] * len(events),
            "offset": list(range(len(events))),
            "revision": [1] * len(events),
        },
        schema_overrides={"user_key": pl.UInt64, "offset": pl.UInt64, "revision": pl.UInt64},
    )
    client.insert_arrow(f"{database}.events", frame.to_arrow(compat_level=pl.CompatLevel.oldest()))


def _store_windows(client: Client, database: str) -> None:
    levels = {
        "minute": "toStartOfMinute(event_time)",
        "hour": "toStartOfHour(event_time)",
        "day": "toDate(event_time, 'Europe/Paris')",
    }
    families = {
        "usage": (("class_id", "cell.2"), ("profile", "profile"), ("type", "type")),
        "app_usage": (("profile", "profile"), ("app", "app"), ("type", "type")),
    }
    for family, dimensions in families.items():
        kept = "type IN ('app_visit', 'notification')" if family == "app_usage" else "1"
        names = ", ".join(name for name, _ in dimensions)
        values = ", ".join(f"{value} AS {name}" if value != name else name for name, value in dimensions)
        for level, slice_of in levels.items():
            client.command(
                f"""INSERT INTO {database}.{family}_by_{level}
                (slice, uai, {names}, events, events_once, recipients, users, version)
                SELECT {slice_of} AS slice, cell.1 AS uai, {values},
                  count(), sum(cell.3), 0, uniqExactState(user_key), 1
                FROM {database}.v_events
                ARRAY JOIN arrayPushFront(arrayMap((u, c) -> (toString(u), toString(c), 0), other_uai, other_class_id),
                  (toString(v_events.uai), toString(v_events.class_id), 1)) AS cell
                WHERE {kept} GROUP BY ALL"""
            )
