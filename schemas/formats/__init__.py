"""The platforms' formats, and the one door through which records become events: `decode`."""

from schemas.decode.outcome import UNKNOWN, Decoded, Refusal
from schemas.formats.attributes import Headers
from schemas.formats.door import decode
from schemas.formats.frame import COLUMNS, to_events
from schemas.formats.places import Places
from schemas.formats.registry import FORMATS, Formats, formats_at

__all__ = [
    "COLUMNS",
    "FORMATS",
    "UNKNOWN",
    "Decoded",
    "Formats",
    "Headers",
    "Places",
    "Refusal",
    "decode",
    "formats_at",
    "to_events",
]
