"""What becomes of the records of a request. Pure: the service brings the clock, and Kafka comes after.

Every record is in exactly one of events, refusals and drops. Events leave as canonical CloudEvents whose user and
session are pseudonyms; an id that the platform sent goes no further than this.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
import polars as pl

from schemas.event import SHORT_TYPES, Activation, AppVisit, Login, Notification
from schemas.formats import Decoded, Formats, decode, to_events
from schemas.keyring import PseudonymsByTime
from schemas.pseudonym import Key
from schemas.reason import Drop
from streams.collector.bodies import Records
from streams.pipeline import Limits, check_times

OUT_OF_SCOPE: Final = "out_of_scope"
_NOT_YOURS: Final = "the event names no school, or one that this token may not tell of"
_TOPICS: Final = dict(
    zip(SHORT_TYPES, (model.topic for model in (Login, Activation, AppVisit, Notification)), strict=True)
)
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Outgoing:
    """A record for Kafka."""

    topic: str
    key: bytes
    value: bytes


@dataclass(frozen=True)
class Refused:
    """A record that was not taken."""

    index: int
    """Its place in the request."""
    reason: str
    """Of docs/formats.md, or `out_of_scope`."""
    message: str


@dataclass(frozen=True)
class Admission:
    """What a request came to."""

    events: list[Outgoing]
    refused: list[Refused]
    ignored: list[tuple[int, Drop]]


@dataclass(frozen=True)
class Admitter:
    """The rules by which records are admitted."""

    pseudonyms: PseudonymsByTime
    event_key: Key
    formats: Formats
    limits: Limits

    def admit(self, records: Records, scope: frozenset[str] | None, now: datetime) -> Admission:
        """Decode, check, and pseudonymise; `scope` are the schools that may be told of, None all of them."""
        decoded = decode(records.values, records.headers, self.event_key, formats=self.formats)
        arrived = pl.Series([now], dtype=pl.Datetime("ms", "UTC")).new_from_index(0, len(records.values))
        timely, untimely = check_times(decoded.frame, arrived, self.limits)
        frame, foreign = _within(timely, scope)
        frame = frame.with_columns(self.pseudonyms.texts_at(frame[name], frame["time"]) for name in ("user", "session"))
        return Admission(
            [_outgoing(event) for event in to_events(frame)], _refused(decoded, untimely, foreign), decoded.drops
        )


def _within(frame: pl.DataFrame, scope: frozenset[str] | None) -> tuple[pl.DataFrame, list[int]]:
    """The events all of whose schools are in the scope, and the places of the others."""
    if scope is None:
        return frame, []
    named = pl.concat_list(pl.col("uai", "structures").fill_null([]))
    allowed = named.list.eval(pl.element().is_in(sorted(scope))).list.all() & (named.list.len() > 0)
    mask = frame.select(allowed.alias("allowed"))["allowed"]
    return frame.filter(mask), frame["index"].filter(~mask).to_list()


def _refused(decoded: Decoded, untimely: list[Any], foreign: list[int]) -> list[Refused]:
    told = [Refused(one.index, one.reason.value, one.message) for one in [*decoded.refusals, *untimely]]
    told += [Refused(index, OUT_OF_SCOPE, _NOT_YOURS) for index in foreign]
    return sorted(told, key=lambda one: one.index)


def _outgoing(event: dict[str, Any]) -> Outgoing:
    data = event["data"]
    school = next(iter([*data.get("uai", ()), *data.get("structures", ())]), event["id"])
    return Outgoing(_TOPICS[event["type"]], school.encode(), _encode(event))
