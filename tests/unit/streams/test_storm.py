"""Storms of rejects: seen when they are there, and not before."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from schemas.row import DEAD_LETTER_ROW
from streams.batch import Batch
from streams.storm import Storm, StormLimits, StormWatch, _runs

TOPIC = "ent.login.v1"
LIMITS = StormLimits(ratio=0.5, window=100, run=30)


def batch(first: int, count: int, partition: int = 0) -> Batch:
    return Batch(TOPIC, partition, first, first + count, [b""] * count, [None] * count, [0] * count, first)


def letters(offsets: Sequence[int], partition: int = 0) -> pl.DataFrame:
    rows = [{"topic": TOPIC, "partition": partition, "offset": offset} for offset in offsets]
    schema = {name: DEAD_LETTER_ROW[name] for name in ("topic", "partition", "offset")}
    return pl.DataFrame(rows, schema=schema)


def judge(watch: StormWatch, first: int, count: int, refused: Sequence[int], allowed: int = 0) -> list[Storm]:
    return watch.judge([batch(first, count)], letters(refused), {(TOPIC, 0): allowed})


def test_many_in_a_row_are_a_storm_even_over_several_batches() -> None:
    watch = StormWatch(LIMITS)
    assert judge(watch, 0, 50, range(30, 50)) == []
    (storm,) = judge(watch, 50, 10, range(50, 60))
    assert storm == Storm((TOPIC, 0), 50, "30 records in a row were refused")


def test_a_large_share_is_a_storm_once_there_are_enough_records() -> None:
    """Two of three refused, never many in a row: nothing is said before a hundred were seen."""
    watch = StormWatch(LIMITS)
    for first in range(0, 90, 30):
        assert judge(watch, first, 30, [n for n in range(first, first + 30) if n % 3]) == []
    (storm,) = judge(watch, 90, 30, [n for n in range(90, 120) if n % 3])
    assert storm.what == "80 of 120 records were refused"


def test_what_is_usual_is_no_storm() -> None:
    watch = StormWatch(LIMITS)
    assert not any(judge(watch, first, 50, range(first, first + 20)) for first in range(0, 5_000, 50))


def test_old_rejects_are_forgotten() -> None:
    watch = StormWatch(LIMITS)
    assert judge(watch, 0, 29, range(29)) == []
    for first in range(29, 1_029, 100):
        assert judge(watch, first, 100, [first + 50]) == []


def test_partitions_are_judged_apart_and_each_storm_once() -> None:
    watch = StormWatch(LIMITS)
    batches = [batch(0, 40), batch(0, 40, partition=1), batch(40, 40)]
    refused = pl.concat([letters(range(80)), letters([3], partition=1)])
    assert [storm.partition for storm in watch.judge(batches, refused, {})] == [(TOPIC, 0)]


def test_below_what_an_operator_allowed_nothing_is_a_storm() -> None:
    """And behind it, the count begins anew."""
    watch = StormWatch(LIMITS)
    assert judge(watch, 0, 80, range(80), allowed=80) == []
    assert judge(watch, 80, 20, range(80, 100), allowed=80) == []
    (storm,) = judge(watch, 100, 20, range(100, 120), allowed=80)
    assert storm.offset == 100


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 5))
def test_runs_are_those_of_a_plain_reading(refused: list[bool], before: int) -> None:
    longest = run = before
    for one in refused:
        run = run + 1 if one else 0
        longest = max(longest, run)
    places = [place for place, one in enumerate(refused) if one]
    assert _runs(places, len(refused), before) == (longest, run)
