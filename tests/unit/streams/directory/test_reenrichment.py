"""Re-enrichment against the record's own path: the same rows, whichever way they came to them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.directory import OPEN_END, DirectoryRecord, School, SchoolClass
from schemas.pseudonym import Key, Pseudonyms
from schemas.uai import check_letter
from streams.batch import Batch
from streams.directory.reenrichment import reenrich
from streams.directory.snapshot import Directory
from streams.pipeline import Keys, Limits, process

TOPIC = "ent.login.v1"
NOW = datetime(2026, 11, 17, 8, 0, tzinfo=UTC)
KEYS = Keys(Pseudonyms(Key(b"0123456789abcdefghijklmnopqrstuvwxyz")), Key(b"another-secret-0123456789-abcdefghijk"))
UAIS = [f"{number:07d}{check_letter(f'{number:07d}')}" for number in (680001, 680002, 680003)]
STRUCTURES = ["str-1", "str-2", "str-3"]
CLASSES = ["CP Mme A", "CE1 M. B", "cls-9"]
DAYS = {"valid_from": date(2025, 9, 1), "valid_to": OPEN_END}
SCHOOL = {"name": "École", "commune": "Ici", "nature": "elementaire", "academie": "Strasbourg", "zone": "B"}
LEVEL = {"label": "x", "levels": ["CP"], "pupils": 20}


def directory(revision: int, schools: set[int], classes: set[tuple[int, int]]) -> Directory:
    """The schools of these numbers, and the classes that are (school, name)."""
    records: list[DirectoryRecord] = [
        School.model_validate(
            {"revision": revision, "uai": UAIS[n], "structure_ids": [STRUCTURES[n]], **SCHOOL, **DAYS}
        )
        for n in schools
    ]
    records += [
        SchoolClass.model_validate(
            {"revision": revision, "class_id": f"c{n}{m}", "uai": UAIS[n], "names": [CLASSES[m]], **LEVEL, **DAYS}
        )
        for n, m in classes
        if n in schools
    ]
    return Directory.of(revision, records)


def rows_by(known: Directory, events: list[dict[str, Any]]) -> pl.DataFrame:
    envelope = {"specversion": "1.0", "source": "urn:x", "type": "fr.ent.login.v1", "time": NOW.isoformat()}
    values: list[bytes | None] = [
        json.dumps(envelope | {"id": str(n), "data": {"profile": "eleve", **event}}).encode()
        for n, event in enumerate(events)
    ]
    stamps = [int(NOW.timestamp() * 1000)] * len(values)
    batch = Batch(TOPIC, 0, 0, len(values), values, [None] * len(values), stamps, 0)
    return process([batch], known, KEYS, {TOPIC: 1}, Limits()).shipment.events


NUMBERS = st.integers(0, 2)
KNOWN = st.tuples(st.sets(NUMBERS), st.sets(st.tuples(NUMBERS, NUMBERS)))
EVENTS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "uai": st.lists(st.sampled_from(UAIS), min_size=1, max_size=3),
            "structures": st.lists(st.sampled_from(STRUCTURES), min_size=1, max_size=2),
            "classes": st.lists(st.sampled_from(CLASSES), min_size=1, max_size=2),
        },
    ).filter(lambda told: "uai" in told or "structures" in told),
    min_size=1,
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(KNOWN, KNOWN, EVENTS)
def test_a_row_is_mended_to_what_its_record_would_become_now(
    before: tuple[set[int], set[tuple[int, int]]],
    more: tuple[set[int], set[tuple[int, int]]],
    events: list[dict[str, Any]],
) -> None:
    """Whatever was known then and is known now, of every event that was not known whole; and twice is once."""
    old = directory(1, *before)
    new = directory(2, before[0] | more[0], before[1] | more[1])
    then = rows_by(old, events)
    kept = then.filter(then["named"] != "")
    if not len(kept):
        return
    now = rows_by(new, events).filter(then["named"] != "")
    mended = reenrich(kept, new, KEYS.event_id)
    assert mended.drop("named").equals(now.drop("named"))
    assert reenrich(mended, new, KEYS.event_id).equals(mended)


def test_only_what_is_unknown_keeps_its_names_and_never_a_class_in_clear() -> None:
    known = directory(1, {0}, {(0, 0)})
    rows = rows_by(known, [{"uai": [UAIS[0]], "classes": [CLASSES[0]]}, {"uai": [UAIS[1]], "classes": [CLASSES[1]]}])
    whole, unknown = rows["named"]
    assert whole == ""
    assert json.loads(unknown)["uai"] == [UAIS[1]]
    assert CLASSES[1] not in unknown
