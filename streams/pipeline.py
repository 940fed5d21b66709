"""The path of a record: fetched batches in, rows out. Pure: no I/O, no clock, no settings.

Law of conservation: every record of the batches is in exactly one of events, dead letters and dropped offsets, and
every offset without a record is among the dropped ones.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import repeat

import polars as pl

from schemas.dead_letter import mentions, redact
from schemas.formats import FORMATS, Decoded, Formats, Headers, Refusal, decode
from schemas.keyring import PseudonymsByTime
from schemas.pseudonym import Key, event_ids
from schemas.reason import Drop, Reason
from schemas.row import DEAD_LETTER_ROW, DROPPED_ROW, EVENT_ROW
from sinks.base import Shipment
from streams.batch import Batch, OffsetRange
from streams.directory.snapshot import Directory
from streams.enrichment import enrich
from streams.naming import write_names

GIVEN_ID = "ent-event-id"
"""Header of a record that is replayed from what a dead letter kept: the identity of its event, in hex."""
_IDENTITY = re.compile(rb"[0-9a-f]{32}")


@dataclass(frozen=True)
class Limits:
    """How far an event's time may lie from its arrival."""

    future: timedelta = timedelta(minutes=10)
    """Clocks of platforms differ; what lies further ahead is refused."""
    age: timedelta = timedelta(days=400)
    """A year and a month: what is older than anything that is kept is refused."""


@dataclass(frozen=True)
class Keys:
    """The secrets that the path of a record needs."""

    pseudonyms: PseudonymsByTime
    event_id: Key


@dataclass(frozen=True)
class Work:
    """What batches came to, and which minutes must be counted anew (seconds since 1970 UTC)."""

    shipment: Shipment
    minutes: frozenset[int]
    slow: int
    """Records that the plain form of the decoder did not take."""


def process(
    batches: Sequence[Batch],
    directory: Directory,
    keys: Keys,
    incarnations: Mapping[str, int],
    limits: Limits,
    formats: Formats = FORMATS,
    denied: frozenset[int] = frozenset(),
) -> Work:
    """Decode, check, enrich and pseudonymise the records of `batches`; none is lost, and none makes it raise.

    Records of `denied` persons (numbers of pseudonyms) are dropped: they were erased.
    """
    records, headers, places = _unpack(batches, incarnations)
    decoded = decode(records, headers, keys.event_id, formats=formats)
    timely, untimely = check_times(decoded.frame, places["arrived_at"], limits)
    enriched = enrich(timely, directory)
    named = write_names(timely, enriched, keys.event_id)
    ids = _identities(timely, headers)
    events = _to_rows(enriched.with_columns(named, ids), places, keys.pseudonyms, directory.revision)
    letters = _to_dead_letters([*decoded.refusals, *untimely], records, headers, places, keys.pseudonyms)
    dropped = _to_dropped(decoded, places, batches, incarnations)
    if denied:
        events, letters, dropped = _without(denied, events, letters, dropped)
    minutes = events["event_time"].dt.truncate("1m").unique().dt.epoch("s").to_list()
    return Work(Shipment(events, letters, dropped), frozenset(minutes), decoded.slow)


