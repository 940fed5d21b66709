"""Only what stays open is an alarm."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sinks.clickhouse.ledger import OffsetRange
from streams.ledger_check import STANDING_S, LedgerCheck

LOOK_S = 60.0


def gap(first: int, after: int, partition: int = 0) -> OffsetRange:
    return OffsetRange("ent.login.v1", 1, partition, first, after, "no end")


def test_a_shipment_between_its_inserts_is_no_alarm() -> None:
    """Under load every look meets one, and each time it is another."""
    check = LedgerCheck()
    for look in range(20):
        assert check.look([gap(look * 100, look * 100 + 50)], look * LOOK_S) == 0


def test_what_stays_open_for_two_minutes_is() -> None:
    check = LedgerCheck()
    assert check.look([gap(10, 20)], 0.0) == 0
    assert check.look([gap(5, 20), gap(5, 20, partition=1)], STANDING_S - 1) == 0
    assert check.look([gap(5, 15), gap(16, 30)], STANDING_S) == 5 + 4
    assert check.look([], STANDING_S + 1) == 0
    assert check.look([gap(10, 20)], STANDING_S + 2) == 0


@given(st.lists(st.sets(st.integers(0, 30)), min_size=1, max_size=6))
def test_it_counts_offsets_as_if_each_had_a_clock_of_its_own(looks: list[set[int]]) -> None:
    check, since = LedgerCheck(), dict[int, float]()
    for number, absent in enumerate(looks):
        now_s = number * LOOK_S
        since = {offset: since.get(offset, now_s) for offset in absent}
        standing = sum(now_s - at >= STANDING_S for at in since.values())
        edges = sorted(absent)
        starts = [offset for offset in edges if offset - 1 not in absent]
        ends = [offset + 1 for offset in edges if offset + 1 not in absent]
        assert check.look([gap(*ends_at) for ends_at in zip(starts, ends, strict=True)], now_s) == standing
