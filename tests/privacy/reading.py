"""The same figures twice, as dense arrays [window, place, kind]: exact, counted without the database, and published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl

from sinks.clickhouse.client import Client
from sinks.clickhouse.grains import GRAINS, Grain, Window
from tests.privacy.world import (
    APPS,
    CIRCO_OF,
    CIRCOS,
    CLASSES,
    DAYS,
    HOURS,
    MONDAY,
    POLE_OF,
    POLES,
    PROFILES,
    SCHOOLS,
    Array,
    World,
    app_of,
    class_of,
    uai_of,
)  # fmt: skip

P, H = len(PROFILES), len(HOURS)
FEW = 1e9
"""More than any count: no bound."""


@dataclass(frozen=True)
class Exact:
    """Persons and counts of every cell of a table, and how many accounts could be in it."""

    persons: Array
    counts: dict[str, Array]
    population: Array


@dataclass(frozen=True)
class Shown:
    """What a reader sees (NaN: no row), and what the rule alone lets him conclude about the exact figure."""

    users: Array
    low: Array
    high: Array
    counts: dict[str, tuple[Array, Array, Array]]
    """Name -> shown, least, most."""


@dataclass(frozen=True)
class _Shape:
    """How the cells of a grain are numbered."""

    place: pl.Expr
    places: int
    kind: pl.Expr
    kinds: int
    names: tuple[list[str], list[str]]
    """Of places and of kinds, as published; a class is a place here."""


_OF = {"uai": (pl.col("school"), SCHOOLS, [uai_of(n) for n in range(SCHOOLS)])}
_OF["pole"] = (pl.col("school").replace_strict(range(SCHOOLS), POLE_OF), POLES, [f"pole{n}" for n in range(POLES)])
_OF["circonscription"] = (
    pl.col("school").replace_strict(range(SCHOOLS), CIRCO_OF), CIRCOS, [f"circo{n}" for n in range(CIRCOS)],
)  # fmt: skip
_OF[""] = (pl.lit(0), 1, [""])
_PROFILE = (pl.col("profile"), P, list(PROFILES))
_GROUP = (pl.min_horizontal("profile", 2), 3, ["eleve", "parent", "adulte"])
_HOUR = (pl.col("hour") - HOURS[0], H, [str(hour) for hour in HOURS])
_APP = (pl.col("app"), APPS, [app_of(n) for n in range(APPS)])
_PROFILE_HOUR = (
    pl.col("profile") * H + pl.col("hour") - HOURS[0], P * H,
    [f"{profile} {hour}" for profile in PROFILES for hour in HOURS],
)  # fmt: skip
PROFILE_APP = (pl.col("profile") * APPS + pl.col("app"), P * APPS, [""] * (P * APPS))


def exact(world: World) -> dict[str, Exact]:
    """Every published table exactly, and two that are not published: profile by application and profile by hour."""
    owners = pl.DataFrame({"school": world.school, "klass": world.klass, "profile": world.profile})
    events = world.events.with_columns(owners[world.events["user"]].get_columns())
    tables = {grain.name: _exact(events, owners, grain, _shape(grain)) for grain in GRAINS}
    school = _OF["uai"]
    for name, kind, where in (
        ("school_every_profile_day", _PROFILE, "login"),
        ("school_profile_app_day", PROFILE_APP, "visit"),
        ("school_profile_hour", _PROFILE_HOUR, "login"),
    ):
        grain = Grain(name, Window.DAY, 0, "uai", ("app",) if where == "visit" else (), ("logins", "visits"))
        tables[name] = _exact(events, owners, grain, _Shape(school[0], school[1], kind[0], kind[1], ([], [])))
    return tables


def shown(client: Client, cells: dict[str, Exact], k: int, database: str = "ent") -> dict[str, Shown]:
    """What the published tables show of the world's week."""
    tables = {}
    for grain in GRAINS:
        shape = _shape(grain)
        place, kind = ({name: at for at, name in enumerate(names)} for names in shape.names)
        values = {name: np.full(cells[grain.name].persons.shape, np.nan) for name in ("users", "logins", "visits")}
        for start, row_place, row_kind, *figures in client.query_rows(
            f"SELECT start, place, kind, users, logins, visits FROM {database}_public.cells FINAL "
            "WHERE grain = {grain:String} AND users IS NOT NULL",
            {"grain": grain.name},
        ):
            window = (start - MONDAY) // timedelta(days=1 if grain.window is Window.DAY else 7)
            if grain.kinds == ("class_id",):
                row_place, row_kind = row_kind, ""
            for name, figure in zip(values, figures, strict=True):
                if figure is not None:
                    values[name][window, place[row_place], kind[row_kind]] = figure
        tables[grain.name] = concluded(values, grain.counts, k)
    return tables


