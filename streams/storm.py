"""Storms of rejects: when a partition sends little but what is refused, somebody must look before all of it is. Pure.

What is refused becomes a dead letter, so a platform that changed its format would pour its whole topic among them. A
partition is paused instead when too large a share of its recent records is refused, or too many in a row.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import polars as pl

from streams.batch import Batch

Partition: TypeAlias = tuple[str, int]


@dataclass(frozen=True)
class StormLimits:
    """What is a storm."""

    ratio: float
    """Share of refused records."""
    window: int
    """Records, at least, over which the share is taken."""
    run: int
    """Refused records in a row."""


@dataclass(frozen=True)
class Storm:
    """A batch with which a partition's storm was seen, and what was seen."""

    partition: Partition
    offset: int
    """Where the batch begins: nothing from here on is worked on."""
    what: str


@dataclass
class _Recent:
    """What a partition has sent lately."""

    batches: deque[tuple[int, int]] = field(default_factory=deque)
    """Records and refused ones of each batch, as many as make up the window."""
    run: int = 0
    """Refused records in a row, up to now."""


class StormWatch:
    """Follows the rejects of partitions."""

    def __init__(self, limits: StormLimits) -> None:
        self._limits = limits
        self._recent: defaultdict[Partition, _Recent] = defaultdict(_Recent)

    def forget(self, partition: Partition) -> None:
        """Begin anew with a partition."""
        self._recent.pop(partition, None)

    def judge(self, batches: Sequence[Batch], letters: pl.DataFrame, allowed: Mapping[Partition, int]) -> list[Storm]:
        """The storms in some batches, whose refused records are `letters`; one at most for each partition.

        `allowed` says below which offset a partition may send what it likes. What is seen of a batch with a storm, and
        of those behind it, is forgotten: it will be read again.
        """
        storms: dict[Partition, Storm] = {}
        if not len(letters) and not self._recent:
            return []
        refused: defaultdict[Partition, list[int]] = defaultdict(list)
        for topic, number, offset in letters.select("topic", "partition", "offset").sort("offset").iter_rows():
            refused[topic, number].append(offset)
        for batch in batches:
            partition = (batch.topic, batch.partition)
            if partition in storms:
                continue
            if batch.next_offset <= allowed.get(partition, 0):
                self.forget(partition)
                continue
            mine = [offset for offset in refused[partition] if batch.base <= offset < batch.next_offset]
            what = self._note(partition, batch, mine)
            if what:
                storms[partition] = Storm(partition, batch.base, what)
                self.forget(partition)
        return list(storms.values())

    def _note(self, partition: Partition, batch: Batch, refused: Sequence[int]) -> str | None:
        limits, recent = self._limits, self._recent[partition]
        longest, recent.run = _runs([batch.index_of(offset) for offset in refused], len(batch), recent.run)
        recent.batches.append((len(batch), len(refused)))
        records = sum(count for count, _ in recent.batches)
        while records - recent.batches[0][0] >= limits.window:
            records -= recent.batches.popleft()[0]
        rejects = sum(count for _, count in recent.batches)
        if longest >= limits.run:
            return f"{longest} records in a row were refused"
        if records >= limits.window and rejects > limits.ratio * records:
            return f"{rejects} of {records} records were refused"
        if not rejects:
            self.forget(partition)
        return None


def _runs(refused: Iterable[int], count: int, before: int) -> tuple[int, int]:
    """The longest run of refused records and the last one, of `count` records; `refused` are their places in order.

    `before` is the run that the records begin with.
    """
    longest = run = before
    last = -1
    for place in refused:
        run = run + 1 if place == last + 1 else 1
        longest, last = max(longest, run), place
    if last != count - 1:
        run = 0
    return longest, run
