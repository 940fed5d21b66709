"""Dead letters hold no person: canaries in every field, and none comes out."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.dead_letter import DeadLetter, redact, why_payload_does_not_serve
from schemas.formats import FORMATS, UNKNOWN, decode
from schemas.formats.kept import Kept
from schemas.pseudonym import Key, Pseudonyms, event_ids
from tests.fuzz.compare import MODES
from tests.fuzz.mutate import Mutator

KEY = Key(bytes(range(7, 47)))
OURS = Pseudonyms(KEY)
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "urn:x",
    "type": "fr.ent.login.v1",
    "time": "2026-11-16T06:00:25Z",
    "data": {"uai": ["0689901T"], "profile": "eleve", "user": "u-1", "session": "s-1", "classes": ["CP Mme Lefèvre"]},
}


def kept_of(document: object, format_name: str = "canonical") -> Any:
    return json.loads(redact(json.dumps(document).encode(), format_name, OURS).payload)


def test_what_may_be_kept_is_kept() -> None:
    """Numbers, times, UAIs and known names stay; ids become their pseudonyms; the rest is gone."""
    data = {**EVENT["data"], "profile": "Jeanne", "app": "blog", "app_raw": "Jeu de Paul", "push": True, "name": "x"}
    data |= {"recipient_count": 7, "kind": "SHARE", "recipients_by_profile": {"parent": 3, "Jeanne": 1}}
    assert kept_of({**EVENT, "subject": "Jeanne", "data": data}) == {
        "specversion": "1.0",
        "id": OURS.text("e-1"),
        "source": OURS.text("urn:x"),
        "type": "fr.ent.login.v1",
        "time": "2026-11-16T06:00:25Z",
        "data": {
            "uai": ["0689901T"],
            "classes": [OURS.text("CP Mme Lefèvre")],
            "profile": "<string 6>",
            "user": OURS.text("u-1"),
            "session": OURS.text("s-1"),
            "app": "blog",
            "app_raw": "<string 11>",
            "recipient_count": 7,
            "recipients_by_profile": {"parent": 3},
            "push": True,
        },
    }


def test_what_is_kept_of_an_entcore_document() -> None:
    """The date that was refused is seen, and nothing of the person."""
    document = {"event-type": "LOGIN", "module": "Auth", "date": 1794901272, "userId": "u-1", "profil": "Teacher"}
    document |= {"structures": ["str-1"], "ua": "Mozilla", "ip": "192.0.2.1", "login": "jeanne", "deviceType": "x"}
    assert kept_of(document, "entcore") == {
        "event-type": "LOGIN",
        "module": "Auth",
        "date": 1794901272,
        "userId": OURS.text("u-1"),
        "profil": "Teacher",
        "structures": [OURS.text("str-1")],
        "deviceType": "<string 1>",
    }


@pytest.mark.parametrize(
    "raw", [b"Jeanne", b'{"user": "Jeanne"', b"\xff\xfe", b'"Jeanne"', b'["Jeanne"]', b"0612345678", b"{" * 5000, b""]
)
def test_of_what_is_no_object_length_and_digest_remain(raw: bytes) -> None:
    """Under any name of a format; the digest is keyed, so a telephone number cannot be found by trying them all."""
    for name in (*FORMATS, UNKNOWN):
        redacted = redact(raw, name, OURS)
        assert (redacted.payload, redacted.length, redacted.school) == ("null", len(raw), None)
        assert redacted.sha256 == OURS.digest(raw)


def test_a_tombstone_is_as_long_as_nothing() -> None:
    """None and no bytes are the same dead letter."""
    assert redact(None, UNKNOWN, OURS) == redact(b"", UNKNOWN, OURS)


def test_a_document_of_no_known_format_leaves_nothing() -> None:
    """There is no list of what would be harmless in it."""
    assert redact(b'{"user": "Jeanne"}', UNKNOWN, OURS).payload == "null"


def test_the_school_is_the_first_well_formed_uai() -> None:
    """Never a text that only stands where a UAI should."""
    raw = json.dumps({**EVENT, "data": {"uai": ["Jeanne", "0689902U"]}}).encode()
    assert redact(raw, "canonical", OURS).school == "0689902U"
    assert redact(json.dumps({**EVENT, "data": {"uai": "0689902U"}}).encode(), "canonical", OURS).school is None


def test_headers_of_binary_mode_are_redacted_likewise() -> None:
    """The attributes beside the data, ids as pseudonyms, whatever the bytes."""
    headers = [("ce_id", b"e-1"), ("ce_type", b"Jeanne"), ("ce_time", None), ("ce_source", b"\xff"), ("x", b"Jeanne")]
    redacted = redact(b'{"user": "u-1"}', "canonical", OURS, headers)
    assert json.loads(redacted.payload) == {
        "id": OURS.text("e-1"),
        "source": OURS.text("\ufffd"),
        "type": "<string 6>",
        "time": None,
        "data": {"user": OURS.text("u-1")},
    }
    assert json.loads(redact(b"Jeanne", "canonical", OURS, headers).payload)["data"] is None


def _places(allowed: Kept, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    places = [(*path, "never listed"), path]
    for name, shape in allowed.items():
        places += [(*path, name)] if callable(shape) else _places(shape, (*path, name))
    return [place for place in places if place]


CANARY = "canary"
CANARIES: list[Any] = [
    CANARY,
    f"0689901T {CANARY}",
    f"2026-11-16T06:00:25Z {CANARY}",
    f"{CANARY}.blog",
    f"urn:ent:{CANARY}",
    f"hmac:{'0' * 40}{CANARY}",
    f"blog\n{CANARY}",
    [CANARY],
    [[CANARY]],
    [{"userId": CANARY}],
    {CANARY: CANARY},
    {"$date": CANARY},
    {"$date": {CANARY: 1}},
    {"parent": CANARY, CANARY: 1},
    612345678.5,
    61234567,
    -612345678,
]
PLACES = [(name, place) for name, fmt in FORMATS.items() for place in _places(fmt.kept)]


def planted(document: dict[str, Any], place: tuple[str, ...], value: object) -> dict[str, Any]:
    name, *rest = place
    inner = document.get(name)
    inside = inner if isinstance(inner, dict) else {}
    return {**document, name: planted(inside, tuple(rest), value) if rest else value}


def assert_no_canary(payload: str, allowed_number: bool = False) -> None:
    assert CANARY not in payload
    assert allowed_number or "6123456" not in payload


@pytest.mark.parametrize(("format_name", "place"), PLACES, ids=str)
def test_no_canary_passes_in_any_field(format_name: str, place: tuple[str, ...]) -> None:
    """In each listed field, in one beside them, in a key, nested, as number: nothing of it is left."""
    for canary in CANARIES:
        document = planted(EVENT if format_name == "canonical" else {"event-type": "LOGIN"}, place, canary)
        raw = json.dumps(document).encode()
        for judged_as in (*FORMATS, UNKNOWN):
            assert_no_canary(redact(raw, judged_as, OURS).payload)
        for headers in ([("ce_id", raw), ("ce_source", CANARY.encode()), ("ce_type", CANARY.encode())],):
            assert_no_canary(redact(raw, format_name, OURS, headers).payload)


RAW_SIGNS = ("usr-0", '"u-0', "users/u-", "Jeanne", '"s-06', "str-06", "Lefèvre", "Müller", "Mozilla")


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(MODES), st.integers(0, 2**32))
def test_no_id_of_a_bent_record_passes(mode: str, seed: int) -> None:
    """Of records as the fuzzer bends them, no raw user, session, structure or class is in what is kept."""
    mutator = Mutator(seed, mode)
    bent = [mutator.record() for _ in range(200)]
    records, headers = [raw for _, _, raw in bent], [told for _, told, _ in bent]
    for refusal in decode(records, headers, KEY).refusals:
        payload = redact(records[refusal.index], refusal.format, OURS, headers[refusal.index]).payload
        json.loads(payload)
        assert not any(sign in payload for sign in RAW_SIGNS)


def test_a_dead_letter_says_what_every_field_is() -> None:
    """Each field is documented, and the model takes what the pipeline makes."""
    assert all(field.description for field in DeadLetter.model_fields.values())
    redacted = redact(json.dumps(EVENT).encode(), "canonical", OURS)
    letter = DeadLetter.model_validate(
        {
            "topic": "ent.login.v1",
            "incarnation": 1,
            "partition": 0,
            "offset": 7,
            "arrived_at": "2026-11-16T06:00:25Z",
            "reason": "bad_type",
            "message": "data: Field required",
            "format": "canonical",
            "school": redacted.school,
            "payload": redacted.payload,
            "payload_bytes": redacted.length,
            "payload_sha256": redacted.sha256,
        }
    )
    assert DeadLetter.model_validate_json(letter.model_dump_json()) == letter


def why_not(document: object, pseudonyms: Pseudonyms = OURS, format_name: str = "canonical") -> str | None:
    """Whether what was kept under `OURS` stands for the record when it is asked under `pseudonyms`."""
    kept_then = redact(json.dumps(document).encode(), format_name, OURS)
    return why_payload_does_not_serve(kept_then.payload, format_name, kept_then.event_id, pseudonyms)


def test_what_was_kept_stands_for_a_record_only_where_nothing_was_taken_from_it() -> None:
    """And only under the key of its pseudonyms, or its users would be other persons."""
    structure = {**EVENT, "data": {"structures": ["str-1"], "profile": "eleve"}}
    assert why_not(EVENT) is None
    assert why_not({**EVENT, "data": {**EVENT["data"], "profile": "Jeanne"}}) == "a value was not fit to be kept"
    assert why_not({**EVENT, "data": {**EVENT["data"], "app_raw": "x"}}) == "a value was not fit to be kept"
    assert why_not(structure) == "it names no school by its UAI"
    assert why_not({**EVENT, "id": 7}) == "it does not hold the event's identity"
    assert why_not(EVENT, Pseudonyms(Key(bytes(range(9, 49))))) == "its ids are pseudonyms under another key"
    assert why_not([EVENT]) == "nothing was kept of it"
    entcore = {"event-type": "LOGIN", "structures": ["str-1"], "profil": "Teacher"}
    assert why_not(entcore, format_name="entcore") == "it does not hold the event's identity"


def test_the_identity_that_is_kept_is_the_events_own() -> None:
    (event_id,) = event_ids(pl.Series(["urn:é"]), pl.Series(["e-1"]))
    told = json.dumps({**EVENT, "source": "urn:é"}).encode()
    assert redact(told, "canonical", OURS).event_id == event_id.hex()
