"""From records to events: which format each record has, and the merging of what the formats answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, cast

import polars as pl
from pydantic_core import from_json

from schemas.decode.form import Attributes
from schemas.decode.outcome import UNKNOWN, Decoded, Refusal
from schemas.decode.screen import texts as texts_of
from schemas.formats.attributes import Headers, attributes_of
from schemas.formats.format import Batch
from schemas.formats.frame import COLUMNS
from schemas.formats.registry import FORMATS, Formats
from schemas.pseudonym import Key
from schemas.reason import Drop, Reason

FORMAT_COLUMN: Final = pl.Enum(list(FORMATS))
_FIRST: Final = next(iter(FORMATS))
_NOT_KNOWN = "neither a CloudEvent (specversion) nor a document of a known platform"


def decode(
    records: Sequence[bytes | None],
    headers: Sequence[Headers | None] | None,
    event_key: Key,
    *,
    only: str | None = None,
    formats: Formats = FORMATS,
) -> Decoded:
    """Records as they came from the broker to events, each by the format that it has.

    Args:
        records: values of the records; None or no bytes is a tombstone.
        headers: their headers, in parallel, None where a record has none; None where no record has any.
        event_key: the long-lived key for the ids of events whose platform gives none.
        only: name of a format by which every record is judged; else it is found out for each record.
        formats: as `formats_at` makes them, where settings say other places than the defaults.

    Returns:
        Each record's index in exactly one of `frame` (columns `COLUMNS` and `format`), `refusals` and `drops`.

    Raises:
        KeyError: there is no format of the name in `only`.
    """
    batch = _Records(records, headers, event_key, formats)
    shares = {formats[only].name: batch.places} if only else batch.sniffed()
    answer = _Answer()
    doubtful: list[int] = []
    for name, places in shares.items():
        taken = formats[name].take(batch.of(places))
        answer.add(name, taken.frame, taken.drops)
        doubtful.extend(taken.doubtful)
    answer.refuse(batch.tombstones())
    if doubtful or batch.unclaimed:
        looked_at = sorted([*doubtful, *batch.unclaimed])
        _judge(batch, answer, looked_at, only)
        return answer.decoded(slow=len(looked_at))
    return answer.decoded(slow=0)


def decode_by_the_law(
    records: Sequence[bytes | None],
    headers: Sequence[Headers | None] | None,
    event_key: Key,
    *,
    only: str | None = None,
    formats: Formats = FORMATS,
) -> Decoded:
    """The same answer from the models alone: what `decode` is tested against."""
    batch = _Records(records, headers, event_key, formats)
    answer = _Answer()
    answer.refuse(batch.tombstones())
    _judge(batch, answer, batch.places, only)
    return answer.decoded(slow=len(batch.places))


class _Records:
    """What came, and what can be said of it cheaply."""

    def __init__(
        self,
        records: Sequence[bytes | None],
        headers: Sequence[Headers | None] | None,
        event_key: Key,
        formats: Formats,
    ) -> None:
        self.formats = formats
        self.records = records
        self.texts = texts_of(records)
        self.event_key = event_key
        self.attributes = _attributes(headers)
        self.places: Sequence[int] = range(len(records))
        self.unclaimed: Sequence[int] = ()
        if not all(records):
            self.places = [place for place, record in enumerate(records) if record]

    def tombstones(self) -> Iterable[Refusal]:
        if len(self.places) < len(self.records):
            text = "a tombstone or a record of no bytes"
            empty = (place for place, record in enumerate(self.records) if not record)
            yield from (Refusal(place, Reason.EMPTY, text, UNKNOWN) for place in empty)

    def sniffed(self) -> dict[str, Sequence[int]]:
        """The places of each format's records, as far as its markers tell; the rest stays unclaimed."""
        rest: Sequence[int] = self.places
        shares: dict[str, Sequence[int]] = {}
        if self.attributes is not None:
            attributes = self.attributes
            shares[_FIRST] = [place for place in rest if attributes[place] is not None]
            rest = [place for place in rest if attributes[place] is None]
        for name, fmt in self.formats.items():
            if not rest:
                break
            texts = self.texts if len(rest) == len(self.records) else self.texts.gather(list(rest))
            marked = _any_of(texts, fmt.markers)
            if marked.all():
                mine, rest = rest, ()
            else:
                places = pl.Series(rest, dtype=pl.UInt32)
                mine, rest = places.filter(marked).to_list(), places.filter(~marked).to_list()
            shares[name] = sorted([*shares[name], *mine]) if shares.get(name) else mine
        self.unclaimed = rest
        return {name: places for name, places in shares.items() if places}

    def of(self, places: Sequence[int]) -> Batch:
        """The batch of some records, none of them empty."""
        attributes = self.attributes
        if len(places) == len(self.records):
            texts, records = self.texts, self.records
        else:
            texts, records = self.texts.gather(list(places)), [self.records[place] for place in places]
            attributes = None if attributes is None else [attributes[place] for place in places]
        return Batch(places, cast("Sequence[bytes]", records), texts, attributes, self.event_key)


