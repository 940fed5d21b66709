"""Enrichment: what the directory and the catalogue of applications say about each event, as of its time. Pure.

Values depend on the event and on the directory's revision alone. Nearly all events have one school and at most one
class and are looked up as whole columns; those with more (families, teachers of two classes) are looked up apart.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from schemas.applications import APPLICATIONS, OTHER, SERVICES, find
from schemas.event import AppKind
from schemas.uai import has_wrong_letter
from streams.directory.snapshot import Directory

_APPS: Final = pl.Enum([*APPLICATIONS, OTHER, ""])
_KINDS: Final = pl.Enum([*(kind.value for kind in AppKind), ""])
_SERVICES: Final = pl.Enum([*sorted(SERVICES), ""])
_NOWHERE_ELSE: Final = pl.Series([[]], dtype=pl.List(pl.String))
_FIRST, _UAI, _STRUCTURE = 0, 1, 2
"""Why an event counts for a school: its first one, or a further one by UAI or by a platform's id."""


def enrich(frame: pl.DataFrame, directory: Directory) -> pl.DataFrame:
    """Add to decoded events what is known about their schools, classes and applications.

    Reads `time` (UTC), `uai`, `structures`, `classes` (lists or null), `app`, `app_raw`, `app_kind` (null for logins).
    Adds or replaces: `school` (the first one as sent, or ""), `uai` and `class_id` (ours, or "unmapped"; "" if no
    class was sent), `commune`, `circonscription`, `pole`, `education_prioritaire`, `zone`, `cycle`, `levels` ("" if
    unmapped), `app` (the catalogue's key, "autre", or "" for logins), `app_raw`, `app_kind`, `service`; as lists
    `other_uai` and `other_class_id` (further known schools of the event and the class in each); and `uai_letter_wrong`.
    """
    days = frame["time"].dt.convert_time_zone("Europe/Paris").dt.date().to_physical()
    uais, structures = frame["uai"].list.first(), frame["structures"].list.first()
    schools = _first_schools(uais, structures, days, directory)
    names = frame["classes"].list.first()
    found = directory.find_classes(schools, names, days)
    classes = found.set(names.is_null(), directory.no_class)
    elsewhere = pl.zeros(len(frame), pl.UInt32, eager=True)
    other_uai = other_class_id = _NOWHERE_ELSE
    several = (
        (_lengths(frame["uai"]) + _lengths(frame["structures"]) > 1) | (_lengths(frame["classes"]) > 1)
    ).arg_true()
    if len(several):
        apart = _look_up_apart(frame[several], schools.gather(several), days.gather(several), directory)
        classes = classes.scatter(several, apart["class"])
        elsewhere = elsewhere.scatter(several, pl.int_range(1, len(several) + 1, eager=True))
        other_uai = pl.concat([_NOWHERE_ELSE, apart["other_uai"]])
        other_class_id = pl.concat([_NOWHERE_ELSE, apart["other_class_id"]])
    return frame.with_columns(
        *directory.school_columns[schools].get_columns(),
        *directory.class_columns[classes].get_columns(),
        *_applications(frame),
        structures.zip_with(uais.is_null(), uais).fill_null("").alias("school"),
        other_uai.gather(elsewhere).alias("other_uai"),
        other_class_id.gather(elsewhere).alias("other_class_id"),
        _wrong_letters(uais, schools == directory.unknown_school).alias("uai_letter_wrong"),
    )


def _first_schools(uais: pl.Series, structures: pl.Series, days: pl.Series, directory: Directory) -> pl.Series:
    by_uai = directory.find_schools(uais, days)
    if not uais.has_nulls():
        return by_uai
    return directory.find_structures(structures, days).zip_with(uais.is_null(), by_uai)


