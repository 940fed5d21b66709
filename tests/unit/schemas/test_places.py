"""Where Caliper and xAPI name school and profile can be set, and what may stand there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.formats import FORMATS, Places, decode, formats_at, to_events
from schemas.formats.places import finder, schools
from schemas.formats.profiles import profile_of
from schemas.pseudonym import Key
from schemas.reason import Drop

KEY = Key(bytes(range(32)))
STATEMENT: dict[str, Any] = {
    "id": "s-1",
    "timestamp": "2026-11-17T07:41:58Z",
    "verb": "https://w3id.org/xapi/adl/verbs/logged-in",
    "context": {"extensions": {"https://ent.example/xapi/uai": "0689901T", "https://ent.example/a~b": "Instructor"}},
}


def test_the_places_are_those_that_are_set() -> None:
    """A platform's own extensions are found under escaped pointers, and not under the defaults."""
    places = Places(
        xapi_school="/nowhere /context/extensions/https:~1~1ent.example~1xapi~1uai",
        xapi_profile="/context/extensions/https:~1~1ent.example~1a~0b",
    )
    record = json.dumps(STATEMENT).encode()
    (event,) = to_events(decode([record], None, KEY, formats=formats_at(places)).frame)
    assert (event["data"]["uai"], event["data"]["profile"]) == (["0689901T"], "enseignant")
    assert decode([record], None, KEY).refusals[0].reason.value == "missing_field"


@pytest.mark.parametrize("pointers", ["", "uai", "/a  /b", "/a /", " /a"])
def test_what_is_no_pointer_is_refused(pointers: str) -> None:
    """A wrong setting is seen at the start, not by schools that go missing."""
    with pytest.raises(ValidationError):
        Places(caliper_school=pointers)


def test_a_pointer_leads_through_objects_only() -> None:
    """Null and everything that is no object on the way lead nowhere, and the next pointer is asked."""
    find = finder("/a/b /c")
    assert [find(one) for one in ({"a": {"b": 1}}, {"a": {"b": None}, "c": 2}, {"a": [1], "c": 3}, {"a": "b"}, 5)] == [
        1,
        2,
        3,
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("name", "field", "told"),
    [
        ("0689901T", "uai", "0689901T"),
        ("https://ent.example/schools/0689901T", "uai", "0689901T"),
        ("https://ent.example/schools/0689901T/", "uai", "0689901T"),
        ("urn:uai:0689901T", "uai", "0689901T"),
        ("68-0001", "uai", "68-0001"),
        ("https://ent.example/schools/12", "structures", "https://ent.example/schools/12"),
        ("urn:x:0689901t", "structures", "urn:x:0689901t"),
    ],
)
def test_a_school_is_named_by_text_or_iri(name: str, field: str, told: str) -> None:
    """IRIs that end in a UAI are schools, other IRIs are ids of the platform, and texts are meant as UAIs."""
    assert schools([name]) == {field: [told]}


def test_the_first_known_role_counts() -> None:
    """Names in any case and IRIs; what nobody knows is `inconnu`."""
    assert profile_of(["Member", "http://purl.imsglobal.org/vocab/lis/v2/membership#Mentor", "Learner"]) == "parent"
    assert profile_of(["NATIONAL_tut"]) == "parent"
    assert profile_of(["Member"]) == profile_of([]) == "inconnu"


@pytest.mark.parametrize(
    "changed",
    [
        {"verb": "http://adlnet.gov/expapi/verbs/answered"},
        {"verb": {"id": "https://w3id.org/xapi/adl/verbs/logged-out"}},
        {
            "verb": "http://adlnet.gov/expapi/verbs/launched",
            "object": {"id": "x", "definition": {"type": "http://adlnet.gov/expapi/activities/course"}},
        },
    ],
)
def test_statements_of_other_things_are_dropped(changed: dict[str, Any]) -> None:
    """They are counted as dropped, and are no errors."""
    decoded = decode([json.dumps({**STATEMENT, **changed}).encode()], None, KEY)
    assert decoded.drops == [(0, Drop.IGNORED_TYPE)]


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "SessionEvent", "action": "LoggedOut"},
        {"type": "GradeEvent", "action": "Graded"},
        {"type": "NavigationEvent", "action": "NavigatedTo", "object": {"id": "x", "type": "WebPage"}},
    ],
)
def test_caliper_events_of_other_things_are_dropped(changed: dict[str, Any]) -> None:
    """Ends of sessions, grades, pages."""
    event = {"id": "e", "eventTime": "2026-11-17T07:41:58Z", "actor": "urn:u:1", "object": "urn:o:1", **changed}
    assert decode([json.dumps(event).encode()], None, KEY).drops == [(0, Drop.IGNORED_TYPE)]


def test_the_formats_exclude_each_other() -> None:
    """A document is claimed by one of them at most, or the order of asking would decide what it is."""
    signs = {"eventTime": "x", "verb": "x", "actor": "x", "action": "x", "event-type": "LOGIN", "specversion": "1.0"}
    seen = set()
    for left in range(2 ** len(signs)):
        document = {sign: value for bit, (sign, value) in enumerate(signs.items()) if left >> bit & 1}
        claimants = [one for one, fmt in FORMATS.items() if fmt.claims(document)]
        assert len(claimants) <= 1, document
        seen.update(claimants)
    assert seen == set(FORMATS)
