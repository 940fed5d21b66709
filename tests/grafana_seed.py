"""A fictional city for the tests of dashboards: 21 deployed schools, 450 classes, a quarter of events.

The events are made from a seed, stored, and turned into windows by one statement a table. What the dashboards must show
is counted from the same events here, without the database.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pyarrow as pa

from schemas.applications import APPLICATIONS
from schemas.school_time.bundled import BUNDLED
from sinks.clickhouse.client import Client
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.school_time import SchoolTimeTables

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 20, 13, 37, 30, tzinfo=UTC)
"""A Friday, 14:37 in Paris."""
TODAY = NOW.astimezone(PARIS).date()
FIRST_DAY = date(2026, 8, 24)
FULL_FROM = date(2026, 10, 12)
"""Before that day people come less often."""
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

DEPLOYMENTS = (date(2025, 9, 1), date(2026, 1, 5), date(2026, 9, 1))
"""Days on which the ENT came to schools: three cohorts."""
DROPPED, REPEATED, REFUSALS = 7, 500, 30
"""Records that held no event, events that came twice, and records that were refused."""

BREAK = "Connexions mobiles comptées deux fois"
"""What is said of the week of 9 November."""

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
_DEVICES = {
    "eleve": (5, 1, 4, 0), "parent": (1, 8, 0, 1), "enseignant": (8, 1, 1, 0), "personnel": (9, 1, 0, 0),
}  # fmt: skip
"""Weights of computer, telephone, tablet and unknown."""
_PER_CLASS = sum(ACTIVATED.values())
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
    deployed_from: date | None
    pilot: bool
    mobile_classes: int

    @property
    def deployed(self) -> bool:
        return self.deployed_from is not None


@dataclass(frozen=True, slots=True)
class Traits:
    """What the directory knows of a class beside its name."""

    trained: bool
    projector: bool
    pilot: bool


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
    device: str = ""
    stage: str = ""
    recipients: int = 0
    """Parents that a notification was sent to."""

    @property
    def arrived_at(self) -> datetime:
        """When Kafka got it: a few seconds later."""
        return self.time + timedelta(seconds=1 + self.user % 9)


def app_label(key: str) -> str:
    """What French readers see."""
    return APPLICATIONS[key].label if key in APPLICATIONS else "Autres (non reconnues)"


@dataclass(slots=True)
class City:
    """The directory and all events."""

    schools: list[School]
    classes: dict[str, tuple[str, str]]
    """class id -> UAI, label"""
    traits: dict[str, Traits]
    events: list[Event] = field(default_factory=list)

    @property
    def deployed(self) -> list[School]:
        return [school for school in self.schools if school.deployed]


def make_city(seed: int = 1) -> City:
    """The city and its events; the same for the same seed."""
    chance = random.Random(seed)
    schools = [_school(at) for at in range(len(NAMES) + 4)]
    classes, traits = {}, {}
    for at in range(450):
        school = schools[at % len(NAMES)]
        place = at // len(NAMES)
        label = f"{LEVELS[place % len(LEVELS)]} {'ABCDE'[place // len(LEVELS)]}"
        class_id = f"{school.uai}-{label.replace(' ', '')}"
        classes[class_id] = (school.uai, label)
        traits[class_id] = Traits(trained=at % 9 == 0, projector=at % 4 > 0, pilot=school.pilot and at % 2 == 0)
    city = City(schools, classes, traits)
    days = [FIRST_DAY + timedelta(n) for n in range((TODAY - FIRST_DAY).days + 1)]
    for user in _users(city, chance):
        for day in days:
            city.events.extend(_day_of(user, day, chance))
    for day in days:
        city.events.extend(_notifications(city, day, chance))
        city.events.extend(_activations(city, day, chance))
    city.events.sort(key=lambda event: event.time)
    return city


def _school(at: int) -> School:
    deployed_from = DEPLOYMENTS[at % 3] if at < len(NAMES) else None
    name = f"École {NAMES[at]}" if deployed_from else f"École non déployée {at}"
    number = 689900 + at
    uai = f"{number:07d}" + "ABCDEFGHJKLMNPRSTUVWXYZ"[number % 23]
    zone = ("REP+", "REP", "")[at % 3]
    return School(
        uai, name, f"Pôle {POLES[at % len(POLES)]}", f"Mulhouse {1 + at % 3}", zone, deployed_from, at % 5 == 0, at % 4
    )


@dataclass(frozen=True, slots=True)
class _User:
    key: int
    profile: str
    schools: tuple[str, ...]
    class_id: str
    zeal: float
    places: tuple[int, ...]
    """Of the schools in the city's list."""


