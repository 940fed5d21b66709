"""The two rules, without Kafka: what of a partition was delivered, acknowledged and committed, and what comes next.

Commit rule: a batch's end may be committed only when it and every batch delivered before it in its partition and
generation has been acknowledged: first in, first out, no arithmetic with offsets.

Position rule: a batch says where its fetch began and is delivered only if that is the end of the one before it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum


class Delivery:
    """One batch on its way to the agent: acknowledged or not yet."""

    __slots__ = ("done", "next_offset")

    def __init__(self, next_offset: int) -> None:
        self.next_offset = next_offset
        self.done = False


class Verdict(Enum):
    """What the position rule says of a fetched batch."""

    CONTINUES = "it begins where the one before it ended"
    AHEAD = "the position ran ahead: seek back once"
    EXPIRED = "after the seek back the broker skipped again: what lay between is gone"
    RESTARTED = "the log is shorter than what was read of it: it began again"
    BEHIND = "it begins below what was delivered already"


@dataclass(slots=True)
class TransportCounts:
    """What the position rule met since the worker started."""

    records_expired: int = 0
    """Offsets that retention removed before they were read."""
    seeks_back: int = 0
    """How often a position ran ahead and was put right."""
    truncations: int = 0
    """How often a log began again: a recreated topic, an unclean election."""


@dataclass(frozen=True, slots=True)
class PartitionPosition:
    """How far one assigned partition is; each is the offset after the last one, None where nothing is known yet."""

    delivered: int | None
    """Handed to the agent."""
    acknowledged: int | None
    """Everything below was acknowledged by the agents."""
    committed: int | None
    """Accepted by the broker."""
    log_end: int | None
    """The end of the log as the last fetch saw it."""


@dataclass(slots=True)
class Partition:
    """The state of one partition from an assignment to its end."""

    deliveries: deque[Delivery] = field(default_factory=deque)
    expected: int | None = None
    """Where the next batch must begin; None before the first one of a group that has committed nothing."""
    watermark: int | None = None
    """Everything below is acknowledged, or lies before the beginning."""
    committed: int | None = None
    """The last offset that the broker accepted."""
    sought: int | None = None
    """The expected offset for which a seek back was tried."""
    arrived_ms: int | None = None
    """When the last record that was delivered came into Kafka, milliseconds since 1970 UTC."""
    delivered_ms: int = 0
    """When that was, on our clock."""

    def judge(self, base: int, log_end: int | None) -> Verdict:
        """Apply the position rule to a batch whose fetch began at `base`, in a log that ends at `log_end`."""
        expected = self.expected
        if expected is None or base == expected:
            return Verdict.CONTINUES
        if base > expected:
            return Verdict.EXPIRED if self.sought == expected else Verdict.AHEAD
        if log_end is not None and log_end < expected:
            return Verdict.RESTARTED
        return Verdict.BEHIND

    def deliver(self, base: int, next_offset: int) -> Delivery:
        """Enter the batch from `base` to `next_offset` as the last one delivered."""
        if self.watermark is None:
            self.watermark = base
        delivery = Delivery(next_offset)
        self.deliveries.append(delivery)
        self.expected = next_offset
        return delivery

    def give_back(self, offset: int) -> int:
        """Forget the deliveries that end after `offset`, as if they were done; where the next one must begin."""
        while self.deliveries and self.deliveries[-1].next_offset > offset:
            self.deliveries.pop().done = True  # so that nobody waits for it; its end is never committed
        ends = [delivery.next_offset for delivery in self.deliveries]
        self.expected = max(offset, ends[-1] if ends else self.acknowledged() or 0)
        self.sought = None
        return self.expected

    def acknowledged(self) -> int | None:
        """Raise the watermark over everything acknowledged without a gap, and return it."""
        while self.deliveries and self.deliveries[0].done:
            self.watermark = self.deliveries.popleft().next_offset
        return self.watermark

    def committable(self, offset: int) -> bool:
        """Whether the broker has not accepted `offset` yet; a refused commit stays committable."""
        return self.committed is None or offset > self.committed

    def confirm(self, offset: int) -> None:
        """The broker accepted `offset`."""
        if self.committable(offset):
            self.committed = offset
