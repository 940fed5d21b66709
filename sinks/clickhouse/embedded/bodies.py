"""Bodies: those of requests read whole or refused and decompressed frame by frame, those of answers compressed."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from email.message import Message
from typing import Protocol

import lz4.frame
import zstandard

from sinks.clickhouse.embedded.refusal import Refusal, bad_request

_SLICE_BYTES = 64 * 1024
_CHUNK_LINE_BYTES = 1024


class Stream(Protocol):
    """Where the bytes of a request come from."""

    def read(self, size: int, /) -> bytes: ...

    def readline(self, limit: int, /) -> bytes: ...


class _Frame(Protocol):
    """One compressed frame being read."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes | None: ...

    def decompress(self, data: bytes, /) -> bytes: ...


_FRAMES: dict[str, Callable[[], _Frame]] = {
    "gzip": lambda: zlib.decompressobj(wbits=31),
    "deflate": lambda: zlib.decompressobj(),
    "lz4": lz4.frame.LZ4FrameDecompressor,
    "zstd": lambda: zstandard.ZstdDecompressor().decompressobj(),
}

_ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "lz4": lz4.frame.compress,
    "zstd": zstandard.compress,
    "gzip": lambda body: gzip.compress(body, 1),
    "deflate": lambda body: zlib.compress(body, 1),
}


def read_pieces(stream: Stream, headers: Message) -> Iterator[bytes]:
    """The raw body of a request, piece by piece, by its length or its chunks.

    Raises `Refusal` when the body ends before it should.
    """
    if "chunked" in headers.get("Transfer-Encoding", "").lower():
        while size := _chunk_size(stream):
            yield from _exactly(stream, size)
            if stream.readline(_CHUNK_LINE_BYTES) not in (b"\r\n", b"\n"):
                raise bad_request("a chunk of the body is longer than it says")
        while stream.readline(_CHUNK_LINE_BYTES) not in (b"\r\n", b"\n", b""):
            pass
        return
    length = headers.get("Content-Length", "0").strip()
    if not length.isascii() or not length.isdigit():
        raise bad_request("Content-Length is not a number")
    yield from _exactly(stream, int(length))


def read_body(stream: Stream, headers: Message, max_bytes: int) -> bytes:
    """The whole body, decompressed. Raises `Refusal` for one that is cut, broken or larger than `max_bytes`.

    What is too large is taken to its end and not kept: a client reads no answer before it has sent all.
    """
    taken = bytearray()
    size = 0
    for piece in read_pieces(stream, headers):
        size += len(piece)
        if size <= max_bytes:
            taken += piece
        else:
            taken.clear()
    if size > max_bytes:
        raise too_large(max_bytes)
    encoding = headers.get("Content-Encoding", "").strip().lower()
    return decompress(bytes(taken), encoding, max_bytes) if encoding not in ("", "identity") else bytes(taken)


def decompress(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """All frames of `body`: clients send each of their chunks as a frame of its own.

    Raises `Refusal` for an unknown encoding, a broken or cut frame, or more than `max_bytes`.
    """
    open_frame = _FRAMES.get(encoding)
    if open_frame is None:
        raise Refusal(
            48, "NOT_IMPLEMENTED", f"Content-Encoding {encoding!r} is not read here: use {', '.join(_FRAMES)}"
        )
    out = bytearray()
    frame: _Frame | None = None
    for start in range(0, len(body), _SLICE_BYTES):
        rest = body[start : start + _SLICE_BYTES]
        while rest:
            frame = frame or open_frame()
            try:
                out += frame.decompress(rest)
            except (zlib.error, zstandard.ZstdError, RuntimeError) as error:
                raise Refusal(271, "CANNOT_DECOMPRESS", f"the body is not {encoding}: {error}") from error
            if len(out) > max_bytes:
                raise too_large(max_bytes)
            if not frame.eof:
                break
            rest = frame.unused_data or b""
            frame = None
    if frame is not None:
        raise Refusal(271, "CANNOT_DECOMPRESS", f"the body ends inside a frame of {encoding}")
    return bytes(out)


def compress(body: bytes, accepted: str) -> tuple[bytes, str | None]:
    """`body` in the first encoding of an Accept-Encoding list that is known here, and its name."""
    for wanted in accepted.lower().split(","):
        name = wanted.partition(";")[0].strip()
        if name in _ENCODERS:
            return _ENCODERS[name](body), name
    return body, None


def too_large(max_bytes: int) -> Refusal:
    return Refusal(307, "TOO_MANY_BYTES", f"the body is larger than {max_bytes} bytes: send it in parts")


def _chunk_size(stream: Stream) -> int:
    line = stream.readline(_CHUNK_LINE_BYTES)
    try:
        return int(line.split(b";")[0], 16)
    except ValueError:
        raise bad_request("the body ends before its last chunk") from None


def _exactly(stream: Stream, size: int) -> Iterator[bytes]:
    left = size
    while left:
        piece = stream.read(min(left, _SLICE_BYTES))
        if not piece:
            raise bad_request(f"the body ends {left} bytes before it should")
        left -= len(piece)
        yield piece
