"""A batch accounts for every offset it covers, cut or not."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.batch import Batch, offsets_or_none


def batch(base: int, offsets: list[int], next_offset: int, **columns: Any) -> Batch:
    """A batch with these records; their values are their offsets."""
    return Batch(
        topic="t",
        partition=0,
        base=base,
        next_offset=next_offset,
        values=[b"%d" % offset for offset in offsets],
        keys=[b"k%d" % offset for offset in offsets],
        timestamps_ms=[1000 + offset for offset in offsets],
        first=offsets[0] if offsets else next_offset,
        offsets=offsets_or_none(offsets),
        headers=[(("h", b"%d" % offset),) for offset in offsets],
        **columns,
    )


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """Any batch over at most forty offsets, with any of them missing."""
    base = draw(st.integers(0, 2**40))
    end = base + draw(st.integers(1, 40))
    return batch(base, sorted(draw(st.sets(st.integers(base, end - 1)))), end)


def offsets_of(one: Batch) -> list[int]:
    return one.offset_column().to_list()


def in_holes(one: Batch) -> list[int]:
    return [offset for start, end in one.holes() for offset in range(start, end)]


@given(batches())
def test_records_and_holes_are_every_offset_once(one: Batch) -> None:
    assert sorted(offsets_of(one) + in_holes(one)) == list(range(one.base, one.next_offset))


@given(batches(), st.integers(-5, 45))
def test_a_cut_leaves_exactly_what_lies_behind_it(one: Batch, distance: int) -> None:
    """Every column is cut at the same record, and holes before the cut are gone too."""
    offset = min(one.base + distance, one.next_offset)
    begin = max(offset, one.base)
    kept = [each for each in offsets_of(one) if each >= begin]
    holes = [each for each in in_holes(one) if each >= begin]
    one.cut_before(offset)
    assert one.base == begin
    assert offsets_of(one) == kept
    assert in_holes(one) == holes
    assert one.values == [b"%d" % each for each in kept]
    assert one.keys == [b"k%d" % each for each in kept]
    assert one.timestamps_ms == [1000 + each for each in kept]
    assert one.headers == [(("h", b"%d" % each),) for each in kept]
    assert one.first == (kept[0] if kept else one.next_offset)
    assert len(one) == len(kept)


def test_a_cut_behind_the_end_is_refused() -> None:
    with pytest.raises(ValueError, match="behind the end"):
        batch(0, [0, 1], 2).cut_before(3)


def test_offsets_are_left_out_only_where_nothing_is_missing() -> None:
    assert offsets_or_none([]) is None
    assert offsets_or_none([7, 8, 9]) is None
    assert offsets_or_none([7, 9]) == [7, 9]


@pytest.mark.parametrize("offsets", [[], [3, 4, 5], [3, 5, 9]])
def test_the_offset_column_has_a_fixed_type_and_name(offsets: list[int]) -> None:
    column = batch(3, offsets, 10).offset_column()
    assert column.name == "offset"
    assert column.dtype == pl.UInt64
    assert column.to_list() == offsets


def test_what_a_log_would_show_of_a_batch_holds_no_record() -> None:
    """Frameworks log what they hold; records and keys are personal data."""
    one = batch(0, [0, 1, 5], 9, expired=(0, 0))
    assert "b'" not in repr(one)
    assert "base=0, next_offset=9" in repr(one)
