"""Formats whose documents are first told as canonical events, one by one, and then judged as such.

Their law is `translate` and after it the law of canonical events; the narrow form differs only in who reads the JSON.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final
from urllib.parse import unquote

import msgspec
from pydantic_core import from_json

from schemas.applications import OTHER, find
from schemas.decode.outcome import UNKNOWN, Judged, Refusal, Taken
from schemas.decode.screen import doubtful as hidden_faults
from schemas.decode.screen import texts
from schemas.event import Profile
from schemas.formats.canonical import FORM, to_columns
from schemas.formats.format import Batch
from schemas.formats.kept import Kept, described, identifier
from schemas.formats.places import Find, schools, segment
from schemas.formats.profiles import profile_of
from schemas.pseudonym import Pseudonyms
from schemas.reason import Drop, Reason

MAX_SCHOOLS: Final = 16
MAX_LABEL: Final = 64
"""As many schools, and characters of an application's name, as a canonical event holds."""
_TYPES: Final[Mapping[type, str]] = {dict: "an object", list: "a list", str: "a text"}
Document = Mapping[str, Any]


class RefusedError(ValueError):
    """The document cannot be told as an event."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Translated(ABC):
    """An adapter that is a function from a document to a canonical event."""

    name: str
    markers: tuple[str, ...]
    kept: ClassVar[Kept]

    @abstractmethod
    def claims(self, document: object) -> bool:
        """Whether a parsed JSON document is of this format."""

    @abstractmethod
    def translate(self, document: Document) -> dict[str, Any] | Drop:
        """The document as a canonical event of texts, lists of texts and numbers, or why it is none of ours.

        Raises:
            RefusedError: what is needed is missing or of a wrong type.
        """

    def take(self, batch: Batch) -> Taken:
        """Many documents, read by msgspec; what is not plainly in order is left to `judge`."""
        doubtful = set(hidden_faults(batch.texts))
        places: list[int] = []
        events: list[bytes] = []
        drops: list[tuple[int, Drop]] = []
        decode, encode = msgspec.json.decode, msgspec.json.encode
        for place, record in enumerate(batch.records):
            if place in doubtful:
                continue
            try:
                document = decode(record)
                event = self.translate(document) if self.claims(document) else None
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, RefusedError):
                event = None
            if event is None:
                doubtful.add(place)
            elif isinstance(event, Drop):
                drops.append((batch.indexes[place], event))
            else:
                places.append(place)
                events.append(encode(event))
        taken = FORM.take([batch.indexes[place] for place in places], events, texts(events))
        left = sorted([*(batch.indexes[place] for place in doubtful), *taken.doubtful])
        return Taken(to_columns(taken.frame), left, drops)

    def judge(self, batch: Batch) -> Judged:
        """One by one, by pydantic's reader and the canonical law."""
        indexes: list[int] = []
        events: list[bytes] = []
        refusals: list[Refusal] = []
        drops: list[tuple[int, Drop]] = []
        for index, record in zip(batch.indexes, batch.records, strict=True):
            try:
                event = self.translate(_expected(dict, from_json(record), "the document"))
            except RefusedError as error:
                refusals.append(Refusal(index, error.reason, str(error), self.name))
            except ValueError as error:
                refusals.append(Refusal(index, Reason.BAD_JSON, f"Invalid JSON: {error}", UNKNOWN))
            else:
                if isinstance(event, Drop):
                    drops.append((index, event))
                else:
                    indexes.append(index)
                    events.append(msgspec.json.encode(event))
        judged = FORM.judge(indexes, events)
        refusals += [replace(refusal, format=self.name) for refusal in judged.refusals]
        return Judged(to_columns(judged.frame), refusals, drops)


def _expected(kind: type, value: Any, where: str) -> Any:
    if not isinstance(value, kind):
        raise RefusedError(Reason.BAD_TYPE, f"{where}: Input should be {_TYPES[kind]}")
    return value


def text(document: Document, name: str) -> str | None:
    """A text, or None where it is absent or null."""
    value = document.get(name)
    return None if value is None else str(_expected(str, value, name))


def required_text(document: Document, name: str) -> str:
    """A text that must be there."""
    value = text(document, name)
    if value is None:
        raise RefusedError(Reason.MISSING_FIELD, f"{name}: Field required")
    return value


def inner(document: Document, name: str) -> Document:
    """An object within, empty where it is absent or null."""
    value = document.get(name)
    return {} if value is None else dict(_expected(dict, value, name))


def iri(document: Document, name: str) -> str | None:
    """The IRI of an entity that is given bare or as an object with an `id`; None where it is absent."""
    value = document.get(name)
    if isinstance(value, dict):
        return required_text(value, "id")
    return text(document, name)


def entity(document: Document, name: str) -> Document:
    """An entity as an object, also where only its IRI is given; empty where it is absent."""
    value = document.get(name)
    return {"id": value} if isinstance(value, str) else inner(document, name)


def named(value: object) -> list[str]:
    """The texts, IRIs and ids of objects in a value or in a list of values; anything else names nothing."""
    values: Sequence[object] = value if isinstance(value, list) else [value]
    found = [one.get("id") if isinstance(one, dict) else one for one in values]
    return [one for one in found if isinstance(one, str) and one]


def who(document: Document, school: Find, role: Find) -> tuple[dict[str, list[str]], Profile]:
    """The schools and the profile, from where they stand in this document."""
    return schools(named(school(document))[:MAX_SCHOOLS]), profile_of(named(role(document)))


def unless_in_clear(user: str | None) -> str | None:
    """The id of a user, which may not be an address of e-mail.

    Raises:
        RefusedError: it is one.
    """
    if user is not None and "@" in user:
        raise RefusedError(Reason.PERSONAL_DATA, "the actor is named by an e-mail address: send an opaque id instead")
    return user


def application(iri_of_it: str | None, label: str | None) -> dict[str, str]:
    """The fields `app` and `app_raw`, from the last part of an application's IRI and from its name."""
    names = [name for name in (unquote(segment(iri_of_it)) if iri_of_it else None, label) if name]
    known = next((found.key for name in names if (found := find(name))), OTHER)
    if not names:
        raise RefusedError(Reason.MISSING_FIELD, "object: an application has an id or a name")
    return {"app": known, "app_raw": names[0][:MAX_LABEL]}


def entity_shape(value: object, pseudonyms: Pseudonyms) -> object:
    """What a dead letter keeps of an entity: the pseudonym of its IRI."""
    if isinstance(value, dict):
        return {"id": identifier(value["id"], pseudonyms)} if "id" in value else {}
    return identifier(value, pseudonyms) if isinstance(value, str) else described(value)


def without_nulls(fields: Mapping[str, object]) -> dict[str, object]:
    """The fields that say something."""
    return {name: value for name, value in fields.items() if value is not None}
