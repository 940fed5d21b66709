"""xAPI 1.0.3 and 2.0: statements on connections, applications and notifications received.

A record is one statement. Only accounts are taken for actors: an address of e-mail, its hash or an OpenID is personal
data in clear. What is not read here is dropped: names, results, scores, attachments, other extensions.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final
from urllib.parse import quote

from schemas.formats.kept import Kept, identifier, moment
from schemas.formats.places import Places, finder
from schemas.formats.translated import (
    Document,
    RefusedError,
    Translated,
    application,
    entity,
    entity_shape,
    inner,
    iri,
    required_text,
    text,
    unless_in_clear,
    who,
    without_nulls,
)
from schemas.reason import Drop, Reason

NAME: Final = "xapi"
SOURCE: Final = "urn:ent:xapi"
_LOGIN, _VISIT, _NOTIFICATION = "fr.ent.login.v1", "fr.ent.app_visit.v1", "fr.ent.notification.v1"
COUNTED: Final = {
    "https://w3id.org/xapi/adl/verbs/logged-in": _LOGIN,
    "http://adlnet.gov/expapi/verbs/launched": _VISIT,
    "https://w3id.org/xapi/netc/verbs/accessed": _VISIT,
    "http://activitystrea.ms/schema/1.0/access": _VISIT,
    "https://w3id.org/xapi/dod-isd/verbs/received": _NOTIFICATION,
}
"""Verb -> what it is here. Statements of every other verb are dropped."""
APPLICATIONS: Final = ("http://activitystrea.ms/schema/1.0/application", "http://activitystrea.ms/application")
"""Types of activity whose launch or access is the opening of an application."""
MAX_SOURCE: Final = 256
IN_CLEAR: Final = ("mbox", "mbox_sha1sum", "openid")
_COUNTED_RECIPIENTS: Final = ("eleve", "parent", "enseignant", "personnel")


class Xapi(Translated):
    """Adapter of xAPI statements."""

    name = NAME
    markers = ('"verb"',)
    kept: ClassVar[Kept] = {
        "id": identifier,
        "timestamp": moment,
        "stored": moment,
        **dict.fromkeys(("verb", "object"), entity_shape),
    }

    def __init__(self, places: Places) -> None:
        self._school = finder(places.xapi_school)
        self._role = finder(places.xapi_profile)

    def claims(self, document: object) -> bool:
        """Something with a verb that is neither a CloudEvent nor a Caliper event."""
        if not isinstance(document, dict) or "verb" not in document:
            return False
        return not any(name in document for name in ("specversion", "eventTime"))

    def translate(self, document: Document) -> dict[str, Any] | Drop:
        """The statement as a login, the opening of an application or a notification."""
        kind = COUNTED.get(iri(document, "verb") or "")
        done_to = entity(document, "object")
        definition = inner(done_to, "definition")
        if kind is None or (kind == _VISIT and text(definition, "type") not in (None, *APPLICATIONS)):
            return Drop.IGNORED_TYPE
        account = _account(document)
        user = unless_in_clear(text(account, "name"))
        schools, profile = who(document, self._school, self._role)
        data: dict[str, Any] = {**schools}
        if kind != _LOGIN:
            data |= application(text(done_to, "id"), _in_french(inner(definition, "name")))
        if kind == _NOTIFICATION:  # its actor is who received it, and an event's user is who caused it
            data |= {"stage": "sent", "recipient_count": 1}
            data |= {"recipients_by_profile": {profile.value: 1}} if profile in _COUNTED_RECIPIENTS else {}
        else:
            data |= {"profile": profile.value, "user": user}
        return {
            "specversion": "1.0",
            "id": required_text(document, "id"),
            "source": _source(document, account),
            "type": kind,
            "time": text(document, "timestamp") or required_text(document, "stored"),
            "data": without_nulls(data),
        }


def _account(document: Document) -> Document:
    actor = inner(document, "actor")
    if any(actor.get(name) is not None for name in IN_CLEAR):
        told = "actor: named by mbox, mbox_sha1sum or openid; send an account with an opaque name instead"
        raise RefusedError(Reason.PERSONAL_DATA, told)
    return inner(actor, "account")


def _source(document: Document, account: Document) -> str:
    """The platform that the statement names, else the home page of its accounts."""
    platform = text(inner(document, "context"), "platform")
    if platform:
        return f"{SOURCE}:{quote(platform, safe='')}"[:MAX_SOURCE]
    return text(account, "homePage") or SOURCE


def _in_french(names: Document) -> str | None:
    """The French name of a language map, else the first one."""
    ordered = sorted(names, key=lambda language: (not language.lower().startswith("fr"), language))
    return next((name for language in ordered if isinstance(name := names[language], str) and name), None)
