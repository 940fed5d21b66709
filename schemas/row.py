"""The rows that are stored: the columns of the tables that the record's path writes, in their order, as polars types.

`sinks/clickhouse/migrations` says the same in SQL with a comment for each column; a test holds the two together.
"""

from __future__ import annotations

from typing import Final

import polars as pl

_CODE = pl.Categorical()
_MOMENT_MS = pl.Datetime("ms", "UTC")

EVENT_ROW: Final[dict[str, pl.DataType]] = {
    "event_id": pl.Binary(),
    "event_time": pl.Datetime("us", "UTC"),
    "type": _CODE,
    "school": _CODE,
    "source": _CODE,
    "format": _CODE,
    "uai": _CODE,
    "class_id": _CODE,
    "other_uai": pl.List(pl.String()),
    "other_class_id": pl.List(pl.String()),
    "commune": _CODE,
    "circonscription": _CODE,
    "pole": _CODE,
    "education_prioritaire": _CODE,
    "zone": _CODE,
    "cycle": _CODE,
    "levels": _CODE,
    "profile": _CODE,
    "app": _CODE,
    "app_raw": _CODE,
    "app_kind": _CODE,
    "service": _CODE,
    "channel": _CODE,
    "device": _CODE,
    "user_key": pl.UInt64(),
    "session_key": pl.UInt64(),
    "kind": _CODE,
    "stage": _CODE,
    "recipients": pl.UInt32(),
    "recipients_eleve": pl.UInt32(),
    "recipients_parent": pl.UInt32(),
    "recipients_enseignant": pl.UInt32(),
    "recipients_personnel": pl.UInt32(),
    "push": pl.Boolean(),
    "mail": pl.Boolean(),
    "uai_letter_wrong": pl.Boolean(),
    "topic": _CODE,
    "incarnation": pl.UInt32(),
    "partition": pl.UInt16(),
    "offset": pl.UInt64(),
    "arrived_at": _MOMENT_MS,
    "revision": pl.UInt64(),
    "named": pl.String(),
}

DEAD_LETTER_ROW: Final[dict[str, pl.DataType]] = {
    "topic": _CODE,
    "incarnation": pl.UInt32(),
    "partition": pl.UInt16(),
    "offset": pl.UInt64(),
    "arrived_at": _MOMENT_MS,
    "reason": _CODE,
    "message": pl.String(),
    "format": _CODE,
    "school": _CODE,
    "payload": pl.String(),
    "payload_bytes": pl.UInt32(),
    "payload_sha256": pl.String(),
    "event_id": pl.String(),
}

DROPPED_ROW: Final[dict[str, pl.DataType]] = {
    "topic": _CODE,
    "incarnation": pl.UInt32(),
    "partition": pl.UInt16(),
    "first": pl.UInt64(),
    "next": pl.UInt64(),
    "reason": _CODE,
    "arrived_at": _MOMENT_MS,
}
