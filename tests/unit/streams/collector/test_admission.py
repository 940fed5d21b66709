"""Admission: each record has one outcome, no raw id leaves, and a retry makes the same events."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.formats import FORMATS, decode
from schemas.pseudonym import Key, Pseudonyms
from streams.collector.admission import OUT_OF_SCOPE, Admission, Admitter
from streams.collector.bodies import Records
from streams.pipeline import Limits
from tests.fuzz.compare import MODES
from tests.fuzz.generate import Generator
from tests.fuzz.mutate import Mutator

KEY, EVENT_KEY = Key(bytes(range(32))), Key(bytes(range(1, 33)))
OURS = Pseudonyms(KEY)
ADMITTER = Admitter(OURS, EVENT_KEY, FORMATS, Limits())
NOW = datetime(2026, 11, 16, 7, tzinfo=UTC)


def admit(records: Sequence[bytes], scope: frozenset[str] | None = None) -> Admission:
    return ADMITTER.admit(Records(records), scope, NOW)


def login(**data: Any) -> bytes:
    told = {"uai": ["0689901T"], "profile": "eleve", "user": "u-1", "session": "s-1", **data}
    event = {"specversion": "1.0", "id": "a", "source": "urn:x", "type": "fr.ent.login.v1"}
    return json.dumps({**event, "time": "2026-11-16T06:00:25Z", "data": told}).encode()


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "binary"])
def test_events_leave_as_canonical_ones_with_pseudonyms(mode: str) -> None:
    """Whatever the format: the database sees the same event as if the worker had read the platform's own record."""
    generator = Generator(5)
    records = [getattr(generator, mode)(0) for _ in range(300)]
    admission = admit(records)
    assert not admission.refused
    values = [one.value for one in admission.events]
    direct, through = decode(records, None, EVENT_KEY).frame, decode(values, None, EVENT_KEY).frame
    for name in ("id", "source", "time", "type", "uai", "structures", "profile", "app", "app_raw", "kind"):
        assert through[name].to_list() == direct[name].to_list(), name
    assert through["user"].to_list() == OURS.texts(direct["user"]).to_list()
    assert OURS.keys(through["user"]).equals(OURS.keys(direct["user"]))
    assert OURS.keys(through["session"]).equals(OURS.keys(direct["session"]))


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(MODES), st.integers(0, 2**32))
def test_every_record_has_one_outcome_and_its_user_is_a_pseudonym(mode: str, seed: int) -> None:
    """Of bent records too: places of events, refusals and drops are those of the request, each once."""
    mutator = Mutator(seed, mode)
    bent = [mutator.record() for _ in range(100)]
    headers = [told for _, told, _ in bent] if mode == "binary" else None
    admission = ADMITTER.admit(Records([raw for _, _, raw in bent], headers), None, NOW)
    told = [one.index for one in admission.refused] + [index for index, _ in admission.ignored]
    assert len(set(told)) == len(told)
    assert len(told) + len(admission.events) == len(bent)
    for one in admission.events:
        data = json.loads(one.value)["data"]
        assert data.get("user", "hmac:").startswith("hmac:")
        assert data.get("session", "hmac:").startswith("hmac:")


def test_a_retry_makes_the_same_records() -> None:
    """Byte by byte, those whose id we make included: so an event counts once however often it is sent."""
    generator = Generator(6)
    records = [generator.entcore(0) for _ in range(50)] + [generator.canonical(0) for _ in range(50)]
    assert admit(records).events == admit(records).events


def test_a_token_tells_of_its_schools_only() -> None:
    """By UAI or by id; an event of two schools needs both, one of no school needs a token for all."""
    scope = frozenset({"0689901T", "str-1"})
    notice = json.loads(login(app="blog"))
    notice |= {"type": "fr.ent.notification.v1"}
    del notice["data"]["uai"]
    records = [
        login(),
        login(uai=["0689902U"]),
        login(uai=["0689901T", "0689902U"]),
        login(structures=["str-1"]),
        login(uai=None, structures=["str-2"]),
        json.dumps(notice).encode(),
    ]
    admission = admit(records, scope)
    assert len(admission.events) == 2
    assert [(one.index, one.reason) for one in admission.refused] == [(n, OUT_OF_SCOPE) for n in (1, 2, 4, 5)]
    assert len(admit(records).events) == len(records)


def test_times_are_checked_at_the_door() -> None:
    """What the worker would refuse later, the platform hears at once."""
    late = json.loads(login()) | {"time": "2026-11-16T08:00:00Z"}
    assert [one.reason for one in admit([json.dumps(late).encode()]).refused] == ["future"]


def test_events_go_to_the_topic_of_their_type_under_their_school() -> None:
    """So that the events of one school stay in order."""
    (one,) = admit([login()]).events
    assert (one.topic, one.key) == ("ent.login.v1", b"0689901T")
    (other,) = admit([login(uai=None, structures=["str-1"])]).events
    assert other.key == b"str-1"
