"""The formats that are known here. A new one is one file and one line."""

from collections.abc import Mapping
from typing import Final, TypeAlias

from schemas.formats.caliper import Caliper
from schemas.formats.canonical import Canonical
from schemas.formats.entcore import Entcore
from schemas.formats.format import Format
from schemas.formats.places import Places
from schemas.formats.xapi import Xapi

Formats: TypeAlias = Mapping[str, Format]


def formats_at(places: Places) -> Formats:
    """The formats, with the fields that have no standard place sought at these places."""
    return {
        "canonical": Canonical(),
        "caliper": Caliper(places),
        "xapi": Xapi(places),
        "entcore": Entcore(),
    }


FORMATS: Final[Formats] = formats_at(Places())
"""By name. Plainly spelt records are sought in this order: Caliper also has an `action`, which is a sign of entcore's.
What is not plain is offered in the opposite order, for the first one also claims what merely bears a type of ours; the
others exclude each other. CloudEvents in binary mode and what is no JSON are the first one's."""
