"""From a request's body to records. Pure; nothing is unpacked beyond its limit."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

import msgspec
import zstandard

from schemas.formats import Headers
from schemas.formats.attributes import NAMES, PREFIX

JSON_TYPES: Final = ("application/json", "application/cloudevents+json", "application/cloudevents-batch+json")
LINES_TYPE: Final = "application/x-ndjson"
ENCODINGS: Final = ("identity", "gzip", "zstd")
_PIECE: Final = 256
"""Bytes of zstd at a time: 64 blocks of 4 bytes, which may swell to 128 KiB each, so 8 MiB before we look."""
_WINDOW_BYTES: Final = 8 * 2**20
"""What a frame may make us allocate before its first byte (RFC 8878, 3.1.1.1.2 recommends to support it)."""
_GZIP: Final = 16 + zlib.MAX_WBITS
_HTTP_PREFIX: Final = "ce-"
_ENVELOPE: Final = frozenset({"sensor", "sendTime", "data"})
_SPACE: Final = b" \t\r\n"


class BodyError(ValueError):
    """The body as a whole cannot be taken; `status` is HTTP's word for it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Records:
    """What a request holds."""

    values: Sequence[bytes]
    headers: Sequence[Headers | None] | None = None
    """As Kafka would have them, of a CloudEvent in binary mode."""


def decompress(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """The body without its Content-Encoding.

    Raises:
        BodyError: the encoding is not known (415), the body is not of it (400), or too large without it (413).
    """
    match encoding.strip().lower():
        case "" | "identity":
            decoded = body
        case "gzip" | "x-gzip":
            decoded = _gunzip(body, max_bytes)
        case "zstd":
            decoded = _unzstd(body, max_bytes)
        case _:
            raise BodyError(415, f"Content-Encoding is one of {', '.join(ENCODINGS)}")
    if len(decoded) > max_bytes:
        raise _too_large(max_bytes)
    return decoded


def _gunzip(body: bytes, max_bytes: int) -> bytes:
    reader = zlib.decompressobj(_GZIP)
    try:
        decoded = reader.decompress(body, max_bytes + 1)
    except zlib.error:
        raise BodyError(400, "the body is not gzip") from None
    if len(decoded) <= max_bytes and (not reader.eof or reader.unused_data):
        raise BodyError(400, "the body is not one whole gzip stream")
    return decoded


def _unzstd(body: bytes, max_bytes: int) -> bytes:
    reader = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES).decompressobj(read_across_frames=False)
    pieces: list[bytes] = []
    size = 0
    try:
        for at in range(0, len(body), _PIECE):
            pieces.append(reader.decompress(body[at : at + _PIECE]))
            size += len(pieces[-1])
            if size > max_bytes:
                raise _too_large(max_bytes)
    except zstandard.ZstdError:
        raise BodyError(400, "the body is not zstd, or its window is larger than what is taken") from None
    if not reader.eof or reader.unused_data:
        raise BodyError(400, "the body is not one whole zstd frame")
    return b"".join(pieces)


def _too_large(max_bytes: int) -> BodyError:
    return BodyError(413, f"the body is larger than {max_bytes} bytes when decompressed: send smaller batches")


def records_of(body: bytes, content_type: str, headers: Mapping[str, str], max_records: int) -> Records:
    """The records of a decompressed body: one, a batch, an envelope, lines, or a CloudEvent in binary mode.

    Raises:
        BodyError: the type is not known (415), the body is not of it (400), or has too many records (413).
    """
    kind = content_type.partition(";")[0].strip().lower()
    attributes = attributes_of(headers)
    if attributes and not kind.startswith("application/cloudevents"):
        return Records([body], [[*attributes, ("content-type", kind.encode())]])
    if kind == LINES_TYPE:
        values: Sequence[bytes] = [line for line in body.split(b"\n") if line.strip(_SPACE)]
    elif kind in JSON_TYPES:
        values = _documents(body)
    else:
        raise BodyError(415, f"Content-Type is one of {', '.join((*JSON_TYPES, LINES_TYPE))}")
    if len(values) > max_records:
        raise BodyError(413, f"{len(values)} records; at most {max_records} are taken at once")
    return Records(values)


def attributes_of(headers: Mapping[str, str]) -> list[tuple[str, bytes]]:
    """CloudEvents' attributes in HTTP's headers, percent-decoded, under the names that they have on Kafka."""
    told = ((name, headers.get(_HTTP_PREFIX + name)) for name in NAMES)
    return [(PREFIX + name, unquote(value).encode("utf-8", "replace")) for name, value in told if value is not None]


def _documents(body: bytes) -> Sequence[bytes]:
    start = body.lstrip(_SPACE)[:1]
    try:
        if start == b"[":
            return _raw_items(body)
        if start == b"{":
            fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
            return _raw_items(bytes(fields["data"])) if fields.keys() >= _ENVELOPE else [body]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise BodyError(400, "the body is not one JSON document, or an envelope whose data is no list") from None
    raise BodyError(400, "the body is neither a JSON object nor a list of objects")


def _raw_items(body: bytes) -> list[bytes]:
    return [bytes(item) for item in msgspec.json.decode(body, type=list[msgspec.Raw])]