class _Answer:
    """The formats' answers, put together."""

    def __init__(self) -> None:
        self._frames: list[pl.DataFrame] = []
        self._refusals: list[Refusal] = []
        self._drops: list[tuple[int, Drop]] = []

    def add(self, name: str, frame: pl.DataFrame, drops: Iterable[tuple[int, Drop]]) -> None:
        if len(frame):
            self._frames.append(frame.with_columns(pl.lit(name, FORMAT_COLUMN).alias("format")))
        self._drops.extend(drops)

    def refuse(self, refusals: Iterable[Refusal]) -> None:
        self._refusals.extend(refusals)

    def decoded(self, slow: int) -> Decoded:
        match self._frames:
            case []:
                frame = pl.DataFrame(schema={**COLUMNS, "format": FORMAT_COLUMN})
            case [only]:
                frame = only
            case several:
                frame = pl.concat(several).sort("index")
        refusals = sorted(self._refusals, key=lambda refusal: refusal.index)
        return Decoded(frame, refusals, sorted(self._drops), slow)


def _judge(batch: _Records, answer: _Answer, places: Sequence[int], only: str | None) -> None:
    """Put these records to the law of the format that each of them has."""
    shares: dict[str, list[int]] = {}
    for place in places:
        told = batch.attributes[place] if batch.attributes else None
        name = only or _claimant(batch.records[place] or b"", told, batch.formats)
        shares.setdefault(name, []).append(place)
    answer.refuse(Refusal(place, Reason.UNKNOWN_FORMAT, _NOT_KNOWN, UNKNOWN) for place in shares.pop(UNKNOWN, []))
    for name, mine in shares.items():
        judged = batch.formats[name].judge(batch.of(mine))
        answer.add(name, judged.frame, judged.drops)
        answer.refuse(judged.refusals)


def _claimant(record: bytes, attributes: Attributes | None, formats: Formats) -> str:
    """The name of the format that a record has; what is no JSON at all is the first one's to refuse."""
    if attributes is not None:
        return _FIRST
    try:
        document = from_json(record)
    except ValueError:
        return _FIRST
    return next((name for name, fmt in reversed(list(formats.items())) if fmt.claims(document)), UNKNOWN)


def _attributes(headers: Sequence[Headers | None] | None) -> list[Attributes | None] | None:
    if headers is None or not any(headers):
        return None
    told = [attributes_of(of_one) for of_one in headers]
    return told if any(one is not None for one in told) else None


def _any_of(texts: pl.Series, markers: Sequence[str]) -> pl.Series:
    contains = [pl.col("text").str.contains(marker, literal=True) for marker in markers]
    return texts.to_frame().select(pl.any_horizontal(contains).fill_null(value=False)).to_series()
