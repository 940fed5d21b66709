"""`ent decode`: try a platform's feed without storing anything."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, BinaryIO

import polars as pl
import typer

from schemas.formats import decode as decode_records
from schemas.formats import formats_at, to_events
from schemas.keyring import Keyring
from schemas.pseudonym import Key
from streams.pipeline import Limits, check_times
from streams.settings import read_keys, read_places

_LINES_AT_ONCE = 10_000


class Format(StrEnum):
    """How to read the records."""

    AUTO = "auto"
    CANONICAL = "canonical"
    CALIPER = "caliper"
    XAPI = "xapi"
    ENTCORE = "entcore"


def decode(
    files: Annotated[list[str], typer.Argument(help="Files of one JSON document a line; - is standard input.")],
    format: Annotated[Format, typer.Option(help="auto: recognise each record's format.")] = Format.AUTO,  # noqa: A002
) -> None:
    """Print one canonical event per accepted record, in the order of the input, with ids as hmac:…

    On standard error: {"line": n, "reason": …, "message": …} per refused record, with "file" where there are several.
    Exit 1 if there was one. Ids are made under ENT_PSEUDONYM_KEY, or under a throw-away key if it is not set.
    """
    keyring, event_id_key = read_keys()
    pseudonyms = keyring or Keyring(Key(secrets.token_bytes(32)))
    event_id_key = event_id_key or Key(secrets.token_bytes(32))
    refused = False
    for name in files:
        with _open(name) as stream:
            for first, lines in _chunks(stream):
                refused |= _decode_lines(
                    lines, first, format, pseudonyms, event_id_key, name if len(files) > 1 else None
                )
    if refused:
        raise typer.Exit(1)


def _decode_lines(
    lines: list[bytes], first: int, form: Format, pseudonyms: Keyring, event_id_key: Key, file: str | None
) -> bool:
    """Decode some lines, the first of which has the number `first`; whether any was refused."""
    only = None if form is Format.AUTO else form.value
    decoded = decode_records(lines, None, event_id_key, only=only, formats=formats_at(read_places()))
    arrived = pl.Series([datetime.now(UTC)], dtype=pl.Datetime("ms", "UTC")).new_from_index(0, len(lines))
    frame, untimely = check_times(decoded.frame, arrived, Limits())
    frame = frame.with_columns(pseudonyms.texts_at(frame[name], frame["time"]) for name in ("user", "session"))
    for event in to_events(frame):
        sys.stdout.write(json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n")
    refusals = sorted([*decoded.refusals, *untimely], key=lambda refusal: refusal.index)
    for refusal in refusals:
        told = {"line": first + refusal.index, "reason": refusal.reason.value, "message": refusal.message}
        sys.stderr.write(json.dumps({"file": file, **told} if file else told, ensure_ascii=False) + "\n")
    return bool(refusals)


def _open(name: str) -> BinaryIO:
    if name == "-":
        return sys.stdin.buffer
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise typer.BadParameter(f"{name} cannot be read: {error.strerror}") from None


def _chunks(stream: BinaryIO) -> Iterator[tuple[int, list[bytes]]]:
    """(number of the first line, lines without their ends)."""
    number = 1
    while lines := [line.removesuffix(b"\n") for line in islice(stream, _LINES_AT_ONCE)]:
        yield number, lines
        number += len(lines)