def concluded(values: dict[str, Array], counts: tuple[str, ...], k: int, base: int = 5) -> Shown:
    """What the rule lets a reader conclude: persons within 4 of the figure, counts within the same share.

    A blank: fewer than `surely_shown`.
    """
    users = values["users"]
    blank = np.isnan(users)
    low = np.where(blank, 0, np.fmax(k, users - (base - 1)))
    high = np.where(blank, surely_shown(k, base) - 1, users + (base - 1))
    safe = np.where(blank, 1, users)
    bounds = {
        name: (
            values[name],
            np.where(blank, 0, (values[name] - 0.5) * low / safe),
            np.where(blank, FEW, (values[name] + 0.5) * high / safe),
        )
        for name in counts
    }
    return Shown(users, low, high, bounds)


def surely_shown(k: int, base: int = 5) -> int:
    """From so many persons on a cell is shown, whatever the key draws: more than k, and every multiple at least k."""
    return max(k + 1, -(-k // base) * base)


def _shape(grain: Grain) -> _Shape:
    place, places, names = _OF[grain.place]
    if grain.kinds == ("class_id",):
        return _Shape(pl.col("klass"), CLASSES, pl.lit(0), 1, ([class_of(n) for n in range(CLASSES)], [""]))
    grouped = grain.place in ("uai", "pole")
    kind, kinds, kind_names = {
        (): (pl.lit(0), 1, [""]),
        ("profile",): _GROUP if grouped else _PROFILE,
        ("app",): _APP,
        ("hour",): _HOUR,
        ("profile", "hour"): _PROFILE_HOUR,
    }[grain.kinds]
    return _Shape(place, places, kind, kinds, (names, kind_names))


def _exact(events: pl.DataFrame, owners: pl.DataFrame, grain: Grain, shape: _Shape) -> Exact:
    visitors = "app" in grain.kinds
    if shape.places == CLASSES:
        events, owners = events.filter(pl.col("klass") >= 0), owners.filter(pl.col("klass") >= 0)
    if visitors:
        events = events.filter(pl.col("app") >= 0)
    window = pl.col("day") if grain.window is Window.DAY else pl.lit(0)
    cells = events.group_by(window.alias("window"), shape.place.alias("place"), shape.kind.alias("kind")).agg(
        pl.col("user").filter(pl.lit(value=True) if visitors else pl.col("app") < 0).n_unique().alias("persons"),
        (pl.col("app") < 0).sum().alias("logins"),
        (pl.col("app") >= 0).sum().alias("visits"),
    )
    size = (DAYS if grain.window is Window.DAY else 1, shape.places, shape.kinds)
    at = tuple(cells[name].cast(pl.Int64).to_numpy() for name in ("window", "place", "kind"))
    arrays = {name: np.zeros(size, np.int64) for name in ("persons", "logins", "visits")}
    for name, array in arrays.items():
        array[at] = cells[name].to_numpy()
    persons = arrays.pop("persons")
    return Exact(persons, {name: arrays[name] for name in grain.counts}, _population(owners, shape, size))


def _population(owners: pl.DataFrame, shape: _Shape, size: tuple[int, ...]) -> Array:
    """Accounts that could be in a cell: those of its place, and of its profile where the kind says one."""
    split = owners.with_columns(hour=pl.lit(HOURS[0]), app=pl.lit(0))
    sized = split.group_by(shape.place.alias("place"), shape.kind.alias("kind")).len()
    counts = np.zeros(size[1:], np.int64)
    counts[sized["place"].cast(pl.Int64).to_numpy(), sized["kind"].cast(pl.Int64).to_numpy()] = sized["len"].to_numpy()
    per_profile = {P * H: H, P * APPS: APPS}.get(size[2]) or (size[2] if size[2] in (H, APPS) else 1)
    # Hours and applications say nothing of who could be there: every one of them has the accounts of the first.
    spread = counts.reshape(size[1], -1, per_profile)[:, :, :1].repeat(per_profile, 2).reshape(size[1:])
    return np.broadcast_to(spread, size)
