"""Files of one record a line, plain or compressed, read with an eye on whether they are whole."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import zstandard

_CHUNK_BYTES = 1 << 20


class FileDamagedError(RuntimeError):
    """A file cannot be read to its end; the message says which and what to do."""


def digest(path: Path) -> str:
    """SHA-256 of the file's bytes, in hex: its name may change, what is in it may not."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def lines(path: Path) -> Iterator[tuple[bytes, int]]:
    """Each line without its end, blank ones included, and how many bytes of the file were read by then.

    `.gz` and `.zst` are told by their names. Raises FileDamagedError where a compressed file is cut or broken.
    """
    with path.open("rb") as stream:
        unpack = {".gz": _gunzipped, ".zst": _unzstd}.get(path.suffix, _plain)
        rest = b""
        try:
            for chunk in unpack(stream):
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    yield line.removesuffix(b"\r"), stream.tell()
        except (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as error:
            raise FileDamagedError(f"{path} is damaged or cut ({error}): get it again, then run this again") from error
        if rest:
            yield rest.removesuffix(b"\r"), stream.tell()


def _plain(stream: BinaryIO) -> Iterator[bytes]:
    yield from _chunks(stream.read)


def _gunzipped(stream: BinaryIO) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=stream) as unpacked:
        yield from _chunks(unpacked.read)


def _unzstd(stream: BinaryIO) -> Iterator[bytes]:
    """Frame after frame; the library's own reader would take a cut frame for a whole one."""
    frame = None
    for chunk in _chunks(stream.read):
        rest = chunk
        while rest:
            frame = frame or zstandard.ZstdDecompressor().decompressobj()
            yield frame.decompress(rest)
            rest, frame = (frame.unused_data, None) if frame.eof else (b"", frame)
    if frame is not None:
        raise EOFError("the last frame has no end")


def _chunks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while chunk := read(_CHUNK_BYTES):
        yield chunk
