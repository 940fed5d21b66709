"""What would become of dead letters now: each original, or what was kept of it, goes down the record's own path."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.dead_letter import why_payload_does_not_serve
from schemas.formats import Headers
from schemas.keyring import PseudonymsByTime
from sinks.clickhouse.dead_letters import Letter, Mend, Place
from streams.batch import Batch
from streams.mending.originals import Original
from streams.pipeline import GIVEN_ID, Work
from streams.topics import BACKFILL


@dataclass(frozen=True)
class Source:
    """What is there to replay a dead letter from."""

    letter: Letter
    value: bytes | None
    headers: Headers
    origin: str
    """`kafka` or `kept`."""


@dataclass(frozen=True)
class Verdict:
    """What becomes of a dead letter that is replayed now."""

    letter: Letter
    source: Source | None
    mend: Mend | None
    """The event that it becomes; None where it becomes none."""
    why_not: str
    """A reason of the closed lists, or `gone`; empty where it is accepted."""
    message: str

    @property
    def accepted(self) -> bool:
        """Whether it becomes an event."""
        return self.mend is not None


def judge(
    letters: Sequence[Letter],
    originals: Mapping[Place, Original],
    pseudonyms: PseudonymsByTime,
    process: Callable[[list[Batch]], Work],
    now: datetime,
) -> Iterator[Verdict]:
    """One verdict for each letter, in their order; `process` is the record's path, `now` the arrival of a replay."""
    sources: list[Source] = []
    gone: dict[Place, str] = {}
    for letter in letters:
        found = _source(letter, originals.get(letter.place), pseudonyms)
        if isinstance(found, Source):
            sources.append(found)
        else:
            gone[letter.place] = found
    verdicts = {one.letter.place: one for one in _process(sources, process, now)} if sources else {}
    for letter in letters:
        if letter.place in gone:
            yield Verdict(letter, None, None, "gone", gone[letter.place])
        else:
            yield verdicts[letter.place]


def _source(letter: Letter, original: Original | None, pseudonyms: PseudonymsByTime) -> Source | str:
    """Where to replay from, or why there is nothing."""
    if original is not None:
        if len(original.value or b"") != letter.payload_bytes:
            return "Kafka has another record at this offset: the log was changed behind the ledger's back"
        return Source(letter, original.value, original.headers, "kafka")
    why_not = why_payload_does_not_serve(
        letter.payload, letter.format, letter.event_id, pseudonyms.of(letter.arrived_at)
    )
    if why_not:
        return f"Kafka no longer has the record, and what was kept does not serve: {why_not}"
    return Source(letter, letter.payload.encode(), ((GIVEN_ID, letter.event_id.encode()),), "kept")


def _process(sources: list[Source], process: Callable[[list[Batch]], Work], now: datetime) -> Iterator[Verdict]:
    """The verdicts of what can be replayed; as a batch that arrives now, in which a source's place is its offset."""
    count = len(sources)
    headers = [tuple(source.headers) for source in sources]
    stamps = [int(now.timestamp() * 1000)] * count
    batch = Batch(BACKFILL, 0, 0, count, [s.value for s in sources], [None] * count, stamps, 0, None, headers)
    shipment = process([batch]).shipment
    for row in shipment.events.iter_rows(named=True):
        source = sources[row["offset"]]
        event = (row["event_id"], row["event_time"], row["school"], row["type"])
        yield Verdict(source.letter, source, Mend(source.letter.place, *event, source.origin), "", "")
    for row in shipment.dead_letters.iter_rows(named=True):
        source = sources[row["offset"]]
        yield Verdict(source.letter, source, None, row["reason"], row["message"])
    for row in shipment.dropped.iter_rows(named=True):
        for offset in range(row["first"], row["next"]):
            yield Verdict(sources[offset].letter, sources[offset], None, row["reason"], "it would be dropped")
