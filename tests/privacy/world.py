"""A synthetic week of a territory: 21 schools, 450 classes, 9 000 pupils, 15 applications. No real data.

Everybody who is active on a day has connected on it; some classes have three active pupils, some twenty.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from sinks.base import Level
from sinks.clickhouse.client import Client
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.store import ClickHouseStore
from streams.windows import days_of

Array = npt.NDArray[Any]

MONDAY = date(2026, 11, 16)
PARIS = ZoneInfo("Europe/Paris")
SCHOOLS, POLES, CIRCOS, CLASSES, APPS, DAYS = 21, 9, 3, 450, 15, 7
PROFILES = ("eleve", "parent", "enseignant", "personnel", "inconnu")
HOURS = tuple(range(6, 23))
_SCHOOL_HOURS, _OTHER_HOURS = (8, 9, 10, 11, 13, 14, 15, 16), (6, 7, 12, 17, 18, 19, 20, 21, 22)
_WEEKDAY = (1.0, 0.95, 0.4, 1.0, 0.9, 0.06, 0.10)
POLE_OF = np.arange(SCHOOLS) * POLES // SCHOOLS
CIRCO_OF = np.arange(SCHOOLS) * CIRCOS // SCHOOLS


@dataclass(frozen=True)
class World:
    """Who exists, one entry per account, and what happened, one row per event."""

    school: Array
    klass: Array
    """Number of a pupil's class; -1 of everybody else."""
    profile: Array
    events: pl.DataFrame
    """user, day, hour, app (-1: a connection)."""

    @property
    def school_of_class(self) -> Array:
        """School of each class."""
        of = np.zeros(CLASSES, int)
        pupils = self.klass >= 0
        of[self.klass[pupils]] = self.school[pupils]
        return of


def make_world(seed: int = 1, use: float = 1.0) -> World:
    """The week of a seed; `use` scales how many are active."""
    rng = np.random.default_rng(seed)
    groups = [group for school in range(SCHOOLS) for group in _groups(school, rng)]
    school, klass, profile, zeal = (np.concatenate(column) for column in zip(*groups, strict=True))
    return World(school, klass, profile, _events(school, profile, zeal * use, rng))


def _groups(school: int, rng: np.random.Generator) -> list[tuple[Array, Array, Array, Array]]:
    made = []

    def add(size: int, klass: int, profile: int, zeal: Array) -> None:
        made.append((np.full(size, school), np.full(size, klass), np.full(size, profile), np.clip(zeal, 0, 0.98)))

    for klass in range(school, CLASSES, SCHOOLS):
        size = int(rng.integers(15, 26))
        add(size, klass, 0, rng.beta(1.6, 2.2) * rng.uniform(0.4, 1.3, size))
    parents = int(sum(len(group[0]) for group in made) * 1.3)
    adults = ((parents, 0.02, 0.35), (int(rng.integers(10, 21)), 0.1, 0.8), (int(rng.integers(2, 7)), 0.05, 0.7))
    for profile, (size, low, high) in enumerate((*adults, (int(rng.integers(0, 9)), 0.02, 0.3)), 1):
        add(size, -1, profile, rng.uniform(low, high, size))
    return made


def _events(school: Array, profile: Array, zeal: Array, rng: np.random.Generator) -> pl.DataFrame:
    popularity = 1.0 / np.arange(1, APPS + 1) ** 1.1
    taste = np.stack([rng.permutation(popularity) * 0.3 + popularity for _ in range(SCHOOLS * len(PROFILES))])
    taste[rng.random(taste.shape) < 0.25] = 0.0005  # applications that a school hardly uses
    taste = (taste / taste.sum(1, keepdims=True)).cumsum(1)
    days = []
    for day in range(DAYS):
        shock = rng.uniform(0.3, 1.3, SCHOOLS)[school] if day < 5 else 1.0
        active = np.flatnonzero(rng.random(len(school)) < np.clip(zeal * _WEEKDAY[day] * shock, 0, 0.98))
        logins = 1 + rng.poisson(0.4, len(active))
        visits = rng.poisson(np.where(profile[active] == 2, 8.0, 3.0))
        who = np.concatenate([np.repeat(active, logins), np.repeat(active, visits)])
        kind = school[who] * len(PROFILES) + profile[who]
        app = (rng.random(len(who))[:, None] > taste[kind]).sum(1)
        app[: logins.sum()] = -1
        in_class = np.isin(profile, (0, 2, 3)) & (rng.random(len(school)) < 0.75) & (day < 5)
        hour = np.where(in_class[who], rng.choice(_SCHOOL_HOURS, len(who)), rng.choice(_OTHER_HOURS, len(who)))
        days.append(pl.DataFrame({"user": who, "day": np.full(len(who), day), "hour": hour, "app": app}))
    return pl.concat(days)


