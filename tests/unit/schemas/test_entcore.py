"""Documents of entcore as events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.applications import APPLICATIONS
from schemas.event import LAW
from schemas.formats import decode, to_events
from schemas.pseudonym import Key
from schemas.reason import Drop, Reason
from tests.fuzz.generate import Generator
from tests.fuzz.mutate import Mutator

KEY = Key(bytes(range(32)))
ACCESS: dict[str, Any] = {
    "event-type": "ACCESS",
    "module": "Blog",
    "date": 1794901272345,
    "userId": "u-1",
    "profil": "Student",
    "structures": ["str-1"],
}
LOGIN = {**ACCESS, "event-type": "LOGIN", "module": "Auth"}
NOTE = {"action": "add", "type": "BLOG", "event-type": "SHARE", "date": {"$date": 1794901272345}}


def event_of(document: dict[str, Any], key: Key = KEY) -> dict[str, Any]:
    (event,) = to_events(decode([json.dumps(document).encode()], None, key).frame)
    return event


def data_of(document: dict[str, Any], **changed: Any) -> dict[str, Any]:
    data: dict[str, Any] = event_of({**document, **changed})["data"]
    return data


def reason_of(document: dict[str, Any], **changed: Any) -> Reason:
    (refusal,) = decode([json.dumps({**document, **changed}).encode()], None, KEY).refusals
    return refusal.reason


@pytest.mark.parametrize(
    ("profil", "profile"),
    [
        ("Student", "eleve"),
        ("Relative", "parent"),
        ("TEACHER", "enseignant"),
        ("personnel", "personnel"),
        ("Guest", "autre"),
        ("National_elv", "eleve"),
        ("National_DIR", "personnel"),
        ("National_ACA", "academie"),
        ("National_COL", "collectivite"),
        ("SuperAdmin", "inconnu"),
        ("", "inconnu"),
        (None, "inconnu"),
    ],
)
def test_profiles(profil: str | None, profile: str) -> None:
    """The vendor's names and the national ones, in any case; what is neither is unknown, not refused."""
    assert data_of(ACCESS, profil=profil)["profile"] == profile


@pytest.mark.parametrize("module", ["Auth", "auth", "AUTH"])
def test_a_login_by_the_web_and_one_by_telephone(module: str) -> None:
    """Module names come capitalised or not; any other module is a client that asked for a token."""
    assert data_of(LOGIN, module=module)["channel"] == "web"
    assert data_of(LOGIN, module="app-mobile-client")["channel"] == "mobile_app"
    assert "channel" not in data_of(ACCESS)


@pytest.mark.parametrize(
    ("kind", "agent", "device"),
    [
        ("desktop", "iPhone", "ordinateur"),
        ("Tablet", None, "tablette"),
        ("phablet", None, "smartphone"),
        ("Unknown", "Mozilla/5.0 (X11; Linux x86_64) Firefox/130", "ordinateur"),
        ("Unknown", "Mozilla/5.0 (Linux; Android 15) Chrome Mobile Safari", "smartphone"),
        ("Unknown", "Mozilla/5.0 (Linux; Android 15) Chrome Safari", "tablette"),
        ("Unknown", "app/2.1 (Android)", "smartphone"),
        (None, "Mozilla/5.0 (iPad; CPU OS 19_1)", "tablette"),
        (None, "Mozilla/5.0 (iPhone; CPU OS 19_1)", "smartphone"),
        (None, "curl/8", "autre"),
        ("Unknown", None, None),
        (None, "", None),
    ],
)
def test_the_class_of_device(kind: str | None, agent: str | None, device: str | None) -> None:
    """From what the platform says, else from the agent, which itself goes no further."""
    data = data_of(ACCESS, deviceType=kind, ua=agent)
    assert data.get("device") == device
    assert "ua" not in data


def test_sessions_are_sessions_on_access_only() -> None:
    """On a login the field holds something else, so it is not even looked at."""
    assert data_of(ACCESS, sessionId="s-1")["session"] == "s-1"
    assert "session" not in data_of(LOGIN, sessionId="s-1")
    assert "session" not in data_of(LOGIN, sessionId=12)
    assert reason_of(ACCESS, sessionId=12) is Reason.BAD_TYPE


