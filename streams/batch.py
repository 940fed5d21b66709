"""A batch: all records that one fetch returned for one partition, as columns.

Everything below the transport works on batches: the columns go to the decoder, the offsets to the ledger. A batch
covers every offset from `base`, where its fetch began, to `next_offset`, what may be committed once it is done. Offsets
in between without a record are holes and are listed by `holes`, so that records and holes add up to what was consumed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

import polars as pl

Headers: TypeAlias = tuple[tuple[str, bytes | None], ...]
OffsetRange: TypeAlias = tuple[int, int]
"""Half open: the first offset inside, the first one after."""


@dataclass(slots=True)
class Batch:
    """The records of one fetch of one partition; all columns are as long as `values`, and a batch may be empty.

    An empty batch covers holes only: a compacted stretch, transaction markers, aborted transactions.
    """

    topic: str
    partition: int
    base: int
    """Where the fetch began: the end of the batch before it, except after `expired`."""
    next_offset: int
    """What to commit once the batch is done: one more than the last offset that it covers."""
    values: list[bytes | None] = field(repr=False)
    """None is a tombstone."""
    keys: list[bytes | None] = field(repr=False)
    timestamps_ms: list[int] = field(repr=False)
    """Kafka's own, in milliseconds since 1970 UTC: when a record was produced or appended, as the topic is set."""
    first: int
    """Offset of the first record; `next_offset` where there is none."""
    offsets: list[int] | None = field(default=None, repr=False)
    """Offset of each record; None when they are consecutive from `first`."""
    headers: list[Headers] | None = field(default=None, repr=False)
    """Headers of each record; None when no record has any."""
    expired: OffsetRange | None = None
    """Offsets that retention removed before they were read; they end at `base`."""
    written_ms: int = 0
    """Kafka's own time of the last producer batch, in milliseconds since 1970 UTC, also where it holds no record for us
    (a marker, an aborted transaction); 0 where the log does not say."""

    def __len__(self) -> int:
        return len(self.values)

    def cut_before(self, offset: int) -> None:
        """Forget every record below `offset` (delivered already); afterwards the batch begins there.

        An offset at or below `base` changes nothing; one above `next_offset` is a mistake of the caller.
        """
        if offset > self.next_offset:
            raise ValueError(f"cut at {offset} behind the end of the batch, {self.next_offset}")
        if offset <= self.base:
            return
        below = self.index_of(offset)
        self.values = self.values[below:]
        self.keys = self.keys[below:]
        self.timestamps_ms = self.timestamps_ms[below:]
        if self.headers is not None:
            self.headers = self.headers[below:]
        if self.offsets is not None:
            self.offsets = self.offsets[below:]
            self.first = self.offsets[0] if self.offsets else self.next_offset
        else:
            self.first = self.first + below if self.values else self.next_offset
        self.base = offset

    def holes(self) -> list[OffsetRange]:
        """The ranges from `base` to `next_offset` without a record, in order; `expired` is not among them."""
        edges: Iterable[OffsetRange]
        if self.offsets is None:
            edges = ((self.base, self.first), (self.first + len(self.values), self.next_offset))
        else:
            known = pairwise((self.base - 1, *self.offsets, self.next_offset))
            edges = ((before + 1, after) for before, after in known)
        return [(start, end) for start, end in edges if start < end]

    def offset_column(self) -> pl.Series:
        """The offset of each record: a UInt64 column named `offset`."""
        if self.offsets is None:
            return pl.int_range(self.first, self.first + len(self.values), dtype=pl.UInt64, eager=True).alias("offset")
        return pl.Series("offset", self.offsets, dtype=pl.UInt64)

    def index_of(self, offset: int) -> int:
        """How many records lie below `offset`."""
        if self.offsets is not None:
            return bisect_left(self.offsets, offset)
        return min(max(offset - self.first, 0), len(self.values))


def offsets_or_none(offsets: Sequence[int]) -> list[int] | None:
    """The column `offsets` of a batch: None where the ascending `offsets` leave nothing out."""
    dense = not offsets or offsets[-1] - offsets[0] + 1 == len(offsets)
    return None if dense else list(offsets)
