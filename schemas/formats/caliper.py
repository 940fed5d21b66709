"""1EdTech Caliper 1.2: session, tool and navigation events. Entities are bare IRIs or objects.

A record is one event; the collector takes whole envelopes and sends their events one by one. What is not read here is
dropped: names and descriptions of persons, attempts, scores, federated sessions, extensions without a place.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from schemas.formats.kept import Kept, identifier, moment, one_of
from schemas.formats.places import Places, finder
from schemas.formats.translated import (
    Document,
    RefusedError,
    Translated,
    application,
    entity,
    entity_shape,
    iri,
    required_text,
    text,
    unless_in_clear,
    who,
    without_nulls,
)
from schemas.reason import Drop, Reason

NAME: Final = "caliper"
SOURCE: Final = "urn:ent:caliper"
_LOGIN, _VISIT = "fr.ent.login.v1", "fr.ent.app_visit.v1"
COUNTED: Final = {
    ("SessionEvent", "LoggedIn"): _LOGIN,
    ("ToolUseEvent", "Used"): _VISIT,
    ("ToolLaunchEvent", "Launched"): _VISIT,
    ("NavigationEvent", "NavigatedTo"): _VISIT,
}
"""(type, action) of the events that are counted. Every other one of the standard is dropped."""
APPLICATION: Final = "SoftwareApplication"
_TYPES: Final = sorted({kind for kind, _ in COUNTED})
_ACTIONS: Final = ["LoggedIn", "LoggedOut", "TimedOut", "Used", "Launched", "NavigatedTo"]


class Caliper(Translated):
    """Adapter of Caliper events."""

    name = NAME
    markers = ('"eventTime"',)
    kept: ClassVar[Kept] = {
        "id": identifier,
        "type": one_of(_TYPES),
        "action": one_of(_ACTIONS),
        "eventTime": moment,
        **dict.fromkeys(("actor", "object", "edApp", "session", "group"), entity_shape),
    }

    def __init__(self, places: Places) -> None:
        self._school = finder(places.caliper_school)
        self._role = finder(places.caliper_profile)

    def claims(self, document: object) -> bool:
        """An event, also one that lacks its time; an envelope, so as to say what to do with it."""
        if not isinstance(document, dict) or "specversion" in document:
            return False
        if "eventTime" in document:
            return True
        if "verb" in document:
            return False
        return ("actor" in document and "action" in document) or ("sensor" in document and "sendTime" in document)

    def translate(self, document: Document) -> dict[str, Any] | Drop:
        """The event as a login or the opening of an application."""
        if "sensor" in document and "data" in document:
            told = "an envelope: send its events one by one, or the whole to the collector"
            raise RefusedError(Reason.UNKNOWN_FORMAT, told)
        moment_of_it = required_text(document, "eventTime")
        kind = COUNTED.get((required_text(document, "type"), required_text(document, "action")))
        opened = entity(document, "object")
        if kind is None or (text(document, "type") == "NavigationEvent" and opened.get("type") != APPLICATION):
            return Drop.IGNORED_TYPE
        schools, profile = who(document, self._school, self._role)
        data = {
            **schools,
            "profile": profile.value,
            "user": unless_in_clear(iri(document, "actor")),
            "session": iri(document, "session"),
        }
        if kind == _VISIT:
            data |= application(text(opened, "id"), text(opened, "name"))
        return {
            "specversion": "1.0",
            "id": required_text(document, "id"),
            "source": iri(document, "edApp") or SOURCE,
            "type": kind,
            "time": moment_of_it,
            "data": without_nulls(data),
        }
