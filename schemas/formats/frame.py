"""The decoded frame: one row per event, whatever the platform's format, and the way back to canonical events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import polars as pl

from schemas.event import SHORT_TYPES, AppKind, Channel, Device, Profile, Stage


def _names(of: type[StrEnum]) -> pl.Enum:
    return pl.Enum([member.value for member in of])


COLUMNS: Final[dict[str, pl.DataType]] = {
    "index": pl.UInt32(),  # the record's place in the batch
    "type": pl.Enum(list(SHORT_TYPES.values())),
    "id": pl.String(),  # the producer's, or made from the document where the platform gives none
    "source": pl.String(),
    "time": pl.Datetime("us", "UTC"),
    "uai": pl.List(pl.String()),
    "structures": pl.List(pl.String()),
    "classes": pl.List(pl.String()),
    "profile": _names(Profile),  # of the user; of a notification, its sender's
    "channel": _names(Channel),
    "device": _names(Device),
    "user": pl.String(),  # raw or hmac:…, as sent
    "session": pl.String(),  # likewise
    "app": pl.String(),
    "app_raw": pl.String(),
    "app_kind": _names(AppKind),
    "kind": pl.String(),
    "stage": _names(Stage),
    "recipient_count": pl.UInt32(),  # persons
    "recipients_eleve": pl.UInt32(),  # persons; null where the event has no counts by profile
    "recipients_parent": pl.UInt32(),
    "recipients_enseignant": pl.UInt32(),
    "recipients_personnel": pl.UInt32(),
    "push": pl.Boolean(),
    "mail": pl.Boolean(),
}
"""Null stands for what the event does not say; the pipeline fills the defaults."""

_LONG_TYPES = {short: long for long, short in SHORT_TYPES.items()}
_DATA = tuple(name for name in COLUMNS if name not in {"index", "type", "id", "source", "time"})
_BY_PROFILE = "recipients_"


def empty() -> pl.DataFrame:
    """A frame of no rows."""
    return pl.DataFrame(schema=COLUMNS)


def to_events(frame: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """One canonical CloudEvents document, ready for JSON, per row of a decoded frame, in its order."""
    for row in frame.select(list(COLUMNS)).iter_rows(named=True):
        data: dict[str, Any] = {}
        by_profile: dict[str, int] = {}
        for name in _DATA:
            value = row[name]
            if value is None:
                continue
            if name.startswith(_BY_PROFILE):
                by_profile[name.removeprefix(_BY_PROFILE)] = value
            elif name == "profile" and row["type"] == "notification":
                data["sender_profile"] = value
            else:
                data[name] = value
        if by_profile:
            data["recipients_by_profile"] = by_profile
        yield {
            "specversion": "1.0",
            "id": row["id"],
            "source": row["source"],
            "type": _LONG_TYPES[row["type"]],
            "time": _rfc3339(row["time"]),
            "data": data,
        }


def _rfc3339(moment: datetime) -> str:
    precision = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")