def _without(
    denied: frozenset[int], events: pl.DataFrame, letters: pl.DataFrame, dropped: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The three frames with the rows of denied persons among the dropped ones."""
    theirs = events["user_key"].is_in(pl.Series(list(denied), dtype=pl.UInt64).implode())
    named = pl.Series([mentions(payload, denied) for payload in letters["payload"]], dtype=pl.Boolean)
    gone = pl.concat([frame.select(*_PLACE) for frame in (events.filter(theirs), letters.filter(named))])
    erased = gone.with_columns(
        pl.col("offset").alias("first"),
        (pl.col("offset") + 1).alias("next"),
        pl.lit(Drop.ERASED.value).alias("reason"),
    ).select(pl.col(name).cast(dtype) for name, dtype in DROPPED_ROW.items())
    return events.filter(~theirs), letters.filter(~named), pl.concat([dropped, erased])


def _unpack(
    batches: Sequence[Batch], incarnations: Mapping[str, int]
) -> tuple[list[bytes | None], list[Headers | None] | None, pl.DataFrame]:
    """The records of all batches as columns, and where each of them stood."""
    records = [value for batch in batches for value in batch.values]
    headers: list[Headers | None] | None = None
    if any(batch.headers for batch in batches):
        headers = [h for batch in batches for h in (batch.headers or repeat(None, len(batch)))]
    places = [_places(batch, incarnations[batch.topic]) for batch in batches if len(batch)]
    return records, headers, pl.concat(places) if places else pl.DataFrame(schema=_PLACE)


_PLACE = {name: EVENT_ROW[name] for name in ("topic", "incarnation", "partition", "offset", "arrived_at")}


def _places(batch: Batch, incarnation: int) -> pl.DataFrame:
    arrived = pl.Series("arrived_at", batch.timestamps_ms, dtype=pl.Int64).cast(_PLACE["arrived_at"])
    return pl.DataFrame([batch.offset_column(), arrived]).select(
        pl.lit(batch.topic, dtype=_PLACE["topic"]).alias("topic"),
        pl.lit(incarnation, dtype=_PLACE["incarnation"]).alias("incarnation"),
        pl.lit(batch.partition, dtype=_PLACE["partition"]).alias("partition"),
        "offset",
        "arrived_at",
    )


def check_times(frame: pl.DataFrame, arrived_at: pl.Series, limits: Limits) -> tuple[pl.DataFrame, list[Refusal]]:
    """The events whose time fits their arrival, and the refusals of the others; `arrived_at` is by record."""
    age = arrived_at.gather(frame["index"]) - frame["time"].dt.cast_time_unit("ms")
    future, old = age < -limits.future, age > limits.age
    untimely = future | old
    if not untimely.any():
        return frame, []
    refusals = [
        Refusal(index, Reason.FUTURE if ahead else Reason.TOO_OLD, _untimely(lies, limits), form)
        for index, ahead, lies, form in zip(
            *(column.filter(untimely) for column in (frame["index"], future, age, frame["format"])), strict=True
        )
    ]
    return frame.filter(~untimely), refusals


def _untimely(age: timedelta, limits: Limits) -> str:
    if age < timedelta():
        return f"time: {-age} after its arrival, {limits.future} are allowed"
    return f"time: {age} before its arrival, {limits.age} are allowed"


def _identities(frame: pl.DataFrame, headers: Sequence[Headers | None] | None) -> pl.Series:
    """The `event_id` of each event: of its source and id, or the one that a header gives."""
    made = event_ids(frame["source"], frame["id"])
    if headers is None:
        return made
    given = {
        place: unhexlify(value)
        for place, index in enumerate(frame["index"])
        for name, value in headers[index] or ()
        if name == GIVEN_ID and value and _IDENTITY.fullmatch(value)
    }
    return made.scatter(list(given), list(given.values())) if given else made


def _to_rows(frame: pl.DataFrame, places: pl.DataFrame, pseudonyms: PseudonymsByTime, revision: int) -> pl.DataFrame:
    """Enriched events as the rows of the table `events`."""
    frame = frame.hstack(places[frame["index"]])
    blank = pl.lit("")
    nobody = pl.lit(0, dtype=pl.UInt32)
    frame = frame.with_columns(
        pseudonyms.keys_at(frame["user"], frame["time"]).alias("user_key"),
        pseudonyms.keys_at(frame["session"], frame["time"]).alias("session_key"),
        pl.col("time").alias("event_time"),
        pl.col("channel", "device", "profile").cast(pl.String).fill_null("inconnu"),
        pl.col("app_kind", "kind").cast(pl.String).fill_null(blank),
        pl.when(pl.col("type") == "notification")
        .then(pl.col("stage").cast(pl.String).fill_null("sent"))
        .otherwise(blank),
        pl.col("recipient_count").fill_null(nobody).alias("recipients"),
        pl.col("^recipients_.*$").fill_null(nobody),
        pl.col("push", "mail").fill_null(value=False),
        pl.lit(revision, dtype=pl.UInt64).alias("revision"),
    )
    return frame.select(pl.col(name).cast(dtype) for name, dtype in EVENT_ROW.items())


def _to_dead_letters(
    refusals: Sequence[Refusal],
    records: Sequence[bytes | None],
    headers: Sequence[Headers | None] | None,
    places: pl.DataFrame,
    pseudonyms: PseudonymsByTime,
) -> pl.DataFrame:
    """Refusals as the rows of the table `dead_letters`."""
    if not refusals:
        return pl.DataFrame(schema=DEAD_LETTER_ROW)
    arrivals = places["arrived_at"].gather([refusal.index for refusal in refusals])
    kept = [
        redact(records[at.index], at.format, pseudonyms.of(arrived), headers[at.index] if headers else None)
        for at, arrived in zip(refusals, arrivals, strict=True)
    ]
    what = pl.DataFrame(
        {
            "reason": [refusal.reason.value for refusal in refusals],
            "message": [refusal.message for refusal in refusals],
            "format": [refusal.format for refusal in refusals],
            "school": [redacted.school or "" for redacted in kept],
            "payload": [redacted.payload for redacted in kept],
            "payload_bytes": [redacted.length for redacted in kept],
            "payload_sha256": [redacted.sha256 for redacted in kept],
            "event_id": [redacted.event_id for redacted in kept],
        }
    )
    frame = places[[refusal.index for refusal in refusals]].hstack(what)
    return frame.select(pl.col(name).cast(dtype) for name, dtype in DEAD_LETTER_ROW.items())


def _to_dropped(
    decoded: Decoded, places: pl.DataFrame, batches: Sequence[Batch], incarnations: Mapping[str, int]
) -> pl.DataFrame:
    """Offsets that hold no event for us and are no error, as the rows of the table `dropped`."""
    rows = [
        (batch.topic, incarnations[batch.topic], batch.partition, *span, reason.value, _arrival_beside(batch, span))
        for batch in batches
        for span, reason in _holes(batch)
    ]
    frame = pl.DataFrame(rows, schema=DROPPED_ROW, orient="row")
    if not decoded.drops:
        return frame
    ignored = places[[index for index, _ in decoded.drops]].with_columns(
        pl.Series("reason", [drop.value for _, drop in decoded.drops])
    )
    # What a rebalance delivered twice would shift the count by which neighbours are told.
    ignored = ignored.unique(["topic", "incarnation", "partition", "offset"])
    # Neighbours of one reason and one day become one range.
    day = pl.col("arrived_at").dt.convert_time_zone("Europe/Paris").dt.date()
    run = (pl.col("offset") - pl.int_range(pl.len(), dtype=pl.UInt64)).over(
        "topic", "partition", "reason", day.alias("day"), order_by="offset"
    )
    ranges = ignored.group_by("topic", "incarnation", "partition", "reason", day.alias("day"), run.alias("run")).agg(
        pl.col("offset").min().alias("first"),
        (pl.col("offset").max() + 1).alias("next"),
        pl.col("arrived_at").min(),
    )
    return pl.concat([frame, ranges.select(pl.col(name).cast(dtype) for name, dtype in DROPPED_ROW.items())])


def _holes(batch: Batch) -> list[tuple[OffsetRange, Drop]]:
    holes = [(hole, Drop.NO_RECORD) for hole in batch.holes()]
    return [(batch.expired, Drop.EXPIRED_BEFORE_READ), *holes] if batch.expired else holes


def _arrival_beside(batch: Batch, hole: OffsetRange) -> datetime:
    """When the record before a hole arrived, or else the one after it; in a batch without records, when it was written.

    A hole has no arrival of its own. Where batches are cut differently it may be told of two days: the first counts.
    """
    stamps = batch.timestamps_ms
    stamp_ms = stamps[max(batch.index_of(hole[0]) - 1, 0)] if stamps else batch.written_ms
    return datetime.fromtimestamp(stamp_ms / 1000, UTC)
