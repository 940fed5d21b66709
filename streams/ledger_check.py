"""Whether the ledger stays open: a gap that closes again soon was a shipment on its way.

A shipment is three inserts, and whoever reads the ledger between them sees offsets that came to no end yet.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from sinks.clickhouse.ledger import OffsetRange

STANDING_S = 120.0
"""What came to no end for so long is a defect."""


@dataclass(frozen=True)
class _Seen:
    """A gap, or a part of one, and since when it is known."""

    log: Hashable
    first: int
    next: int
    since_s: float


class LedgerCheck:
    """Remembers the gaps of one look until the next."""

    def __init__(self) -> None:
        self._seen: list[_Seen] = []

    def look(self, gaps: Iterable[OffsetRange], now_s: float) -> int:
        """How many offsets came to no end at every look since `STANDING_S` ago; `now_s` is of a monotonic clock."""
        self._seen = [part for gap in gaps for part in self._parts(gap, now_s)]
        return sum(part.next - part.first for part in self._seen if now_s - part.since_s >= STANDING_S)

    def _parts(self, gap: OffsetRange, now_s: float) -> list[_Seen]:
        """A gap as what was seen of it before, and the rest."""
        log = (gap.topic, gap.incarnation, gap.partition)
        at, parts = gap.first, []
        for old in sorted((one for one in self._seen if one.log == log), key=lambda one: one.first):
            first, after = max(old.first, at), min(old.next, gap.next)
            if first >= after:
                continue
            if at < first:
                parts.append(_Seen(log, at, first, now_s))
            parts.append(_Seen(log, first, after, old.since_s))
            at = after
        if at < gap.next:
            parts.append(_Seen(log, at, gap.next, now_s))
        return parts