def test_modules_are_found_in_the_catalogue() -> None:
    """A known module by our key with its raw name beside it, an unknown one as `autre`."""
    assert data_of(ACCESS, module="SchoolBook") | {"app": "cahier_liaison", "app_raw": "SchoolBook"} == data_of(
        ACCESS, module="SchoolBook"
    )
    assert data_of(ACCESS, module="Nouveauté")["app"] == "autre"
    assert data_of(ACCESS, module="Nouveauté")["app_raw"] == "Nouveauté"
    assert {"app", "app_raw", "app_kind"}.isdisjoint(data_of(LOGIN))


@pytest.mark.parametrize(
    ("told", "raw"),
    [
        ({"connector-type": "Cas", "cas-type": "unknown", "service": "https://Tiers.example:8443/cas?u=1"},
         "Cas/unknown/tiers.example/Registered"),
        ({"connector-type": "OAuth2"}, "OAuth2/Registered"),
        ({"connector-type": "SAML", "saml-type": "gar", "service": "no address"}, "SAML/gar/Registered"),
        ({"connector-type": "Cas", "service": "https://jeanne:secret@tiers.example/"}, "Cas/Registered"),
        ({"connector-type": "C" * 60}, "C" * 60 + "/Reg"),
    ],
)  # fmt: skip
def test_connectors_are_named_by_what_tells_them_apart(told: dict[str, str], raw: str) -> None:
    """Protocol, type, host and module, cut to the length of a label; of an address nothing but the host."""
    data = data_of(ACCESS, **{"event-type": "CONNECTOR", "module": "Registered", **told})
    assert data["app_raw"] == raw
    assert data["app_kind"] == "TIERS"


def test_a_notification_counts_its_recipients_and_names_none() -> None:
    """How many, pushed or not, mailed or not; one that says nothing of it leaves it open."""
    named = [{"userId": "u-7", "unread": 1}, {"userId": "u-8", "unread": 1}]
    data = data_of(NOTE, recipients=named, sender="u-1", pushNotif={"title": "x"}, disableMailNotification=True)
    assert data == {
        "app": "blog",
        "app_raw": "BLOG",
        "kind": "SHARE",
        "stage": "sent",
        "user": "u-1",
        "recipient_count": 2,
        "push": True,
        "mail": False,
    }
    assert {"push", "mail", "recipient_count"}.isdisjoint(data_of(NOTE))
    assert data_of(NOTE, recipientsIds=["a", "b", "c"])["recipient_count"] == 3
    assert data_of(NOTE, pushNotif=False)["push"] is False


@pytest.mark.parametrize(
    ("event_type", "name", "kind"),
    [("SHARE", "blog.share", "SHARE"), ("À LA UNE", "blog.share", "blog.share"), ("À LA UNE", None, None)],
)
def test_the_kind_of_a_notification_is_a_code(event_type: str, name: str | None, kind: str | None) -> None:
    """The first of event type and name that is one; free text never passes."""
    assert data_of(NOTE, **{"event-type": event_type, "notificationName": name}).get("kind") == kind


@pytest.mark.parametrize(
    "date", [1794901272345, 1794901272345.0, {"$date": 1794901272345}, {"$date": "2026-11-17T07:41:12.345Z"}]
)
def test_dates_in_every_spelling(date: object) -> None:
    """Milliseconds, bare or in Mongo's clothes, and RFC 3339 in these."""
    assert event_of({**ACCESS, "date": date})["time"] == "2026-11-17T07:41:12.345Z"


@pytest.mark.parametrize(
    ("date", "reason"),
    [
        (1794901272, Reason.SECONDS_FOR_MILLISECONDS),
        ({"$date": 1794901272}, Reason.SECONDS_FOR_MILLISECONDS),
        (99_999_999_999, Reason.SECONDS_FOR_MILLISECONDS),
        (100_000_000_000, Reason.TOO_OLD),
        (-1, Reason.TOO_OLD),
        ({"$date": "2014-12-31T23:59:59Z"}, Reason.TOO_OLD),
        (1794901272345000, Reason.FUTURE),
        (10**300, Reason.FUTURE),
        (1794901272345.5, Reason.BAD_TYPE),
        ("1794901272345", Reason.BAD_TYPE),
        (True, Reason.BAD_TYPE),
        ({"$date": None}, Reason.BAD_TYPE),
        ({"$date": "2026-11-17T07:41:12"}, Reason.BAD_TYPE),
        ({}, Reason.BAD_TYPE),
        (None, Reason.BAD_TYPE),
    ],
)
def test_dates_that_are_refused(date: object, reason: Reason) -> None:
    """Each with the reason that helps its sender."""
    assert reason_of(ACCESS, date=date) is reason
    assert reason_of(NOTE, date=date) is reason


