"""Dead letters as an operator looks at them: chosen, counted, and marked with the event that one became."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sinks.clickhouse.client import Client


class State(StrEnum):
    """What became of a dead letter."""

    OPEN = "open"
    SENT = "sent"
    """Replayed: Kafka has it on the backfill lane."""
    MENDED = "mended"
    """Replayed, and its event is stored."""


class By(StrEnum):
    """What dead letters are counted by."""

    REASON = "reason"
    SCHOOL = "school"
    FORMAT = "format"
    TOPIC = "topic"
    DAY = "day"


class Place(NamedTuple):
    """Where a record stood."""

    topic: str
    incarnation: int
    partition: int
    offset: int

    def __str__(self) -> str:
        return "/".join(map(str, self))


@dataclass(frozen=True)
class Selection:
    """Which dead letters are meant; what is empty or None leaves nothing out."""

    reasons: Sequence[str] = ()
    schools: Sequence[str] = ()
    topics: Sequence[str] = ()
    platforms: Sequence[str] = ()
    """Names of formats, and pseudonyms of sources."""
    since: datetime | None = None
    """Arrival in Kafka, included."""
    until: datetime | None = None
    """Arrival in Kafka, not included."""
    states: Sequence[State] = ()
    place: Place | None = None
    after: Place | None = None
    """For the next page."""


@dataclass(frozen=True)
class Letter:
    """A dead letter and what became of it."""

    topic: str
    incarnation: int
    partition: int
    offset: int
    arrived_at: datetime
    reason: str
    message: str
    format: str
    school: str
    payload: str
    payload_bytes: int
    event_id: str
    state: str
    mended_by: str
    """Identity of the event that it became, in hex; empty while it is open."""
    event_time: datetime
    event_school: str
    event_type: str
    origin: str
    sent_at: datetime

    @property
    def place(self) -> Place:
        """Where the record stood."""
        return Place(self.topic, self.incarnation, self.partition, self.offset)


@dataclass(frozen=True)
class Mend:
    """A dead letter that was replayed, and the key of the event that it becomes."""

    place: Place
    event_id: bytes
    event_time: datetime
    event_school: str
    event_type: str
    origin: str
    """`kafka` or `kept`."""


_COLUMNS: Final = ", ".join(
    "if(state = 'open', '', lower(hex(mended_by)))" if field.name == "mended_by" else field.name
    for field in fields(Letter)
)
_DAY: Final = "toString(toDate(arrived_at, 'Europe/Paris'))"
_PLACE: Final = "(topic, incarnation, partition, offset)"


def read_letters(client: Client, database: str, selection: Selection, limit: int) -> list[Letter]:
    """The first `limit` of the selected dead letters, in the order of their places."""
    where, parameters = _where(selection)
    rows = client.query_rows(
        f"SELECT {_COLUMNS} FROM {database}.v_mending WHERE {where} ORDER BY {_PLACE[1:-1]} LIMIT {limit:d}", parameters
    )
    return [Letter(*row) for row in rows]


def count_letters(client: Client, database: str, selection: Selection, by: Sequence[By]) -> list[tuple[Any, ...]]:
    """Counts of the selected dead letters: what they are counted by, then open, sent and mended ones; most first."""
    where, parameters = _where(selection)
    columns = [_DAY if one is By.DAY else f"toString({one})" for one in by]
    states = ", ".join(f"countIf(state = '{state}')" for state in State)
    return client.query_rows(
        f"SELECT {', '.join([*columns, states])} FROM {database}.v_mending WHERE {where} "
        f"GROUP BY {', '.join(columns)} ORDER BY count() DESC, {', '.join(columns)}",
        parameters,
    )


def write_mends(client: Client, database: str, mends: Sequence[Mend]) -> None:
    """Mark dead letters as replayed; told again, they stay so."""
    if not mends:
        return
    parameters: dict[str, Any] = {}
    values = []
    for n, mend in enumerate(mends):
        parameters |= {f"topic{n}": mend.place.topic, f"school{n}": mend.event_school}
        values.append(
            f"({{topic{n}:String}}, {mend.place.incarnation:d}, {mend.place.partition:d}, {mend.place.offset:d}, "
            f"unhex('{mend.event_id.hex()}'), fromUnixTimestamp64Micro({_micros(mend.event_time):d}), "
            f"{{school{n}:String}}, '{mend.event_type}', '{mend.origin}', now64(3))"
        )
    columns = "topic, incarnation, partition, offset, event_id, event_time, event_school, event_type, origin, sent_at"
    client.command(f"INSERT INTO {database}.dead_letter_mends ({columns}) VALUES {', '.join(values)}", parameters)


def _micros(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def _where(selection: Selection) -> tuple[str, dict[str, Any]]:
    conditions = ["1"]
    parameters: dict[str, Any] = {}
    lists = {
        "reasons": ("reason", selection.reasons),
        "schools": ("school", selection.schools),
        "topics": ("topic", selection.topics),
        "states": ("state", [str(state) for state in selection.states]),
    }
    for name, (column, wanted) in lists.items():
        if wanted:
            conditions.append(f"{column} IN {{{name}:Array(String)}}")
            parameters[name] = list(wanted)
    if selection.platforms:
        conditions.append(
            "(format IN {platforms:Array(String)} OR JSONExtractString(payload, 'source') IN {platforms:Array(String)})"
        )
        parameters["platforms"] = list(selection.platforms)
    for operator, moment in ((">=", selection.since), ("<", selection.until)):
        if moment is not None:
            conditions.append(f"arrived_at {operator} fromUnixTimestamp64Micro({_micros(moment):d})")
    for name, operator, place in (("place", "=", selection.place), ("after", ">", selection.after)):
        if place is not None:
            literal = f"({{{name}:String}}, {place.incarnation:d}, {place.partition:d}, {place.offset:d})"
            conditions.append(f"(toString(topic), incarnation, partition, offset) {operator} {literal}")
            parameters[name] = place.topic
    return " AND ".join(conditions), parameters