def _users(city: City, chance: random.Random) -> Iterator[_User]:
    order = {school.uai: at for at, school in enumerate(city.schools)}
    key = 0
    for class_id, (uai, _) in city.classes.items():
        eager = 0.02 if chance.random() < 0.02 else chance.uniform(0.35, 1.5)
        for profile, number in ACTIVATED.items():
            for _ in range(number):
                key += 1
                yield _User(key, profile, (uai,), class_id, eager * chance.uniform(0.6, 1.3), (order[uai],))
    for at in range(len(city.deployed)):
        for _ in range(2):
            key += 1
            # One of the two works in the next school too.
            places = (at, (at + 1) % len(NAMES)) if key % 2 else (at,)
            yield _User(key, "personnel", tuple(city.schools[place].uai for place in places), "", 1.0, places)


def _day_of(user: _User, day: date, chance: random.Random) -> Iterator[Event]:
    usual = _CHANCE[user.profile]
    off = day.weekday() > 4 or HOLIDAYS[0] <= day < HOLIDAYS[1]
    likely = usual[2] if off else usual[1] if day.weekday() == 2 else usual[0]
    likely *= user.zeal * (0.4 if day < FULL_FROM else 1 + 0.004 * (day - FULL_FROM).days)
    if day == TODAY:
        likely *= min({SILENT: 0.0, FALLING: 0.3}.get(place, 1.0) for place in user.places)
    if chance.random() >= likely:
        return
    for _ in range(1 if chance.random() < 0.8 else 2):
        hour = chance.choice(_HOURS[user.profile])
        local = datetime(day.year, day.month, day.day, hour, chance.randrange(60), chance.randrange(60), tzinfo=PARIS)
        start = local.astimezone(UTC)
        if start >= NOW:
            continue
        device = chance.choices(("ordinateur", "smartphone", "tablette", "inconnu"), _DEVICES[user.profile])[0]
        yield Event(start, day, "login", user.schools, user.class_id, user.profile, "", user.key, device)
        for step in range(chance.randrange(4)):
            time = start + timedelta(seconds=40 * (step + 1))
            app = _APPS[min(int(chance.expovariate(0.35)), len(_APPS) - 1)] if chance.random() > 0.03 else "autre"
            if time < NOW:
                yield Event(time, day, "app_visit", user.schools, user.class_id, user.profile, app, user.key, device)


def _notifications(city: City, day: date, chance: random.Random) -> Iterator[Event]:
    """Teachers tell parents, sometimes in the evening; some parents open it."""
    if day.weekday() > 4 or HOLIDAYS[0] <= day < HOLIDAYS[1]:
        return
    for at, (class_id, (uai, _)) in enumerate(city.classes.items()):
        if chance.random() > 0.3:
            continue
        hour = chance.choice((7, 8, 11, 12, 15, 16, 16, 17, 18, 20, 21))
        local = datetime(day.year, day.month, day.day, hour, chance.randrange(60), chance.randrange(60), tzinfo=PARIS)
        start = local.astimezone(UTC)
        app = chance.choice(("cahier_liaison", "messagerie", "blog", "cahier_textes"))
        many, first_parent = chance.randrange(10, 27), 1 + at * _PER_CLASS + ACTIVATED["eleve"]
        teacher = first_parent + ACTIVATED["parent"]
        told: list[tuple[int, str, int, str, int]] = [(0, "enseignant", teacher, "sent", many)]
        told += [(60 * n, "parent", first_parent + n, "opened", 0) for n in range(1, chance.randrange(1, 5))]
        for after_s, profile, user, stage, recipients in told:
            time = start + timedelta(seconds=after_s)
            if time < NOW:
                yield Event(time, day, "notification", (uai,), class_id, profile, app, user, "", stage, recipients)