@pytest.mark.parametrize(
    "document",
    [
        {"event-type": "SHARE", "date": "whenever"},
        {"event-type": "DELETE_USER"},
        {"event-type": "login"},
        {"event-type": ""},
        {"event-type": "LOGIN", "action": "delete"},
        {"action": "list-types"},
    ],
)
def test_other_documents_are_dropped_and_counted(document: dict[str, Any]) -> None:
    """They are valid and none of ours: an outcome of its own, no dead letter."""
    decoded = decode([json.dumps(document).encode()], None, KEY)
    assert decoded.drops == [(0, Drop.IGNORED_TYPE)]
    assert decoded.frame.is_empty()
    assert not decoded.refusals


def test_a_user_of_many_schools_keeps_the_first_sixteen() -> None:
    """An inspector's login is counted, not refused; more than an event can hold is cut off."""
    many = [f"str-{n}" for n in range(60)]
    data = data_of(ACCESS, structures=many, classes=many)
    assert data["structures"] == many[:16]
    assert data["classes"] == many[:40]


def test_an_id_depends_on_what_makes_an_event() -> None:
    """Source, type, user, module and millisecond make the id, nothing else does, and so does the key."""
    base = event_of(ACCESS)["id"]
    assert len(base) == 32
    same = [{**ACCESS, "_id": "x"}, {**ACCESS, "ua": "y"}, {**ACCESS, "sessionId": "z"}, {**ACCESS, "classes": ["c"]}]
    assert {event_of(document)["id"] for document in same} == {base}
    other = [
        {**ACCESS, "platformName": "NEO"},
        {**ACCESS, "event-type": "ACTIVATION"},
        {**ACCESS, "userId": "u-2"},
        {**ACCESS, "userId": None},
        {**ACCESS, "module": "Wiki"},
        {**ACCESS, "date": ACCESS["date"] + 1},
        {**ACCESS, "userId": "u-", "module": "1Blog"},
    ]
    ids = {event_of(document)["id"] for document in other} | {base, event_of(ACCESS, Key(bytes(range(1, 33))))["id"]}
    assert len(ids) == len(other) + 2


def test_the_source_is_the_platform() -> None:
    """One name for all, unless the document says which platform it is; always a URI."""
    assert event_of(ACCESS)["source"] == "urn:ent:entcore"
    assert event_of({**ACCESS, "platformName": "NEO"})["source"] == "urn:ent:entcore:NEO"
    assert event_of({**ACCESS, "platformName": "ONE été"})["source"] == "urn:ent:entcore:ONE%20%C3%A9t%C3%A9"
    assert len(event_of({**ACCESS, "platformName": "\U0001f600" * 64})["source"]) <= 256


FORBIDDEN = ("ip", "ua", "groups", "params", "preview", "request", "login", "resource", "referer", "recipients")


def test_what_is_not_listed_never_passes() -> None:
    """A canary in each of these fields, and none comes out."""
    for document in (ACCESS, LOGIN, NOTE):
        planted = {name: "CANARY" for name in FORBIDDEN if name != "recipients"}
        planted |= {"recipients": [{"userId": "CANARY", "displayName": "CANARY"}]}  # type: ignore[dict-item]
        frame = decode([json.dumps({**document, **planted}).encode()], None, KEY).frame
        assert frame.height == 1
        assert "CANARY" not in str(frame.rows())


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_every_event_made_obeys_the_law_of_events(seed: int) -> None:
    """Bent documents too: whatever the adapter lets through is a valid canonical event and comes back unchanged."""
    mutator, generator = Mutator(seed, "entcore"), Generator(seed)
    records = [*(mutator.record()[2] for _ in range(60)), *(generator.entcore(0) for _ in range(20))]
    for event in to_events(decode(records, None, KEY, only="entcore").frame):
        text = json.dumps(event).encode()
        LAW.validate_json(text)
        assert next(to_events(decode([text], None, KEY).frame)) == event


def test_the_catalogue_knows_the_modules_of_the_vendor() -> None:
    """All names of facts on ONE and NEO lead somewhere."""
    names = (
        "Conversation Zimbra SchoolBook Homeworks Diary Actualites Workspace Rack CollaborativeWall Wiki Mindmap "
        "Scrapbook CollaborativeEditor TimelineGenerator Pages Blog Forum Community Exercizer Presences Competences "
        "Edt Calendar Rbs WebConference Mediacentre portal Timeline"
    )
    for name in names.split():
        assert data_of(ACCESS, module=name)["app"] in APPLICATIONS
