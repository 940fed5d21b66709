"""What a dead letter keeps of a record's fields: for each allowed field, the harmless shape of its values.

A value of another shape leaves only a word on its type. Fields that a format does not list leave nothing at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from schemas.applications import find
from schemas.pseudonym import Pseudonyms

Shape = Callable[[Any, Pseudonyms], object]
Kept = Mapping[str, "Shape | Kept"]
"""Allowed fields of an object: the shape of a value, or the allowed fields of an object within."""

MAX_ITEMS = 16
_UAI = re.compile(r"[0-9]{7}[A-Z]")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)
_SECONDS_2000_TO_2100 = range(946_684_800, 4_102_444_800)


def described(value: object) -> object:
    """A word on the type of a value, and the length of a text or list; null stays null."""
    match value:
        case None:
            return None
        case bool():
            return "<boolean>"
        case int() | float():
            return "<number>"
        case str():
            return f"<string {len(value)}>"
        case list():
            return f"<list {len(value)}>"
        case _:
            return "<object>"


def identifier(value: object, pseudonyms: Pseudonyms) -> object:
    """An id of a person, session, class, school or event: its pseudonym."""
    return pseudonyms.text(value) if isinstance(value, str) and value else described(value)


def uai(value: object, _: Pseudonyms) -> object:
    """A school's national number."""
    return value if is_uai(value) else described(value)


def is_uai(value: object) -> bool:
    """Whether it is seven digits and a capital letter."""
    return isinstance(value, str) and _UAI.fullmatch(value) is not None


def moment(value: object, _: Pseudonyms) -> object:
    """RFC 3339, or an epoch of this century in seconds or milliseconds."""
    if isinstance(value, str) and _TIME.fullmatch(value):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        seconds = value if value in _SECONDS_2000_TO_2100 else value // 1000
        return value if seconds in _SECONDS_2000_TO_2100 else described(value)
    return described(value)


def flag(value: object, _: Pseudonyms) -> object:
    """True or false."""
    return value if isinstance(value, bool) else described(value)


def application(value: object, _: Pseudonyms) -> object:
    """The name of an application of the catalogue."""
    return value if isinstance(value, str) and find(value) else described(value)


def count(most: int) -> Shape:
    """A whole number from 0 to `most`."""

    def shape(value: object, _: Pseudonyms) -> object:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return value if whole and value in range(most + 1) else described(value)

    return shape


def one_of(names: Iterable[str]) -> Shape:
    """One of these names, in any case."""
    known = frozenset(name.casefold() for name in names)

    def shape(value: object, _: Pseudonyms) -> object:
        return value if isinstance(value, str) and value.casefold() in known else described(value)

    return shape


def each(shape: Shape) -> Shape:
    """A list of such values, of which the first sixteen are kept."""

    def of_list(value: object, pseudonyms: Pseudonyms) -> object:
        if not isinstance(value, list):
            return described(value)
        return [shape(item, pseudonyms) for item in value[:MAX_ITEMS]]

    return of_list


def kept(document: Mapping[str, Any], allowed: Kept, pseudonyms: Pseudonyms) -> dict[str, object]:
    """The allowed fields of a parsed object."""
    left: dict[str, object] = {}
    for name, shape in allowed.items():
        if name not in document:
            continue
        value = document[name]
        if callable(shape):
            left[name] = shape(value, pseudonyms)
        else:
            left[name] = kept(value, shape, pseudonyms) if isinstance(value, dict) else described(value)
    return left