def _activations(city: City, day: date, chance: random.Random) -> Iterator[Event]:
    """Parents activate their accounts, most of them in the first weeks."""
    for at, (class_id, (uai, _)) in enumerate(city.classes.items()):
        if chance.random() < 0.3 / (1 + (day - FIRST_DAY).days / 7):
            local = datetime(day.year, day.month, day.day, 9, chance.randrange(60), 7, tzinfo=PARIS)
            user = 1 + at * _PER_CLASS + ACTIVATED["eleve"] + chance.randrange(ACTIVATED["parent"])
            yield Event(local.astimezone(UTC), day, "activation", (uai,), class_id, "parent", "", user)


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
    _store_log(client, city, database)
    _store_school_time(client, database)
    _store_alerts(client, city, database)
    refused = [
        {
            "topic": "ent.login.v1",
            "incarnation": 1,
            "partition": 0,
            "offset": len(city.events) + REPEATED + DROPPED + at,
            "arrived_at": NOW - timedelta(hours=2 * at),
            "reason": REFUSED[at % len(REFUSED)],
        }
        for at in range(REFUSALS)
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
                "academie": "Strasbourg",
                "zone": "B",
                "holidays": "6AE",
                "nature": "elementaire",
                "deployed_from": school.deployed_from,
                "pilot": school.pilot,
                "mobile_classes": school.mobile_classes,
                **span,
            }
            for school in city.schools
        ],
    )
    insert(
        "classes",
        [
            {
                "class_id": key,
                "uai": uai,
                "label": label,
                "levels": [label[:3].strip()],
                "pupils": 20,
                "projector": city.traits[key].projector,
                "teacher_trained": city.traits[key].trained,
                "pilot": city.traits[key].pilot,
                **span,
            }
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
            "app_raw": ["atelier-inconnu" if event.app == "autre" else event.app for event in events],
            "service": [APPLICATIONS[event.app].service if event.app in APPLICATIONS else "" for event in events],
            "channel": ["mobile_app" if event.device == "smartphone" else "web" for event in events],
            "device": [event.device for event in events],
            "kind": ["SHARE" if event.stage else "" for event in events],
            "stage": [event.stage for event in events],
            "recipients": [event.recipients for event in events],
            "recipients_parent": [event.recipients for event in events],
            "arrived_at": [event.arrived_at for event in events],
            "user_key": [event.user for event in events],
            "topic": ["ent.login.v1"] * len(events),
            "incarnation": [1] * len(events),
            "partition": [0] * len(events),
            "offset": list(range(len(events))),
            "revision": [1] * len(events),
        },
        schema_overrides={"user_key": pl.UInt64, "offset": pl.UInt64, "revision": pl.UInt64},
    )
    again = frame.head(REPEATED).with_columns(pl.col("offset") + len(events))
    for rows in (frame, again):
        client.insert_arrow(f"{database}.events", rows.to_arrow(compat_level=pl.CompatLevel.oldest()))


def _store_log(client: Client, city: City, database: str) -> None:
    """Where the log begins, and what it held that was no event."""
    log = {"topic": "ent.login.v1", "incarnation": 1, "partition": 0}
    first = len(city.events) + REPEATED
    client.insert_arrow(f"{database}.logs", pa.Table.from_pylist([{**log, "first": 0, "seen_at": NOW}]))
    dropped = {**log, "first": first, "next": first + DROPPED, "reason": "no_record"}
    client.insert_arrow(f"{database}.dropped", pa.Table.from_pylist([dropped]))


