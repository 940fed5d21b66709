"""Where in a document of Caliper or xAPI the school and the profile stand: the standards give them no place."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Pointers = Annotated[str, StringConstraints(pattern=r"^(/[^ ]+)( /[^ ]+)*$")]
"""JSON pointers (RFC 6901), separated by blanks; the first one that leads to something holds."""


class Places(BaseModel):
    """What is settable; the defaults are the places that the golden examples use."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    caliper_school: Pointers = Field(
        "/extensions/uai /group/subOrganizationOf /membership/organization/subOrganizationOf /group"
        " /membership/organization",
        description="Where a Caliper event names its school: JSON pointers, separated by blanks.",
    )
    caliper_profile: Pointers = Field(
        "/extensions/profile /membership/roles", description="Where a Caliper event names the user's role; likewise."
    )
    xapi_school: Pointers = Field(
        "/context/extensions/urn:ent:uai",
        description="Where an xAPI statement names its school; `/` within an extension's IRI is written `~1`.",
    )
    xapi_profile: Pointers = Field(
        "/context/extensions/urn:ent:profile", description="Where an xAPI statement names the actor's role; likewise."
    )


Find = Callable[[object], object]
_UAI: Final = re.compile(r"[0-9]{7}[A-Z]")
_IRI: Final = re.compile(r"[/#:]")


def finder(pointers: str) -> Find:
    """A function from a document to the first thing that one of the pointers leads to; None where none does."""
    paths = [[part.replace("~1", "/").replace("~0", "~") for part in one[1:].split("/")] for one in pointers.split(" ")]

    def find(document: object) -> object:
        return next((found for path in paths if (found := _at(document, path)) is not None), None)

    return find


def _at(document: object, path: list[str]) -> object:
    for name in path:
        if not isinstance(document, dict):
            return None
        document = document.get(name)
    return document


def segment(iri: str) -> str:
    """What stands after the last `/`, `#` or `:` of an IRI, or the whole of a text without one."""
    return _IRI.split(iri.rstrip("/#:"))[-1]


def schools(named: list[str]) -> dict[str, list[str]]:
    """The fields `uai` and `structures` of an event, from texts and IRIs that name schools.

    An IRI that ends in a UAI is one, any other is the platform's own id. A text that is no IRI is meant as a UAI, so
    that a wrong one is refused and not taken for an id.
    """
    told: dict[str, Any] = {"uai": [], "structures": []}
    for name in named:
        last = segment(name)
        is_own_id = _IRI.search(name) and not _UAI.fullmatch(last)
        told["structures" if is_own_id else "uai"].append(name if is_own_id else last)
    return {field: names for field, names in told.items() if names}
