"""Records of the directory: what is allowed, what is refused and why, and digests."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.directory import (
    OPEN_END,
    TOPICS,
    DirectoryRecord,
    Level,
    Manifest,
    ProfileRecord,
    School,
    SchoolClass,
    content_digest,
    cycle_of,
)
from schemas.directory_reader import read_directory_records
from schemas.directory_row import to_rows
from schemas.reason import Reason
from schemas.uai import CHECK_LETTERS, check_letter, has_wrong_letter

SCHOOL: dict[str, Any] = {
    "revision": 3,
    "uai": "0689901T",
    "valid_from": "2025-09-01",
    "name": "École A",
    "commune": "Villefictive",
    "nature": "elementaire",
    "academie": "Strasbourg",
    "zone": "B",
}
CLASS: dict[str, Any] = {
    "revision": 3,
    "class_id": "a",
    "uai": "0689901T",
    "valid_from": "2025-09-01",
    "label": "CP A",
    "levels": ["CP"],
    "pupils": 20,
}
PROFILE: dict[str, Any] = {"revision": 3, "profile": "eleve", "label": "Élèves", "rank": 1}
MANIFEST: dict[str, Any] = {"revision": 3, "schools": 1, "classes": 1, "profiles": 1, "content": "0" * 64}


def encoded(record: DirectoryRecord) -> tuple[bytes, bytes]:
    return record.key.encode(), record.model_dump_json().encode()


def test_known_uais_have_the_letters_of_the_national_directory() -> None:
    """Numbers of real schools, and the fictive ones of our tests."""
    for known in ("0010024W", "0220158C", "0750654D", "0049951V", "0689901T", "0689902U", "0689903V", "0449901Y"):
        assert check_letter(known[:7]) == known[7]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 9_999_999), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ") | st.none()), max_size=20
    )
)
def test_letters_of_a_column_are_judged_as_one_by_one(uais: list[tuple[int, str | None]]) -> None:
    """Columns or single values, the judgement is the same; null is nobody's mistake."""
    texts = [None if letter is None else f"{number:07d}{letter}" for number, letter in uais]
    expected = [text is not None and text[7] != check_letter(text[:7]) for text in texts]
    assert has_wrong_letter(pl.Series(texts, dtype=pl.String)).to_list() == expected


def test_keys_tell_versions_apart() -> None:
    """Compaction must keep every version."""
    assert School.model_validate(SCHOOL).key == "0689901T@2025-09-01"
    assert SchoolClass.model_validate(CLASS).key == "a@2025-09-01"
    assert ProfileRecord.model_validate(PROFILE).key == "eleve"
    assert Manifest.model_validate(MANIFEST).key == "manifest"


def test_what_is_not_said_has_harmless_defaults() -> None:
    """A school of which only the necessary is known is not deployed, and holds without end."""
    school = School.model_validate(SCHOOL)
    assert (school.deployed_from, school.valid_to, school.structure_ids, school.accounts) == (None, OPEN_END, [], [])


@pytest.mark.parametrize(
    ("model", "record", "change", "place"),
    [
        (School, SCHOOL, {"uai": "0689901A"}, ("uai",)),
        (School, SCHOOL, {"uai": "689901T"}, ("uai",)),
        (School, SCHOOL, {"name": ""}, ("name",)),
        (School, SCHOOL, {"name": "A\nB"}, ("name",)),
        (School, SCHOOL, {"zone": "D"}, ("zone",)),
        (School, SCHOOL, {"education_prioritaire": "ZEP"}, ("education_prioritaire",)),
        (School, SCHOOL, {"valid_to": "2025-09-01"}, ()),
        (School, SCHOOL, {"valid_from": "1969-12-31"}, ("valid_from",)),
        (School, SCHOOL, {"valid_to": "2149-06-07"}, ("valid_to",)),
        (School, SCHOOL, {"structure_ids": ["a", "a"]}, ("structure_ids",)),
        (School, SCHOOL, {"accounts": [{"profile": "eleve", "loaded": 1, "activated": 2}]}, ("accounts", 0)),
        (School, SCHOOL, {"accounts": [{"profile": "eleve", "loaded": 1, "activated": 1}] * 2}, ()),
        (School, SCHOOL, {"revision": 0}, ("revision",)),
        (SchoolClass, CLASS, {"class_id": "unmapped"}, ("class_id",)),
        (SchoolClass, CLASS, {"class_id": ""}, ("class_id",)),
        (SchoolClass, CLASS, {"levels": []}, ("levels",)),
        (SchoolClass, CLASS, {"levels": ["CP", "CP"]}, ("levels",)),
        (SchoolClass, CLASS, {"levels": ["6E"]}, ("levels", 0)),
        (SchoolClass, CLASS, {"cycle": "4"}, ("cycle",)),
        (SchoolClass, CLASS, {"pupils": 1000}, ("pupils",)),
        (ProfileRecord, PROFILE, {"profile": "directeur"}, ("profile",)),
        (Manifest, MANIFEST, {"content": "abc"}, ("content",)),
    ],
)
def test_what_a_record_must_not_say(
    model: type[School], record: dict[str, Any], change: dict[str, Any], place: tuple[str | int, ...]
) -> None:
    """Each rule refuses its own mistake, at its place."""
    model.model_validate(record)
    with pytest.raises(ValidationError) as caught:
        model.model_validate(record | change)
    assert [error["loc"] for error in caught.value.errors()] == [place]


