"""OPEN-ENT-NG/entcore: the documents of its event store and of its timeline, as canonical events.

LOGIN, ACTIVATION, ACCESS and CONNECTOR become events, timeline notifications too; documents of other types are dropped.
What is not in these models is dropped unread: ip, groups, params, preview, request, names of recipients. The user agent
is read for the class of device and goes no further. The platform names schools by ids of its own (`structures`), gives
no id of the event (one is made), and its `sessionId` is a session's only on ACCESS.
"""

from __future__ import annotations

from typing import Final

from schemas.decode.outcome import Judged, Taken
from schemas.formats.entcore.documents import EVENT_TYPES, FOREIGN, FORM, NAME
from schemas.formats.entcore.events import DEVICES, canonical
from schemas.formats.format import Batch
from schemas.formats.kept import Kept, application, each, flag, identifier, moment, one_of
from schemas.formats.profiles import ENTCORE as PROFILES
from schemas.pseudonym import Pseudonyms


def known_module(value: object, pseudonyms: Pseudonyms) -> object:
    """The module of a login by the web, or of a known application."""
    return value if isinstance(value, str) and value.casefold() == "auth" else application(value, pseudonyms)


def moment_or_mongo_date(value: object, pseudonyms: Pseudonyms) -> object:
    """An epoch, or Mongo's `{"$date": …}` around one or around RFC 3339."""
    if isinstance(value, dict) and value.keys() == {"$date"}:
        return {"$date": moment(value["$date"], pseudonyms)}
    return moment(value, pseudonyms)


_IDENTIFIERS = ("userId", "sender", "sessionId", "_id")
KEPT: Final[Kept] = {
    "event-type": one_of(EVENT_TYPES),
    "action": one_of(["add"]),
    "module": known_module,
    "type": application,
    "date": moment_or_mongo_date,
    **dict.fromkeys(_IDENTIFIERS, identifier),
    "profil": one_of(PROFILES),
    "structures": each(identifier),
    "classes": each(identifier),
    "deviceType": one_of(DEVICES),
    "connector-type": one_of(["Cas", "OAuth2", "SAML"]),
    "disableMailNotification": flag,
}


class Entcore:
    """Adapter of entcore's documents."""

    name = NAME
    markers = ('"event-type"', '"notificationName"', '"action"')
    kept = KEPT

    def claims(self, document: object) -> bool:
        """A document with an event type, or a message of the timeline, that is of no other format."""
        if not isinstance(document, dict) or any(name in document for name in FOREIGN):
            return False
        return any(name in document for name in ("event-type", "notificationName", "action"))

    def take(self, batch: Batch) -> Taken:
        """Many documents at once."""
        taken = FORM.take(batch.indexes, batch.records, batch.texts)
        frame, drops = canonical(taken.frame, batch.event_key)
        return Taken(frame, taken.doubtful, drops)

    def judge(self, batch: Batch) -> Judged:
        """One by one."""
        judged = FORM.judge(batch.indexes, batch.records)
        frame, drops = canonical(judged.frame, batch.event_key)
        return Judged(frame, judged.refusals, drops)