def store_world(client: Client, world: World, database: str = "ent") -> None:
    """The world in the tables of the exact figures, its windows by the service's own passes."""
    migrate(client, database)
    _store_directory(client, world, database)
    frame = _rows(world)
    client.insert_arrow(f"{database}.events", frame.to_arrow(compat_level=pl.CompatLevel.oldest()))
    minutes = frame["event_time"].dt.truncate("1m").dt.epoch("s").unique().sort().to_list()
    hours = {minute - minute % 3600 for minute in minutes}
    store = ClickHouseStore(client, database)
    for first in range(0, len(minutes), 1000):
        store.recompute(Level.MINUTE, minutes[first : first + 1000])
    store.recompute(Level.HOUR, hours)
    store.recompute(Level.DAY, days_of(hours))


def uai_of(school: int) -> str:
    return f"{school:07d}A"


def class_of(klass: int) -> str:
    return f"c{klass}"


def app_of(app: int) -> str:
    return f"app{app}"


def _rows(world: World) -> pl.DataFrame:
    events = world.events
    who = events["user"].to_numpy()
    midnights = [datetime(MONDAY.year, MONDAY.month, MONDAY.day, tzinfo=PARIS) + timedelta(n) for n in range(DAYS)]
    start_s = np.array([int(midnight.timestamp()) for midnight in midnights])[events["day"].to_numpy()]
    number = np.arange(len(events))
    time_s = start_s + events["hour"].to_numpy() * 3600 + number % 300
    schools, classes = world.school[who], world.klass[who]
    return pl.DataFrame(
        {
            "event_id": [int(n).to_bytes(16, "big") for n in number],
            "event_time": pl.Series(time_s * 1_000_000).cast(pl.Datetime("us", "UTC")),
            "type": ["login" if app < 0 else "app_visit" for app in events["app"]],
            "school": [uai_of(n) for n in schools],
            "uai": [uai_of(n) for n in schools],
            "class_id": ["" if n < 0 else class_of(n) for n in classes],
            "profile": [PROFILES[n] for n in world.profile[who]],
            "app": ["" if app < 0 else app_of(app) for app in events["app"]],
            "user_key": (who.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15),
            "offset": number.astype(np.uint64),
            "revision": np.ones(len(number), np.uint64),
        }
    )


def _store_directory(client: Client, world: World, database: str) -> None:
    def insert(table: str, rows: list[dict[str, object]]) -> None:
        client.insert_arrow(f"{database}.{table}", pa.Table.from_pylist([{"revision": 1, **row} for row in rows]))

    span = {"valid_from": date(2026, 8, 1), "valid_to": date(2149, 6, 6)}
    insert("directory_revisions", [{"activated_at": datetime(2026, 8, 25, tzinfo=UTC), "schools": SCHOOLS}])
    places = [(uai_of(n), f"pole{POLE_OF[n]}", f"circo{CIRCO_OF[n]}") for n in range(SCHOOLS)]
    insert("schools", [{"uai": uai, "pole": pole, "circonscription": circo, **span} for uai, pole, circo in places])
    insert(
        "classes",
        [{"class_id": class_of(n), "uai": uai_of(of), **span} for n, of in enumerate(world.school_of_class.tolist())],
    )
    activated = pl.DataFrame({"uai": world.school, "profile": world.profile}).group_by("uai", "profile").len()
    insert(
        "accounts",
        [
            {"uai": uai_of(uai), "class_id": "", "profile": PROFILES[profile], "loaded": size, "activated": size // 2}
            for uai, profile, size in activated.rows()
        ],
    )
