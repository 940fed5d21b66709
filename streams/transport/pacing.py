"""Partitions of a backlog, side by side in time, without Kafka.

A fetch brings as many bytes of a quiet topic as of a busy one, which are many more hours. So in a backlog the quiet
topics run ahead, and whoever counts by time counts nearly everything twice: what the quiet ones brought, and later the
same minutes again. A partition that is ahead of the others therefore waits for them.

Nobody waits who reads what came in lately, and nobody waits for a partition that stands still, so one that is stuck, or
one into which somebody pours old records, holds up no others that are up to date.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

_Key = TypeVar("_Key", bound=Hashable)

LEAD_MS = 600_000
"""How far a partition may be ahead of the slowest, and how old what it reads must be before it waits."""
STANDSTILL_MS = 30_000
"""Nobody waits longer for a partition that brings nothing."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far one partition was read."""

    arrived_ms: int
    """When the last record that was delivered came into Kafka, milliseconds since 1970 UTC, as Kafka says."""
    delivered_ms: int
    """When it was delivered, on the clock of the one who asks."""
    lag: int
    """Records that are left to read."""


def ahead(reaches: Mapping[_Key, Reach], now_ms: int) -> set[_Key]:
    """The partitions that wait, at `now_ms` (since 1970 UTC)."""
    moving = [
        reach.arrived_ms for reach in reaches.values() if reach.lag > 0 and now_ms - reach.delivered_ms < STANDSTILL_MS
    ]
    if not moving:
        return set()
    first_ms, last_ms = min(moving) + LEAD_MS, now_ms - LEAD_MS
    return {key for key, reach in reaches.items() if reach.lag > 0 and first_ms < reach.arrived_ms <= last_ms}
