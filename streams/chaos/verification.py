"""The database against the ground truth, cell by cell, and the commits against what is stored.

Nothing here stands on the ledger's own view: offsets are read from the sets that the inserts left, and windows from
their tables, and both are compared with what was produced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from sinks.base import Level
from sinks.clickhouse.client import Client
from sinks.clickhouse.store import ClickHouseStore
from sinks.clickhouse.windows import FAMILIES
from streams.chaos.offsets import Place
from streams.demo.report import compare_counts, totals

TABLES: Final = tuple(f"{family}_by_{level}" for family in FAMILIES for level in Level)
_MOST_WORDS: Final = 10
_SLICES: Final = {
    Level.MINUTE: "toStartOfMinute(event_time)",
    Level.HOUR: "toStartOfHour(event_time)",
    Level.DAY: "toDate(event_time, 'Europe/Paris')",
}


class GroundTruth(Protocol):
    """What must be there."""

    def cells(self, table: str) -> Mapping[tuple[Any, ...], tuple[Any, ...]]:
        """Dimensions -> events, events_once, recipients, distinct users."""

    def counts(self) -> Mapping[str, Any]:
        """As `streams.simulator.truth.Truth.counts`."""


@dataclass
class Findings:
    """What is not as it should be; all zero where everything is."""

    lost: int = 0
    """Offsets without an end, events that are not stored, and offsets committed before they were stored."""
    double: int = 0
    """Events stored more than once."""
    wrong_cells: int = 0
    """Cells of the six window tables that differ, and slices committed before they were counted."""
    unbalanced: int = 0
    """Lines of the ledger that do not close, and totals of it that differ from what was produced."""
    words: list[str] = field(default_factory=list)
    """The same for a person, the first few."""

    @property
    def clean(self) -> bool:
        """Whether there is nothing."""
        return not (self.lost or self.double or self.wrong_cells or self.unbalanced)

    def add(self, other: Findings) -> None:
        """Take in what was found elsewhere."""
        self.lost += other.lost
        self.double += other.double
        self.wrong_cells += other.wrong_cells
        self.unbalanced += other.unbalanced
        self.words += other.words


def find_commits_ahead(client: Client, database: str, committed: Mapping[Place, int]) -> Findings:
    """Offsets below a commit that came to no end, and slices of committed events that were not counted.

    `committed` must have been read before this is called: storage only grows.
    """
    found = Findings()
    for place, offset in committed.items():
        ended = _ended_without_gap(client, database, place)
        if offset > ended:
            found.lost += offset - ended
            found.words.append(f"{place} is committed to {offset} and stored to {ended} only")
    for level in Level:
        uncounted = _uncounted_slices(client, database, level, committed)
        if uncounted:
            found.wrong_cells += len(uncounted)
            found.words.append(f"committed and not counted by {level}: {uncounted[:_MOST_WORDS]}")
    return found


def verify(client: Client, database: str, truth: GroundTruth, ends: Mapping[Place, int]) -> Findings:
    """Everything in the database against the truth, once all was worked on; `ends` are the lengths of the logs."""
    found = Findings()
    for table in TABLES:
        _compare_cells(client, database, table, truth, found)
    for place, end in ends.items():
        without_end = end - _ended(client, database, place)
        if without_end:
            found.lost += abs(without_end)
            found.words.append(f"{place}: {without_end} of {end} offsets came to no end")
    counts = truth.counts()
    ((rows,),) = client.query_rows(f"SELECT count() FROM {database}.events FINAL")
    found.lost += max(counts["accepted"] - rows, 0)
    found.double += max(rows - counts["accepted"], 0)
    store = ClickHouseStore(client, database)
    open_lines = [line for line in store.ledger() if not line.closes]
    differences = compare_counts(totals(store, sum(ends.values())), counts)
    found.unbalanced += len(open_lines) + len(differences)
    found.words += [f"ledger: {line}" for line in open_lines] + differences
    return found


def _compare_cells(client: Client, database: str, table: str, truth: GroundTruth, found: Findings) -> None:
    expected = truth.cells(table)
    there = {tuple(row[:-4]): tuple(row[-4:]) for row in ClickHouseStore(client, database).window(table) if row[-4]}
    wrong = sorted(key for key in {*expected, *there} if expected.get(key) != there.get(key))
    found.wrong_cells += len(wrong)
    found.words += [
        f"{table} {key} is {there.get(key)} and should be {expected.get(key)}" for key in wrong[:_MOST_WORDS]
    ]


def _ended(client: Client, database: str, place: Place) -> int:
    """How many offsets of a partition came to an end."""
    return sum(len(offsets) for _, offsets in _blocks(client, database, place))


def _ended_without_gap(client: Client, database: str, place: Place) -> int:
    """The first offset of a partition that came to no end."""
    known = {(block << 16) + low for block, offsets in _blocks(client, database, place) for low in offsets}
    first = 0
    while first in known:
        first += 1
    return first


def _blocks(client: Client, database: str, place: Place) -> list[tuple[Any, ...]]:
    topic, partition = place
    return client.query_rows(
        f"SELECT block, bitmapToArray(groupBitmapMergeState(offsets)) FROM {database}.positions "
        "WHERE topic = {topic:String} AND partition = {partition:UInt16} GROUP BY block",
        {"topic": topic, "partition": partition},
    )


def _uncounted_slices(
    client: Client, database: str, level: Level, committed: Mapping[Place, int]
) -> list[tuple[Any, ...]]:
    """Slices with more committed events than their windows count. An event that was sent twice is looked at where its
    stored row lies, so that one may be missed, but none is invented."""
    places = [f"{topic}/{partition}" for topic, partition in committed]
    return client.query_rows(
        f"SELECT at, stored, counted FROM (SELECT {_SLICES[level]} AS at, count() AS stored "
        f"FROM {database}.events FINAL "
        "WHERE offset < transform(concat(toString(topic), '/', toString(partition)), {places:Array(String)}, "
        "{offsets:Array(UInt64)}, toUInt64(0)) GROUP BY at) AS e "
        f"LEFT JOIN (SELECT slice AS at, sum(events_once) AS counted FROM {database}.v_usage_by_{level} GROUP BY at) "
        "AS w USING (at) WHERE counted < stored ORDER BY at",
        {"places": places, "offsets": list(committed.values())},
    )
