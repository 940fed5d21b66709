"""The golden examples: what is accepted, what becomes of it, and why the rest is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import schemas
from schemas.event import LAW
from schemas.formats import decode, to_events
from schemas.pseudonym import Key
from schemas.reason import Reason

EXAMPLES = Path(schemas.__file__ or "").parent / "examples" / "v1"
VALID = sorted((EXAMPLES / "valid").glob("*.json"))
INVALID = sorted((EXAMPLES / "invalid").glob("*.json"))
KEY = Key(b"an example key that protects nobody")


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_valid_example_becomes_the_expected_event(path: Path) -> None:
    """Field by field, ids of entcore's events included: they must never change under one key."""
    decoded = decode([path.read_bytes()], None, KEY)
    assert not decoded.refusals
    (event,) = to_events(decoded.frame)
    assert event == read(EXAMPLES / "expected" / path.name)
    assert decoded.frame["format"].to_list() == [path.stem.partition("-")[0]]


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_what_a_valid_example_becomes_is_itself_accepted(path: Path) -> None:
    """Whatever the platform's format, the event that comes of it obeys the law of events and stays as it is."""
    text = (EXAMPLES / "expected" / path.name).read_bytes()
    LAW.validate_json(text)
    (again,) = to_events(decode([text], None, KEY).frame)
    assert again == json.loads(text)


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_an_invalid_example_is_refused_with_its_reason(path: Path) -> None:
    """Between two good records, only the bad one is lost, with the reason that the file states."""
    told = read(path)
    bad = told["text"].encode() if "text" in told else json.dumps(told["record"]).encode()
    good = VALID[0].read_bytes()
    decoded = decode([good, bad, good], None, KEY)
    assert decoded.frame["index"].to_list() == [0, 2]
    assert [(refusal.index, refusal.reason.value) for refusal in decoded.refusals] == [(1, told["reason"])]


def test_every_reason_of_the_decoder_has_an_example() -> None:
    """A reason without an example is one that nobody has seen."""
    of_others = {Reason.REFUSED_BY_DATABASE}
    assert {read(path)["reason"] for path in INVALID} == {reason.value for reason in Reason} - of_others
