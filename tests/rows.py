"""Rows for the tests of stores: events with what matters given and the rest plain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl

from schemas.row import DEAD_LETTER_ROW, DROPPED_ROW, EVENT_ROW
from sinks.base import Shipment

TOPIC = "ent.login.v1"
MINUTE = 1_794_901_260
"""A minute on 17 November 2026, 08:41 in Paris."""
HOUR = MINUTE - MINUTE % 3600
DAY = HOUR // 86_400

_PLAIN: dict[str, Any] = {
    "type": "login",
    "school": "0689901T",
    "uai": "0689901T",
    "class_id": "c1",
    "other_uai": [],
    "other_class_id": [],
    "profile": "eleve",
    "user_key": 1,
    "recipients": 0,
    "topic": TOPIC,
    "incarnation": 1,
    "partition": 0,
    "revision": 1,
}


def event(number: int, offset: int, **given: Any) -> dict[str, Any]:
    """The event `number` as it stood at `offset`."""
    row: dict[str, Any] = {
        name: ("" if dtype in (pl.Categorical, pl.String) else False if dtype == pl.Boolean else 0)
        for name, dtype in EVENT_ROW.items()
    }
    moment = datetime.fromtimestamp(MINUTE, UTC)
    identity = {"event_id": number.to_bytes(16, "big"), "event_time": moment, "arrived_at": moment, "offset": offset}
    return row | _PLAIN | identity | {"user_key": number % 3 + 1} | given


def shipment(
    events: Sequence[dict[str, Any]] = (),
    rejected: Sequence[int] = (),
    dropped: Sequence[tuple[int, int]] = (),
) -> Shipment:
    """Events, dead letters at these offsets and dropped half-open ranges of the plain log."""
    moment = datetime.fromtimestamp(MINUTE, UTC)
    letter = dict.fromkeys(("message", "format", "school", "payload", "payload_sha256", "event_id"), "")
    letters = [
        {"topic": TOPIC, "incarnation": 1, "partition": 0, "offset": offset, "arrived_at": moment, "reason": "bad_json"}
        | letter
        | {"payload_bytes": 1}
        for offset in rejected
    ]
    ranges = [(TOPIC, 1, 0, first, after, "no_record", moment) for first, after in dropped]
    return Shipment(
        pl.DataFrame(list(events), schema=EVENT_ROW, orient="row"),
        pl.DataFrame(letters, schema=DEAD_LETTER_ROW, orient="row"),
        pl.DataFrame(ranges, schema=DROPPED_ROW, orient="row"),
    )
