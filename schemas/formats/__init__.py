"""The platforms' formats, and the one door through which records become events: `decode`."""

from schemas.decode.outcome import UNKNOWN, Decoded, Refusal
from schemas.formats.attributes import Headers
from schemas.formats.door import decode
from schemas.formats.frame import COLUMNS, to_events
from schemas.formats.registry import FORMATS

__all__ = ["COLUMNS", "FORMATS", "UNKNOWN", "Decoded", "Headers", "Refusal", "decode", "to_events"]
