"""CloudEvents' binary mode on Kafka: equal to the structured event with these attributes and that data."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.formats import Headers, decode, to_events
from schemas.formats.door import decode_by_the_law
from schemas.pseudonym import Key
from schemas.reason import Reason

KEY = Key(bytes(range(32)))
ATTRIBUTES = {
    "specversion": "1.0",
    "id": "a",
    "source": "urn:x",
    "type": "fr.ent.login.v1",
    "time": "2026-11-16T06:00:25Z",
}
DATA: dict[str, Any] = {"uai": ["0689901T"], "profile": "eleve", "user": "u-1"}
VALUE = json.dumps(DATA).encode()


def headers_of(attributes: dict[str, str]) -> list[tuple[str, bytes | None]]:
    return [(f"ce_{name}", text.encode()) for name, text in attributes.items()]


def reason_of(value: bytes | None, headers: Headers) -> Reason | None:
    ours, law = decode([value], [headers], KEY), decode_by_the_law([value], [headers], KEY)
    assert ours.frame.equals(law.frame)
    assert ours.refusals == law.refusals
    return ours.refusals[0].reason if ours.refusals else None


def test_an_event_in_binary_mode_is_the_structured_one() -> None:
    """The same row, whichever way it came."""
    structured = json.dumps({**ATTRIBUTES, "data": DATA}).encode()
    decoded = decode([VALUE, structured], [headers_of(ATTRIBUTES), None], KEY)
    first, second = to_events(decoded.frame)
    assert first == second == next(to_events(decode([structured], None, KEY).frame))
    assert decoded.slow == 0


TEXTS = st.sampled_from(["", "a", "1.0", 'a"b', "\\", "a\x00b", "é" * 64, "x" * 129, "x" * 257, *ATTRIBUTES.values()])


@settings(deadline=None)
@given(
    attributes=st.dictionaries(st.sampled_from([*ATTRIBUTES, "data", "subject"]), TEXTS).map(lambda d: ATTRIBUTES | d),
    dropped=st.sampled_from([None, None, None, *ATTRIBUTES]),
    data=st.sampled_from([DATA, {}, [], None, "a", 1.5, {"data": DATA}, {**DATA, "id": "evil", "data": {"user": "x"}}]),
    space=st.sampled_from(["", " ", "\n\t"]),
)
def test_binary_mode_answers_as_the_structured_event(
    attributes: dict[str, str], dropped: str | None, data: object, space: str
) -> None:
    """For any attributes and any JSON value: same acceptance, same values, same reason and message."""
    told = {name: text for name, text in attributes.items() if name != dropped}
    value = (space + json.dumps(data) + space).encode()
    envelope = {name: text for name, text in told.items() if name in ATTRIBUTES}
    structured = json.dumps({**envelope, "data": data}).encode()
    binary = decode([value], [headers_of(told)], KEY)
    expected = decode([structured], None, KEY, only="canonical")
    assert list(to_events(binary.frame)) == list(to_events(expected.frame))
    assert binary.refusals == expected.refusals


@pytest.mark.parametrize(
    "value",
    [
        VALUE + b',"id":"evil"',
        VALUE + b'},{"id":"evil"',
        VALUE[:-1] + b'},"id":"evil"',
        VALUE[:-1] + b'},"id":{"a":1',
        b'{"uai":["0689901T"],"profile":"eleve"},"data":{"uai":["0689902U"],"profile":"parent"}',
        VALUE[:-1],
        VALUE + VALUE,
        VALUE + b"\x00",
        b'"',
        b"",
    ],
)
def test_nothing_in_the_value_passes_for_an_attribute(value: bytes) -> None:
    """The value must be one complete document; pieces that would complete a composed envelope are refused."""
    assert reason_of(value, headers_of(ATTRIBUTES)) in {Reason.BAD_JSON, Reason.EMPTY}


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_a_missing_attribute_is_a_missing_field(name: str) -> None:
    """Nothing is filled in, from the value least of all."""
    told = {key: text for key, text in ATTRIBUTES.items() if key != name}
    value = json.dumps({**DATA, name: ATTRIBUTES[name]}).encode()
    assert reason_of(value, headers_of(told)) is Reason.MISSING_FIELD


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("ce_id", b"\xff", Reason.BAD_TYPE),
        ("ce_id", None, Reason.BAD_TYPE),
        ("ce_id", b"", Reason.BAD_VALUE),
        ("ce_id", b"x" * 129, Reason.BAD_VALUE),
        ("ce_id", "é".encode() * 128, None),
        ("ce_specversion", b"0.3", Reason.BAD_VALUE),
        ("ce_type", b"fr.ent.logout.v1", Reason.UNKNOWN_FORMAT),
        ("ce_type", b"fr.ent.app_visit.v1", Reason.MISSING_FIELD),
        ("ce_time", b"1763272825000", Reason.BAD_TYPE),
        ("ce_time", b"2026-11-16 06:00:25+01:00", None),
        ("ce_time", b"2014-11-16T06:00:25Z", Reason.TOO_OLD),
        ("ce_data", b'{"user":"evil"}', None),
        ("traceparent", b"\xff", None),
    ],
)
def test_a_header_is_judged_like_a_field(name: str, value: bytes | None, reason: Reason | None) -> None:
    """Of a header given twice the last one counts; those that are no attributes of ours are dropped unread."""
    assert reason_of(VALUE, [*headers_of(ATTRIBUTES), (name, value)]) is reason


def test_nesting_counts_the_envelope() -> None:
    """The value is one level deeper than it looks, as in the structured event."""
    for depth, reason in ((199, None), (200, Reason.BAD_JSON)):
        value = VALUE[:-1] + b',"x":' + b"[" * depth + b"]" * depth + b"}"
        assert reason_of(value, headers_of(ATTRIBUTES)) is reason


def test_the_content_type_decides_the_mode() -> None:
    """A structured event stays one, whatever headers stand beside it."""
    structured = json.dumps({**ATTRIBUTES, "data": DATA}).encode()
    kind = ("content-type", b"application/cloudevents+json; charset=UTF-8")
    assert reason_of(structured, [kind, ("ce_id", b"other")]) is None
    assert reason_of(structured, [("traceparent", b"x")]) is None
    assert reason_of(VALUE, [kind, *headers_of(ATTRIBUTES)]) is Reason.UNKNOWN_FORMAT


def test_a_tombstone_in_binary_mode_is_empty() -> None:
    """No value, no event, whatever the headers say."""
    assert reason_of(None, headers_of(ATTRIBUTES)) is Reason.EMPTY