def test_a_wrong_check_letter_is_told_with_the_right_one() -> None:
    """The message is what the operator needs."""
    with pytest.raises(ValidationError, match="the check letter of 0689901 is T"):
        School.model_validate(SCHOOL | {"uai": "0689901A"})


@pytest.mark.parametrize(
    ("levels", "cycle"),
    [([Level.PS, Level.MS], "1"), ([Level.CE2, Level.CM1], "2-3"), ([Level.CM2], "3"), ([Level.ULIS], ""), ([], "")],
)
def test_cycles_follow_from_levels(levels: list[Level], cycle: str) -> None:
    """Several are joined, ULIS has none."""
    assert cycle_of(levels) == cycle


def test_the_digest_leaves_the_revision_out_and_nothing_else() -> None:
    """The same content in another revision has the same digest; a changed field has another one."""
    school = School.model_validate(SCHOOL)
    assert School.model_validate(SCHOOL | {"revision": 4}).digest() == school.digest()
    for name, value in (("name", "École B"), ("mobile_classes", 1), ("valid_to", "2026-09-01"), ("pilot", True)):
        assert School.model_validate(SCHOOL | {name: value}).digest() != school.digest()


@settings(deadline=None)
@given(st.lists(st.binary(min_size=32, max_size=32), max_size=6), st.randoms())
def test_the_directory_s_digest_does_not_mind_the_order(digests: list[bytes], random: Any) -> None:
    """Receivers see records in orders of their own."""
    shuffled = digests.copy()
    random.shuffle(shuffled)
    assert content_digest(shuffled) == content_digest(digests)


def test_every_record_of_a_batch_is_read_withdrawn_or_refused() -> None:
    """Tombstones are counted, mistakes have their reasons, and the others are read."""
    key, value = encoded(School.model_validate(SCHOOL))
    manifest = Manifest.model_validate(MANIFEST)
    cases: list[tuple[bytes | None, bytes | None]] = [
        (key, value),
        (key, None),
        (key, b"{"),
        (key, value.replace(b'"name":"\xc3\x89cole A",', b"")),
        (key, value.replace(b'"pilot":false', b'"pilot":"peut-etre"')),
        (key, value.replace(b'"zone":"B"', b'"zone":"Z"')),
        (b"0689902U@2025-09-01", value),
        (None, value),
        (b"manifest", manifest.model_dump_json().encode()),
        (b"manifest", value),
    ]
    batch = read_directory_records(School.topic, [k for k, _ in cases], [v for _, v in cases])
    assert batch.records == [School.model_validate(SCHOOL), manifest]
    assert batch.withdrawn == 1
    assert [(refusal.index, refusal.reason) for refusal in batch.refusals] == [
        (2, Reason.BAD_JSON),
        (3, Reason.MISSING_FIELD),
        (4, Reason.BAD_TYPE),
        (5, Reason.BAD_VALUE),
        (6, Reason.BAD_VALUE),
        (7, Reason.BAD_VALUE),
        (9, Reason.MISSING_FIELD),
    ]
    assert batch.refusals[4].message == "the record's key must be 0689901T@2025-09-01"
    assert "École" not in " ".join(refusal.message for refusal in batch.refusals)


@pytest.mark.parametrize(("model", "record"), [(School, SCHOOL), (SchoolClass, CLASS), (ProfileRecord, PROFILE)])
def test_each_topic_reads_its_own_records(model: type[School], record: dict[str, Any]) -> None:
    """What is sent is what is read."""
    sent = model.model_validate(record)
    key, value = encoded(sent)
    assert read_directory_records(model.topic, [key], [value]).records == [sent]
    assert model.topic in TOPICS


def test_rows_hold_the_records_and_their_accounts() -> None:
    """A row per record, and one per profile of the accounts, with an empty class for those of the school."""
    accounts = [{"profile": "personnel", "loaded": 3, "activated": 2}]
    rows = to_rows(
        [
            School.model_validate(SCHOOL | {"accounts": accounts}),
            SchoolClass.model_validate(CLASS | {"accounts": accounts}),
            ProfileRecord.model_validate(PROFILE),
            Manifest.model_validate(MANIFEST),
        ]
    )
    assert rows.schools.select("revision", "uai", "valid_from", "education_prioritaire").rows() == [
        (3, "0689901T", date(2025, 9, 1), "")
    ]
    assert rows.classes.select("class_id", "levels").rows() == [("a", ["CP"])]
    assert rows.accounts.drop("revision").rows() == [
        ("0689901T", "", "personnel", 3, 2),
        ("0689901T", "a", "personnel", 3, 2),
    ]
    assert (len(rows.profiles), len(rows.manifests)) == (1, 1)
    assert len(rows.schools["digest"][0]) == 32


def test_the_alphabet_of_check_letters_has_no_letter_that_looks_like_a_digit() -> None:
    """23 letters, without I, O and Q."""
    assert len(CHECK_LETTERS) == 23
    assert not set("IOQ") & set(CHECK_LETTERS)
