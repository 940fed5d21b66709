"""Dead letters: what is kept of a record that became no event, so that one can see why and yet no one.

Of the payload an allow-list of fields stays, each only where its value has the harmless shape that is expected of it;
ids are replaced by their pseudonyms, any other value by a word on its type, and every other field is removed, name and
all. Of bytes that are no JSON object only the length and a keyed hash remain.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic_core import from_json

from schemas.decode.form import Attributes
from schemas.formats import FORMATS, Headers
from schemas.formats.attributes import attributes_of
from schemas.formats.canonical import NAME as CANONICAL
from schemas.formats.kept import is_uai, kept
from schemas.pseudonym import Pseudonyms, event_id
from schemas.reason import Reason

_PSEUDONYM = re.compile(r"hmac:[0-9a-f]{8}([0-9a-f]{16})[0-9a-f]{16}")


class DeadLetter(BaseModel):
    """A record that was refused: one row of the table, one value of the topic."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    topic: str = Field(description="Topic that the record came from. Source: the broker.")
    incarnation: Annotated[int, Field(ge=0)] = Field(
        description="Number of the topic's life, raised when its log starts over."
    )
    partition: Annotated[int, Field(ge=0)] = Field(description="Partition of the record. Source: the broker.")
    offset: Annotated[int, Field(ge=0)] = Field(description="Offset of the record. Source: the broker.")
    arrived_at: AwareDatetime = Field(description="Kafka's timestamp of the record, UTC, to the millisecond.")
    reason: Reason = Field(description="Why it was refused, of a closed list.")
    message: str = Field(description="What the model says of it, with the place; never the input.")
    format: str = Field(description="Format that the record was judged by; unknown where no format claims it.")
    school: str | None = Field(None, description="UAI of the first school that the record names, if it is well formed.")
    payload: str = Field(description="JSON of what may be kept of the record; null where it is no JSON object.")
    payload_bytes: Annotated[int, Field(ge=0)] = Field(description="Length of the record's value, in bytes.")
    payload_sha256: str = Field(
        description="HMAC-SHA256 of the record's value under the pseudonym key, hex: equal values are seen, short ones "
        "cannot be guessed."
    )
    event_id: str = Field(
        "",
        description="Identity of the event that the record would be, 32 hex digits: the hash of its source and id; "
        "empty where it does not name both.",
    )


@dataclass(frozen=True)
class Redacted:
    """What may be kept of a record."""

    payload: str
    """JSON; `null` where the record is no JSON object or of no known format."""
    length: int
    """Bytes of the value; 0 of a tombstone."""
    sha256: str
    """HMAC-SHA256 of the value under the pseudonym key, 64 hex digits."""
    school: str | None
    """UAI of the first school that the record names, if it is well formed."""
    event_id: str
    """Identity of the event it would be, 32 hex digits; empty where it does not name source and id."""


def redact(value: bytes | None, format_name: str, pseudonyms: Pseudonyms, headers: Headers | None = None) -> Redacted:
    """What may be kept of a refused record, judged by the format of this name (`Refusal.format`).

    `headers` are the record's; the attributes of a CloudEvent in binary mode are among them.
    """
    raw = value or b""
    document = _document(raw, attributes_of(headers)) if format_name in FORMATS else None
    left = None if document is None else kept(document, FORMATS[format_name].kept, pseudonyms)
    payload = json.dumps(left, ensure_ascii=False, separators=(",", ":"))
    return Redacted(payload, len(raw), pseudonyms.digest(raw), _school(left), _identity(document))


def why_payload_does_not_serve(payload: str, format_name: str, event_id: str, pseudonyms: Pseudonyms) -> str | None:
    """Why the payload of a dead letter cannot stand for the record itself, or None where it can.

    It can where nothing that an event needs was taken from it: a canonical event of a known identity, whose school is
    named by its UAI, whose ids are pseudonyms under the present key and whose other values were kept as they were.
    """
    document = from_json(payload)
    if not isinstance(document, dict):
        return "nothing was kept of it"
    if format_name != CANONICAL or not event_id:
        return "it does not hold the event's identity"
    texts = list(_texts(document))
    if any(text.startswith("<") and text.endswith(">") for text in texts):
        return "a value was not fit to be kept"
    if any(text.startswith("hmac:") and not pseudonyms.is_ours(text) for text in texts):
        return "its ids are pseudonyms under another key"
    return None if _school(document) else "it names no school by its UAI"


def _texts(value: object) -> Iterator[str]:
    """Every text within a parsed document."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(inner)


def mentions(payload: str, persons: frozenset[int]) -> bool:
    """Whether what was kept of a record names one of `persons`, numbers of pseudonyms."""
    return any(int.from_bytes(bytes.fromhex(start), "little") in persons for start in _PSEUDONYM.findall(payload))


def _document(raw: bytes, attributes: Attributes | None) -> dict[str, Any] | None:
    try:
        document = from_json(raw)
    except ValueError:
        document = None
    if attributes is not None:
        told = {name: None if text is None else text.decode(errors="replace") for name, text in attributes.items()}
        return {**told, "data": document}
    return document if isinstance(document, dict) else None


def _identity(document: Mapping[str, Any] | None) -> str:
    source, identifier = ((document or {}).get(name) for name in ("source", "id"))
    if not (isinstance(source, str) and isinstance(identifier, str) and source and identifier):
        return ""
    return event_id(source, identifier).hex()


def _school(left: Mapping[str, Any] | None) -> str | None:
    data = (left or {}).get("data")
    named = data.get("uai") if isinstance(data, dict) else None
    return next((uai for uai in named if is_uai(uai)), None) if isinstance(named, list) else None
