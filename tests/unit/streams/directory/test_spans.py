"""Spans of days: an overlap is told for exactly the lines that are on the same days as another of their key."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.directory.spans import Spans

START = date(2026, 1, 1)
spans = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 12), st.integers(1, 6)), max_size=7)


@settings(deadline=None)
@given(spans)
def test_overlaps_are_found_where_two_lines_hold_on_one_day(given_spans: list[tuple[str, int, int]]) -> None:
    """There is an overlap exactly where a plain look at all pairs finds one, and what is told is true."""
    found = Spans()
    days: list[tuple[str, set[int]]] = []
    for line, (key, first, length) in enumerate(given_spans):
        found.add(key, START + timedelta(days=first), START + timedelta(days=first + length), line)
        days.append((key, set(range(first, first + length))))
    told = list(found.overlaps())
    pairs = {
        (a[0], later, earlier)
        for later, a in enumerate(days)
        for earlier, b in enumerate(days[:later])
        if a[0] == b[0] and a[1] & b[1]
    }
    assert set(told) <= pairs
    assert bool(told) == bool(pairs)
    assert {key for key, _, _ in told} == {key for key, _, _ in pairs}


def test_a_line_may_say_the_same_twice() -> None:
    """A class whose id is also one of its names does not stand in its own way."""
    twice = Spans()
    for _ in range(2):
        twice.add("a", START, START + timedelta(days=1), 2)
    assert list(twice.overlaps()) == []