def _look_up_apart(frame: pl.DataFrame, firsts: pl.Series, days: pl.Series, directory: Directory) -> pl.DataFrame:
    """For events of several schools or classes whose first schools were found already.

    Columns, a row per event: `class` (in the first school, as a row of the directory), `other_uai`, `other_class_id`.
    """
    events = frame.select("uai", "structures", "classes", days.alias("day"), firsts.alias("first")).with_row_index(
        "event"
    )
    names = _one_by_one(events, "classes")
    nothing_found = (
        events.select(
            pl.when(pl.col("classes").list.len() > 0).then(directory.unknown_class).otherwise(directory.no_class)
        )
        .to_series()
        .fill_null(directory.no_class)
    )
    schools = _schools_apart(events, directory)
    pairs = schools.join(names.select("event", "name", pl.col("place").alias("turn")), on="event")
    hits = (
        pairs.with_columns(directory.find_classes(pairs["school"], pairs["name"], pairs["day"]).alias("class"))
        .filter(pl.col("class") != directory.unknown_class)
        .sort("event", "school", "turn")
        .unique(["event", "school"], keep="first", maintain_order=True)
    )
    schools = (
        schools.join(hits.select("event", "school", "class"), on=["event", "school"], how="left")
        .with_columns(pl.col("class").fill_null(nothing_found.gather(schools["event"])))
        .sort("event", "origin", "place")
    )
    firsts_found = schools.filter(pl.col("origin") == _FIRST)
    others = schools.filter(pl.col("origin") != _FIRST)
    lists = (
        others.select(
            "event",
            directory.school_columns["uai"].gather(others["school"]).cast(pl.String).alias("other_uai"),
            directory.class_columns["class_id"].gather(others["class"]).cast(pl.String).alias("other_class_id"),
        )
        .group_by("event")
        .all()
    )
    none = pl.lit([], dtype=pl.List(pl.String))
    return (
        events.select("event", nothing_found.scatter(firsts_found["event"], firsts_found["class"]).alias("class"))
        .join(lists, on="event", how="left", maintain_order="left")
        .select("class", pl.col("other_uai").fill_null(none), pl.col("other_class_id").fill_null(none))
    )


def _schools_apart(events: pl.DataFrame, directory: Directory) -> pl.DataFrame:
    """The distinct known schools of each event: `event`, `day`, `school` (row of the directory), `origin`, `place`."""
    uais, structures = _one_by_one(events, "uai"), _one_by_one(events, "structures")
    found_by_uai = directory.find_schools(uais["name"], uais["day"])
    found_by_structure = directory.find_structures(structures["name"], structures["day"])
    sent = pl.concat(
        [
            events.select(
                "event", "day", pl.lit(_FIRST).alias("origin"), pl.lit(0, pl.Int64).alias("place"), school="first"
            ),
            uais.select("event", "day", pl.lit(_UAI).alias("origin"), "place", found_by_uai.alias("school")),
            structures.select(
                "event", "day", pl.lit(_STRUCTURE).alias("origin"), "place", found_by_structure.alias("school")
            ),
        ]
    ).filter(pl.col("school") != directory.unknown_school)
    return (
        sent.with_columns(directory.school_columns["uai"].gather(sent["school"]))
        .sort("event", "origin", "place")
        .unique(["event", "uai"], keep="first", maintain_order=True)
    )


def _one_by_one(events: pl.DataFrame, column: str) -> pl.DataFrame:
    """The entries of a list column: `event`, `day`, `place` in the list, `name`."""
    return (
        events.select(
            "event", "day", pl.int_ranges(pl.col(column).list.len()).alias("place"), pl.col(column).alias("name")
        )
        .explode("place", "name")
        .drop_nulls("name")
    )


def _applications(frame: pl.DataFrame) -> list[pl.Series]:
    """`app`, `app_raw`, `app_kind` and `service`, by a catalogue that is asked once for each distinct name."""
    sent, raw = frame["app"].cast(pl.String), frame["app_raw"].cast(pl.String)
    by_sent, by_raw = _catalogued(sent), _catalogued(raw)
    known = by_sent["app"].is_not_null()
    app, kind, service = (by_sent[name].zip_with(known, by_raw[name]) for name in by_sent.columns)
    unknown = app.is_null() & sent.is_not_null()
    own_kind = frame["app_kind"].cast(_KINDS)
    return [
        app.set(unknown, OTHER).fill_null("").alias("app"),
        sent.zip_with(raw.is_null() & unknown, raw).fill_null("").alias("app_raw"),
        kind.zip_with(own_kind.is_null(), own_kind).fill_null("").alias("app_kind"),
        service.fill_null("").alias("service"),
    ]


def _catalogued(names: pl.Series) -> pl.DataFrame:
    """`app`, `app_kind` and `service` of each name; null where the name is null or the catalogue does not have it."""
    distinct = names.drop_nulls().unique()
    found = [find(name) for name in distinct]
    table = pl.DataFrame(
        {
            "app": [application and application.key for application in found],
            "app_kind": [application and application.kind.value for application in found],
            "service": [application and application.service for application in found],
        },
        schema={"app": _APPS, "app_kind": _KINDS, "service": _SERVICES},
    )
    return table[names.cast(pl.Enum(distinct)).to_physical()]


def _wrong_letters(uais: pl.Series, unknown: pl.Series) -> pl.Series:
    """Whether each UAI's check letter is wrong; those that the directory knows are right."""
    wrong = uais.is_not_null() & unknown
    doubtful = wrong.arg_true()
    return wrong.scatter(doubtful, has_wrong_letter(uais.gather(doubtful)))


def _lengths(lists: pl.Series) -> pl.Series:
    return lists.list.len().fill_null(0)
