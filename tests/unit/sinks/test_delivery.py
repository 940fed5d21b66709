"""Delivery: wait while the store is away, put aside what it refuses."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sinks.base import RowsRefused, Shipment, StoreMisconfigured, StoreUnavailable
from sinks.delivery import Patience, Waiting, deliver
from sinks.memory import MemoryStore
from tests.rows import event, shipment


class Clock:
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.pauses: list[float] = []

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now_s += seconds


class Picky(MemoryStore):
    """A store with a fault: `fault` may raise before anything is kept."""

    def __init__(self, fault: Callable[[Shipment], None]) -> None:
        super().__init__()
        self.fault = fault
        self.calls = 0

    def insert(self, shipment: Shipment) -> None:
        self.calls += 1
        self.fault(shipment)
        super().insert(shipment)


def waiting(clock: Clock, total_s: float = 60.0) -> Waiting:
    return Waiting(Patience(total_s=total_s, first_pause_s=1.0, longest_pause_s=8.0), lambda: clock.now_s, clock.pause)


def test_a_store_that_comes_back_gets_everything() -> None:
    clock, away = Clock(), [StoreUnavailable("away")] * 5

    def fault(_: Shipment) -> None:
        if away:
            raise away.pop()

    store = Picky(fault)
    sent = shipment([event(1, 0)], rejected=[1])
    assert deliver(store, sent, waiting(clock)) is sent
    assert clock.pauses == [1.0, 2.0, 4.0, 8.0, 8.0]


def test_patience_ends_with_the_stores_own_error() -> None:
    def fault(_: Shipment) -> None:
        raise StoreUnavailable("away")

    clock = Clock()
    with pytest.raises(StoreUnavailable):
        deliver(Picky(fault), shipment([event(1, 0)]), waiting(clock, total_s=20))
    assert clock.now_s <= 20


def test_what_an_operator_must_mend_is_not_waited_for() -> None:
    def fault(_: Shipment) -> None:
        raise StoreMisconfigured("run `ent migrate`")

    clock = Clock()
    with pytest.raises(StoreMisconfigured):
        deliver(Picky(fault), shipment([event(1, 0)]), waiting(clock))
    assert clock.pauses == []


@pytest.mark.parametrize("bad", [[0], [7], [0, 99], list(range(5)), list(range(100))])
def test_one_bad_row_costs_one_row(bad: list[int]) -> None:
    def fault(s: Shipment) -> None:
        if set(bad) & set(s.events["offset"]):
            raise RowsRefused("a value does not fit its column")

    store = Picky(fault)
    store.open_logs([])
    sent = shipment([event(n, n) for n in range(100)], rejected=[100], dropped=[(101, 103)])
    kept = deliver(store, sent, waiting(Clock()))
    assert sorted(kept.events["offset"]) == [n for n in range(100) if n not in bad]
    letters = dict(kept.dead_letters.select("offset", "reason").iter_rows())
    assert letters == dict.fromkeys(bad, "refused_by_database") | {100: "bad_json"}
    assert kept.dropped.equals(sent.dropped)


def test_rows_that_are_no_events_are_not_put_aside() -> None:
    def fault(_: Shipment) -> None:
        raise RowsRefused("no")

    with pytest.raises(RowsRefused):
        deliver(Picky(fault), shipment(rejected=[1]), waiting(Clock()))
