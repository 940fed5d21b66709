"""Complete through which moment: never later than what is truly in the windows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from streams.batch import Batch
from streams.frontier import Frontier

NOW = datetime(2026, 11, 17, 8, 0, tzinfo=UTC)
HERE = ("ent.login.v1", 0)


def batch(first: int, arrivals_ms: list[int]) -> Batch:
    n = len(arrivals_ms)
    return Batch("ent.login.v1", 0, first, first + n, [b"x"] * n, [None] * n, arrivals_ms, first)


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def test_without_lag_it_is_now() -> None:
    assert Frontier().complete_through(HERE, 0, NOW) == NOW


def test_with_lag_and_nothing_seen_it_is_not_known() -> None:
    assert Frontier().complete_through(HERE, 5, NOW) is None


def test_it_stands_at_the_oldest_batch_in_flight() -> None:
    frontier = Frontier()
    older, newer = NOW - timedelta(minutes=9), NOW - timedelta(minutes=1)
    frontier.begin(batch(0, [ms(older)]))
    frontier.begin(batch(1, [ms(newer)]))
    assert frontier.complete_through(HERE, 2, NOW) == older
    frontier.finish(batch(0, [ms(older)]))
    assert frontier.complete_through(HERE, 1, NOW) == newer


def test_another_workers_partition_is_forgotten() -> None:
    frontier = Frontier()
    frontier.begin(batch(0, [ms(NOW)]))
    frontier.keep_only(set())
    assert frontier.complete_through(HERE, 1, NOW) is None


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=30), st.integers(0, 30))
def test_nothing_unfinished_arrived_before_it(arrivals_s: list[int], finished: int) -> None:
    """Where arrivals ascend, whatever is not in the windows arrived at or after the answer."""
    frontier = Frontier()
    batches = [batch(n, [ms(NOW) - 20_000_000 + 1000 * at]) for n, at in enumerate(sorted(arrivals_s))]
    for one in batches:
        frontier.begin(one)
    for one in batches[:finished]:
        frontier.finish(one)
    left = batches[finished:]
    through = frontier.complete_through(HERE, len(left), NOW)
    assert through is not None
    assert all(ms(through) <= one.timestamps_ms[0] for one in left)
