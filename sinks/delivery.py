"""Delivery of a shipment to a store: wait while the store is away, put aside the rows that it refuses.

The batch stays in our hands meanwhile, so waiting is the back-pressure. When patience ends, the error goes up and the
worker stops: nothing was acknowledged, so nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import polars as pl

from schemas.reason import Reason
from schemas.row import DEAD_LETTER_ROW
from sinks.base import RowsRefused, Shipment, Store, StoreUnavailable, together

_T = TypeVar("_T")


@dataclass(frozen=True)
class Patience:
    """How long a store may be away, and how often it is asked."""

    total_s: float = 1800.0
    first_pause_s: float = 0.1
    longest_pause_s: float = 5.0


class Waiting:
    """Repeats a call of a store until it is answered; the clock and the pause are passed in."""

    def __init__(
        self,
        patience: Patience,
        monotonic_s: Callable[[], float],
        pause: Callable[[float], None],
        on_unavailable: Callable[[StoreUnavailable], None] = lambda _: None,
    ) -> None:
        self._patience = patience
        self._monotonic_s = monotonic_s
        self._pause = pause
        self._on_unavailable = on_unavailable

    def until_answered(self, call: Callable[[], _T]) -> _T:
        """The call's answer; raises its StoreUnavailable once patience ends, any other error at once."""
        end_s = self._monotonic_s() + self._patience.total_s
        pause_s = self._patience.first_pause_s
        while True:
            try:
                return call()
            except StoreUnavailable as unavailable:
                self._on_unavailable(unavailable)
                if self._monotonic_s() + pause_s > end_s:
                    raise
            self._pause(pause_s)
            pause_s = min(pause_s * 2, self._patience.longest_pause_s)


def deliver(store: Store, shipment: Shipment, waiting: Waiting) -> Shipment:
    """Store the whole shipment and say what was stored: rows that the database refuses have become dead letters.

    A refused shipment is halved until the row that does it stands alone, so one bad row costs one row.
    """
    try:
        waiting.until_answered(lambda: store.insert(shipment))
    except RowsRefused as refused:
        events = shipment.events
        if not len(events):
            raise
        if len(events) == 1:
            return deliver(store, _put_aside(shipment, str(refused)), waiting)
        half = len(events) // 2
        first = deliver(store, Shipment(events=events[:half]), waiting)
        rest = deliver(store, Shipment(events[half:], shipment.dead_letters, shipment.dropped), waiting)
        return together([first, rest])
    return shipment


def _put_aside(shipment: Shipment, message: str) -> Shipment:
    """The same shipment with its one event as a dead letter."""
    event = shipment.events
    letter = event.select(
        "topic",
        "incarnation",
        "partition",
        "offset",
        "arrived_at",
        pl.lit(Reason.REFUSED_BY_DATABASE.value).alias("reason"),
        pl.lit(message).alias("message"),
        "format",
        "school",
        pl.lit("{}").alias("payload"),
        pl.lit(0).alias("payload_bytes"),
        pl.lit("").alias("payload_sha256"),
        pl.col("event_id").bin.encode("hex"),
    ).select(pl.col(name).cast(dtype) for name, dtype in DEAD_LETTER_ROW.items())
    return Shipment(event.clear(), pl.concat([shipment.dead_letters, letter]), shipment.dropped)
