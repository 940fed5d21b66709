"""The formats that are known here. A new one is one file and one line."""

from typing import Final

from schemas.formats.canonical import Canonical
from schemas.formats.entcore import Entcore
from schemas.formats.format import Format

FORMATS: Final[dict[str, Format]] = {
    "canonical": Canonical(),
    "entcore": Entcore(),
}
"""By name. Plainly spelt records are sought in this order, so the commonest comes first; what is not plain is offered
in the opposite order, for the first one also claims what merely bears a type of ours. CloudEvents in binary mode and
what is no JSON are the first one's."""
