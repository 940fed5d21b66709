"""Bad input costs itself only, and the decoder's law holds at its edges."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.decode.refusing import refusal_of
from schemas.event import LAW
from schemas.formats import COLUMNS, Decoded, decode, to_events
from schemas.formats.door import decode_by_the_law
from schemas.pseudonym import Key
from schemas.reason import Drop, Reason
from tests.fuzz.generate import Generator

KEY = Key(bytes(range(32)))
DATA: dict[str, Any] = {"uai": ["0689901T"], "profile": "eleve", "user": "u-1"}
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "a",
    "source": "urn:x",
    "type": "fr.ent.login.v1",
    "time": "2026-11-16T06:00:25Z",
    "data": DATA,
}


def written(**changed: Any) -> bytes:
    return json.dumps({**EVENT, **changed}).encode()


def with_data(**changed: Any) -> bytes:
    return written(data={**DATA, **changed})


def answer(record: bytes | None) -> Reason | None:
    """The reason that a record is refused for, among good ones that must survive it; None if it is taken."""
    decoded = decode([written(), record, written()], None, KEY)
    assert {0, 2} <= set(decoded.frame["index"]), "a neighbour was lost"
    assert_same(decoded, decode_by_the_law([written(), record, written()], None, KEY))
    return decoded.refusals[0].reason if decoded.refusals else None


def assert_same(ours: Decoded, law: Decoded) -> None:
    assert ours.frame.equals(law.frame)
    assert ours.frame.schema == law.frame.schema
    assert ours.refusals == law.refusals
    assert ours.drops == law.drops


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (None, Reason.EMPTY),
        (b"", Reason.EMPTY),
        (b" ", Reason.BAD_JSON),
        (b"\x00", Reason.BAD_JSON),
        (b"hello", Reason.BAD_JSON),
        (written()[:-1], Reason.BAD_JSON),
        (written() + b"\n" + written(), Reason.BAD_JSON),
        (b"\xef\xbb\xbf" + written(), Reason.BAD_JSON),
        (written().replace(b'"u-1"', b'"\xff"'), Reason.BAD_JSON),
        (written().replace(b'"u-1"', b'"a\x00b"'), Reason.BAD_JSON),
        (written().replace(b'"u-1"', b'"\\ud800"'), Reason.BAD_JSON),
        (b"[]", Reason.UNKNOWN_FORMAT),
        (b"{}", Reason.UNKNOWN_FORMAT),
        (b"null", Reason.UNKNOWN_FORMAT),
        (b"1e999", Reason.UNKNOWN_FORMAT),
        (b'{"sensor": "x", "data": []}', Reason.UNKNOWN_FORMAT),
        (with_data(user={"id": "u-1"}), Reason.BAD_TYPE),
        (with_data(user=["u-1"]), Reason.BAD_TYPE),
        (with_data(user=True), Reason.BAD_TYPE),
        (with_data(uai=[None]), Reason.BAD_TYPE),
        (with_data(classes={"a": 1}), Reason.BAD_TYPE),
        (written(data=None), Reason.BAD_TYPE),
        (written(id=10**400), Reason.BAD_TYPE),
        (written(time=1763272825), Reason.BAD_TYPE),
        (written(time="1763272825000"), Reason.BAD_TYPE),
        (written(time="2026-11-16T06:00:25"), Reason.BAD_TYPE),
        (written(time="2026-02-29T06:00:25Z"), Reason.BAD_TYPE),
        (written(time="2014-12-31T23:59:59.999999Z"), Reason.TOO_OLD),
        (written(time="2100-01-01T00:00:00Z"), Reason.FUTURE),
        (written(time="9999-12-31T23:59:59Z"), Reason.FUTURE),
        (with_data(uai=["06899011"]), Reason.BAD_UAI_FORMAT),
        (with_data(uai=["0689901T\n"]), Reason.BAD_UAI_FORMAT),
        (with_data(user="x" * 2**20), Reason.BAD_VALUE),
        (with_data(classes=["x" * 2**20]), Reason.BAD_VALUE),
    ],
)
def test_bad_input_is_refused_with_its_reason_and_costs_itself_only(record: bytes | None, reason: Reason) -> None:
    """The list of bad input, each between two good records."""
    assert answer(record) is reason


@pytest.mark.parametrize(
    "record",
    [
        with_data(uai=["0689901A"]),
        with_data(user="a\x00b"),
        with_data(extra="x" * 2**20),
        with_data(extra=[[1] * 50] * 50),
        written(extra={"uai": ["not one"], "time": 5}),
        written(extra=10**4299),
        written(time="2026-11-16t06:00:25.1234567+00:00"),
        written(time="2015-01-01T00:00:00Z"),
        written(time="2099-12-31T23:59:59.999999Z"),
        b" \n" + written() + b"\t",
        json.dumps(dict(reversed(EVENT.items()))).encode(),
    ],
)
def test_odd_input_is_taken(record: bytes) -> None:
    """A wrong check letter, unknown fields however large, unusual but valid spellings."""
    assert answer(record) is None


@pytest.mark.parametrize(
    "hidden", [b'"\xff"', b'"\xed\xa0\x80"', b"9" * 4301, b"[" * 201 + b"]" * 201, b'{"a":' * 201 + b"1" + b"}" * 201]
)
def test_a_fault_inside_an_ignored_field_is_seen(hidden: bytes) -> None:
    """pydantic looks inside what it ignores, so we do."""
    assert answer(written()[:-1] + b',"ignored":' + hidden + b"}") is Reason.BAD_JSON


def test_extra_fields_are_dropped_unread() -> None:
    """What is not in the model leaves no trace in the frame."""
    decoded = decode([with_data(name="Jeanne Canari", address={"ip": "192.0.2.7"})], None, KEY)
    assert "Canari" not in str(decoded.frame.rows())
    assert decoded.frame.columns == [*COLUMNS, "format"]


def test_a_field_of_another_type_of_event_is_dropped_unread() -> None:
    """A login has no stage, so what stands there is neither checked nor kept."""
    decoded = decode([with_data(stage="opened", app="blog"), with_data(stage=5)], None, KEY)
    assert decoded.frame["stage"].to_list() == [None, None]
    assert decoded.frame["app"].to_list() == [None, None]


def test_the_last_of_a_repeated_field_counts() -> None:
    """As in pydantic's own reading of JSON."""
    record = written()[:-1] + b',"id":"b"}'
    assert decode([record], None, KEY).frame["id"].to_list() == ["b"]


