"""Enrichment against a plain reading of the same rules, one event at a time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.applications import find
from schemas.directory import OPEN_END, DirectoryRecord, Level, Nature, PriorityEducation, School, SchoolClass
from schemas.uai import check_letter
from streams.directory.snapshot import Directory
from streams.enrichment import enrich

PARIS = ZoneInfo("Europe/Paris")
UAIS = [f"{number:07d}{check_letter(f'{number:07d}')}" for number in (680001, 680002, 680003, 680004)]
STRUCTURES = ["str-1", "str-2", "str-3"]
CLASS_NAMES = ["CP A", "CE1 B", "cls-1", "cls-2", "cls-3", "cls-4"]
BOUNDARIES = [date(2025, 9, 1), date(2026, 3, 29), date(2026, 9, 1), date(2026, 11, 16), OPEN_END]
INPUT = {
    "time": pl.Datetime("us", "UTC"),
    "uai": pl.List(pl.String()),
    "structures": pl.List(pl.String()),
    "classes": pl.List(pl.String()),
    "app": pl.String(),
    "app_raw": pl.String(),
    "app_kind": pl.String(),
}


class Event(NamedTuple):
    time: datetime
    uai: list[str] | None
    structures: list[str] | None
    classes: list[str] | None
    app: str | None = None
    app_raw: str | None = None
    app_kind: str | None = None


def school(uai: str, start: date, end: date = OPEN_END, **more: Any) -> School:
    return School.model_validate(
        {
            "revision": 1,
            "uai": uai,
            "valid_from": start,
            "valid_to": end,
            "name": "École fictive",
            "commune": "Villefictive",
            "nature": Nature.ELEMENTAIRE,
            "academie": "Strasbourg",
            "zone": "B",
            **more,
        }
    )


def school_class(class_id: str, uai: str, start: date, end: date = OPEN_END, **more: Any) -> SchoolClass:
    levels = more.pop("levels", [Level.CP])
    return SchoolClass.model_validate(
        {
            "revision": 1,
            "class_id": class_id,
            "uai": uai,
            "valid_from": start,
            "valid_to": end,
            "label": class_id,
            "levels": levels,
            "cycle": "2",
            "pupils": 20,
            **more,
        }
    )


def frame_of(events: list[Event]) -> pl.DataFrame:
    return pl.DataFrame(events, schema=INPUT, orient="row")


def enrich_one(event: Event, directory: Directory) -> dict[str, Any]:
    return enrich(frame_of([event]), directory).row(0, named=True)


def random_spans(random: Random) -> list[tuple[date, date]]:
    """Spans of days that do not overlap, with or without gaps."""
    starts = sorted(random.sample(BOUNDARIES[:-1], random.randint(1, 3)))
    ends = [*starts[1:], OPEN_END]
    return [
        (a, random.choice([b, *(day for day in BOUNDARIES if a < day < b)])) for a, b in zip(starts, ends, strict=True)
    ]


def random_records(random: Random) -> list[DirectoryRecord]:
    """Schools and classes with several versions each; within a school no two classes share a name."""
    records: list[DirectoryRecord] = []
    structures = random.sample(STRUCTURES, len(STRUCTURES))
    for place, uai in enumerate(UAIS[:3]):
        for start, end in random_spans(random):
            ids = [structures[place]] if random.random() < 0.7 else []
            priority = random.choice(list(PriorityEducation))
            records.append(school(uai, start, end, pole=f"P{place}", education_prioritaire=priority, structure_ids=ids))
        names = random.sample(CLASS_NAMES, len(CLASS_NAMES))
        for number in range(3):
            for start, end in random_spans(random):
                levels = random.choice([[Level.CP], [Level.CE2, Level.CM1], [Level.ULIS]])
                own = names[2 * number : 2 * number + random.randint(0, 2)]
                records.append(school_class(f"c{number}-{uai}", uai, start, end, levels=levels, names=own))
    return records


def random_event(random: Random) -> Event:
    day = random.choice(BOUNDARIES[:-1])
    time = datetime(day.year, day.month, day.day, tzinfo=PARIS).astimezone(UTC)
    time += random.choice([timedelta(), timedelta(microseconds=-1), timedelta(days=random.uniform(-40, 40))])
    uais = random.choices([*UAIS, "0680001Z", "0680009A"], k=random.choice([0, 1, 1, 1, 2, 3]))
    structures = random.choices([*STRUCTURES, "str-9"], k=random.choice([0, 0, 1, 2]))
    classes = random.choices([*CLASS_NAMES, *(f"c1-{uai}" for uai in UAIS), "?"], k=random.choice([0, 1, 1, 2, 4]))
    app, app_raw = random.choices([None, "blog", "BLOG", "SchoolBook", "exerciseur maison"], k=2)
    kind = random.choice([None, "NATIF", "TIERS"])
    empty: list[str] | None = random.choice([None, []])
    return Event(time, uais or empty, structures or empty, classes or empty, app, app_raw, kind)


def naive(event: Event, records: list[DirectoryRecord]) -> dict[str, Any]:
    """The rules, read aloud."""
    day = event.time.astimezone(PARIS).date()
    schools = [r for r in records if isinstance(r, School) and r.valid_from <= day < r.valid_to]
    classes = [r for r in records if isinstance(r, SchoolClass) and r.valid_from <= day < r.valid_to]

    def class_in(uai: str | None) -> SchoolClass | None:
        return next(
            (c for name in event.classes or [] for c in classes if c.uai == uai and name in (c.class_id, *c.names)),
            None,
        )

    def class_id_in(uai: str | None) -> str:
        found = class_in(uai)
        return found.class_id if found else "unmapped" if event.classes else ""

    mapped = [next((s for s in schools if s.uai == uai), None) for uai in event.uai or []]
    mapped += [next((s for s in schools if name in s.structure_ids), None) for name in event.structures or []]
    first = mapped[0] if mapped else None
    others = list(dict.fromkeys(s.uai for s in mapped[1:] if s and not (first and s.uai == first.uai)))
    own = class_in(first.uai) if first else None
    sent = event.uai[0] if event.uai else None
    application = (find(event.app) if event.app else None) or (find(event.app_raw) if event.app_raw else None)
    unknown = event.app is not None and application is None
    return {
        "school": sent or (event.structures[0] if event.structures else ""),
        "uai": first.uai if first else "unmapped",
        "commune": first.commune if first else "",
        "circonscription": first.circonscription if first else "",
        "pole": first.pole if first else "",
        "education_prioritaire": first.education_prioritaire.value if first else "",
        "zone": first.zone if first else "",
        "class_id": class_id_in(first.uai if first else None),
        "cycle": own.cycle if own else "",
        "levels": "-".join(own.levels) if own else "",
        "other_uai": others,
        "other_class_id": [class_id_in(uai) for uai in others],
        "uai_letter_wrong": sent is not None and sent[7] != check_letter(sent[:7]),
        "app": application.key if application else "autre" if unknown else "",
        "app_raw": event.app_raw or (event.app if unknown else "") or "",
        "app_kind": event.app_kind or (application.kind.value if application else ""),
        "service": application.service if application else "",
    }


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_enrichment_equals_the_rules_read_one_event_at_a_time(seed: int) -> None:
    """Law: columns or one by one, the values are the same."""
    random = Random(seed)
    records = random_records(random)
    events = [random_event(random) for _ in range(150)]
    enriched = enrich(frame_of(events), Directory.of(1, records))
    for event, row in zip(events, enriched.rows(named=True), strict=True):
        expected = naive(event, records)
        assert {name: row[name] for name in expected} == expected, event


def test_an_empty_frame_keeps_its_columns() -> None:
    """No event, no row, and all columns."""
    enriched = enrich(frame_of([]), Directory.empty())
    assert enriched.is_empty()
    assert {"school", "uai", "class_id", "other_uai", "service", "uai_letter_wrong"} <= set(enriched.columns)


def test_an_unknown_school_keeps_what_was_sent() -> None:
    """A UAI that the directory does not know is unmapped, and still there to be enriched later."""
    row = enrich_one(Event(datetime(2026, 11, 16, tzinfo=UTC), [UAIS[3]], None, ["CP A"]), Directory.empty())
    assert (row["school"], row["uai"], row["class_id"]) == (UAIS[3], "unmapped", "unmapped")


@pytest.mark.parametrize(
    ("instant", "pole"), [("2026-08-31T21:59:59.999999+00:00", "old"), ("2026-08-31T22:00:00+00:00", "new")]
)
def test_a_description_changes_at_midnight_in_paris(instant: str, pole: str) -> None:
    """valid_from is a day of Paris, not of UTC."""
    change = date(2026, 9, 1)
    records = [school(UAIS[0], date(2025, 9, 1), change, pole="old"), school(UAIS[0], change, pole="new")]
    event = Event(datetime.fromisoformat(instant), [UAIS[0]], None, None)
    assert enrich_one(event, Directory.of(1, records))["pole"] == pole


def test_a_parent_of_two_schools_has_a_class_in_each() -> None:
    """The first school carries the event; the second stands beside it with the class in it."""
    start = date(2025, 9, 1)
    records: list[DirectoryRecord] = [
        *(school(uai, start) for uai in UAIS[:2]),
        school_class("a", UAIS[0], start),
        school_class("b", UAIS[1], start),
    ]
    row = enrich_one(Event(datetime(2026, 11, 16, tzinfo=UTC), UAIS[:2], None, ["b", "a"]), Directory.of(1, records))
    assert (row["uai"], row["class_id"], row["other_uai"], row["other_class_id"]) == (UAIS[0], "a", [UAIS[1]], ["b"])