def _store_school_time(client: Client, database: str) -> None:
    """The bundled calendar, lessons at the usual hours, and a week whose figures are not to be compared."""
    tables = SchoolTimeTables(client, database)
    tables.load(BUNDLED, {})
    tables.expand()
    begins, ends = (datetime(2026, 11, day, tzinfo=PARIS).astimezone(UTC) for day in (9, 14))
    broken = {"break_id": "1", "begins_at": begins, "ends_at": ends, "kind": "erreur", "label": BREAK, "version": 1}
    client.insert_arrow(f"{database}.series_breaks", pa.Table.from_pylist([broken]))


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert on a school, and what operators say it was: incident, fermeture, fausse_alerte, or nothing yet."""

    place: int
    kind: str
    opened: datetime
    resolved: datetime | None
    verdict: str
    began: datetime

    @property
    def alert_id(self) -> str:
        return f"{self.kind}-{self.place}-{self.opened:%m%d}"


def _moment(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=PARIS).astimezone(UTC)


ALERTS = (
    Alert(5, "ecole_en_baisse", _moment(3, 10), _moment(3, 14), "incident", _moment(3, 9, 20)),
    Alert(4, "ecole_silencieuse", _moment(10, 11), _moment(10, 16), "fermeture", _moment(10, 8)),
    Alert(7, "ecole_en_baisse", _moment(12, 15), _moment(12, 16), "fausse_alerte", _moment(12, 14)),
    Alert(SILENT, "ecole_silencieuse", _moment(20, 10, 30), None, "incident", _moment(20, 8, 30)),
    Alert(FALLING, "ecole_en_baisse", _moment(20, 11), None, "", _moment(20, 9)),
)
HEALTH: tuple[dict[str, Any], ...] = tuple(
    {
        "at": NOW - timedelta(minutes=10 * n),
        "observed": 20.0 + n % 7,
        "expected": 22.0,
        "state": "normal" if n % 60 < 50 else "hors_temps_scolaire",
    }
    for n in range(400)
)
"""What was judged of every school, the last pass first."""
MISSED = (5, _moment(5, 9), _moment(5, 11))
"""A school and the span of an incident that no alert told of."""


def _store_alerts(client: Client, city: City, database: str) -> None:
    steps, labels = [], []
    for number, alert in enumerate(ALERTS):
        school = city.schools[alert.place]
        step = {
            "alert_id": alert.alert_id,
            "kind": alert.kind,
            "uai": school.uai,
            "since": alert.began,
            "level": 2,
            "observed": 3.0,
            "expected": 24.0,
            "evidence": 12.0,
            "limit": 9.0,
            "title": f"{school.name} : connexions anormalement basses",
            "written_at": NOW,
        }
        steps.append({**step, "step": 1, "what": "opened", "at": alert.opened})
        if alert.resolved:
            steps.append({**step, "step": 2, "what": "resolved", "at": alert.resolved})
        if alert.verdict:
            label = {"label_id": str(number), "alert_id": alert.alert_id, "uai": school.uai, "verdict": alert.verdict}
            labels.append({**label, "starts": alert.began, "ends": alert.resolved or NOW, "at": NOW})
    place, starts, ends = MISSED
    missed = {"label_id": "missed", "alert_id": "", "uai": city.schools[place].uai, "verdict": "incident"}
    labels.append({**missed, "starts": starts, "ends": ends, "at": NOW})
    health = [
        {**judged, "uai": school.uai, "low": judged["expected"] / 2, "high": 2 * judged["expected"], "written_at": NOW}
        for school in city.deployed
        for judged in HEALTH
    ]
    for table, rows in (("alert_steps", steps), ("alert_labels", labels), ("school_health", health)):
        client.insert_arrow(f"{database}.{table}", pa.Table.from_pylist(rows))


def _store_windows(client: Client, database: str) -> None:
    """Minutes from the events, hours from minutes, days from hours."""
    families = {
        "usage": {"class_id": "cell.2", "profile": "profile", "type": "type"},
        "app_usage": {"profile": "profile", "app": "app", "type": "type"},
    }
    for family, dimensions in families.items():
        kept = "type IN ('app_visit', 'notification')" if family == "app_usage" else "1"
        names = ", ".join(dimensions)
        values = ", ".join(value if value == name else f"{value} AS {name}" for name, value in dimensions.items())
        columns = f"(slice, uai, {names}, events, events_once, recipients, users, version)"
        client.command(
            f"""INSERT INTO {database}.{family}_by_minute {columns}
            SELECT toStartOfMinute(event_time) AS slice, cell.1 AS uai, {values},
              count(), sum(cell.3), sum(cell.3 * recipients), uniqExactState(user_key), 1
            FROM {database}.v_events
            ARRAY JOIN arrayPushFront(arrayMap((u, c) -> (toString(u), toString(c), 0), other_uai, other_class_id),
              (toString(v_events.uai), toString(v_events.class_id), 1)) AS cell
            WHERE {kept} GROUP BY ALL"""
        )
        for below, level, slice_of in (
            ("minute", "hour", "toStartOfHour(slice)"),
            ("hour", "day", "toDate(slice, 'Europe/Paris')"),
        ):
            client.command(
                f"""INSERT INTO {database}.{family}_by_{level} {columns}
                SELECT {slice_of} AS window, uai, {names}, sum(events), sum(events_once), sum(recipients),
                  uniqExactMergeState(users), 1
                FROM {database}.{family}_by_{below} GROUP BY window, uai, {names}"""
            )