def test_times_come_out_in_utc_to_the_microsecond() -> None:
    """Whatever the offset; what is finer than a microsecond is cut off."""
    records = [
        written(time="2026-11-16T06:00:25.123456+01:00"),
        written(time="2026-11-16 06:00:25.1234569Z"),
    ]
    assert decode(records, None, KEY).frame["time"].to_list() == [
        datetime(2026, 11, 16, 5, 0, 25, 123456, tzinfo=UTC),
        datetime(2026, 11, 16, 6, 0, 25, 123456, tzinfo=UTC),
    ]


def test_an_empty_batch_and_a_batch_of_tombstones() -> None:
    """No rows, and the columns are there all the same."""
    assert decode([], None, KEY).frame.columns == [*COLUMNS, "format"]
    decoded = decode([None, b""], None, KEY)
    assert decoded.frame.is_empty()
    assert [refusal.index for refusal in decoded.refusals] == [0, 1]


def test_every_record_has_exactly_one_outcome() -> None:
    """Accepted, refused or dropped: each index once, in a batch of all formats and many faults."""
    generator = Generator(4)
    records: list[bytes | None] = [
        one for _ in range(300) for one in (generator.canonical(0.2), generator.entcore(0.2), None)
    ]
    decoded = decode(records, None, KEY)
    accepted = decoded.frame["index"].to_list()
    assert accepted == sorted(accepted)
    outcomes = [*accepted, *(refusal.index for refusal in decoded.refusals), *(index for index, _ in decoded.drops)]
    assert sorted(outcomes) == list(range(len(records)))
    assert {drop for _, drop in decoded.drops} == {Drop.IGNORED_TYPE}
    assert_same(decoded, decode_by_the_law(records, None, KEY))


def test_a_format_by_name_is_the_only_one_asked() -> None:
    """`only` judges every record by one format; an unknown name is an error of the caller."""
    entcore = b'{"event-type": "LOGIN", "module": "Auth", "date": 1794901272345, "structures": ["s"]}'
    assert decode([entcore], None, KEY, only="canonical").refusals[0].reason is Reason.MISSING_FIELD
    assert decode([written()], None, KEY, only="entcore").refusals[0].reason is Reason.MISSING_FIELD
    assert decode([entcore], None, KEY, only="entcore").frame.height == 1
    with pytest.raises(KeyError):
        decode([entcore], None, KEY, only="no such format")


def test_events_go_out_and_come_back_the_same() -> None:
    """`to_events` is the inverse of the decoder: every column but the index's batch survives the round trip."""
    generator = Generator(9)
    frame = decode([generator.canonical(0) for _ in range(500)], None, KEY).frame
    again = decode([json.dumps(event).encode() for event in to_events(frame)], None, KEY).frame
    assert frame.select(pl.exclude("uai", "structures", "classes")).equals(
        again.select(pl.exclude("uai", "structures", "classes"))
    )
    for name in ("uai", "structures", "classes"):
        assert frame[name].to_list() == again[name].to_list()


CANARY = "Jeanne-Canari-0612345678"
JSON_VALUES = st.sampled_from([CANARY, [CANARY], {CANARY: CANARY}, CANARY * 10, 612345678, None, True, [], 1.5])


@settings(deadline=None)
@given(place=st.sampled_from([*EVENT, *DATA, "classes", "app", "stage", "recipient_count"]), value=JSON_VALUES)
def test_a_refusal_never_repeats_its_input(place: str, value: object) -> None:
    """Wherever a person's name stands, tags and keys included, pydantic's message comes without it."""
    inside = place not in EVENT
    record = with_data(**{place: value}) if inside else written(**{place: value})
    for refusal in decode([record, record[:-3]], None, KEY).refusals:
        assert "Canari" not in refusal.message
        assert "612345678" not in refusal.message


def test_messages_are_pydantics_own() -> None:
    """With the place in the record before them."""
    record = with_data(uai=["x"])
    with pytest.raises(ValidationError) as caught:
        LAW.validate_json(record)
    told = decode([record], None, KEY).refusals[0]
    assert told == refusal_of(0, caught.value, "canonical")
    assert told.message == "fr.ent.login.v1.data.uai.0: String should match pattern '^[0-9]{7}[A-Z]$'"
