"""The two rules, without a broker."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.transport.positions import Partition, Verdict


@given(st.lists(st.integers(1, 50), min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_the_watermark_is_the_end_of_the_acknowledged_beginning(sizes: list[int], chance: object) -> None:
    """Commit rule: after each acknowledgement, in any order, exactly the unbroken beginning is committable."""
    partition = Partition(expected=100, watermark=100, committed=100)
    ends = [100 + sum(sizes[: i + 1]) for i in range(len(sizes))]
    deliveries = [partition.deliver(end - size, end) for end, size in zip(ends, sizes, strict=True)]
    order = list(range(len(sizes)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    done: set[int] = set()
    for i in order:
        deliveries[i].done = True
        done.add(i)
        first_open = next((j for j in range(len(sizes)) if j not in done), len(sizes))
        assert partition.acknowledged() == (ends[first_open - 1] if first_open else 100)
    assert partition.acknowledged() == ends[-1]


def test_nothing_is_committed_before_the_first_acknowledgement_but_the_beginning() -> None:
    """A group that has committed nothing may commit where its first batch begins, and no further."""
    partition = Partition()
    assert partition.acknowledged() is None
    delivery = partition.deliver(40, 60)
    assert partition.acknowledged() == 40
    delivery.done = True
    assert partition.acknowledged() == 60


def test_a_refused_commit_stays_committable_until_the_broker_takes_it() -> None:
    partition = Partition(expected=0, committed=10)
    assert not partition.committable(10)
    assert partition.committable(30)
    assert partition.committable(30)
    partition.confirm(30)
    assert not partition.committable(30)
    partition.confirm(20)
    assert partition.committed == 30


@pytest.mark.parametrize(
    ("base", "log_end", "verdict"),
    [
        (100, 500, Verdict.CONTINUES),
        (101, 500, Verdict.AHEAD),
        (99, 500, Verdict.BEHIND),
        (99, None, Verdict.BEHIND),
        (0, 99, Verdict.RESTARTED),
        (0, 100, Verdict.BEHIND),
    ],
)
def test_the_position_rule(base: int, log_end: int | None, verdict: Verdict) -> None:
    """A batch continues at the expected offset, 100, only."""
    assert Partition(expected=100).judge(base, log_end) is verdict


def test_any_beginning_is_right_while_nothing_is_expected() -> None:
    assert Partition().judge(77, 500) is Verdict.CONTINUES


def test_a_jump_ahead_is_accepted_only_after_a_seek_back_from_the_same_offset() -> None:
    partition = Partition(expected=100, sought=90)
    assert partition.judge(150, 500) is Verdict.AHEAD
    partition.sought = 100
    assert partition.judge(150, 500) is Verdict.EXPIRED


def test_what_is_given_back_is_never_committed_and_read_again() -> None:
    """What came before it goes on as ever; nobody waits for what was given back."""
    partition = Partition(expected=0, watermark=0, committed=0)
    first, second, third = (partition.deliver(base, base + 10) for base in (0, 10, 20))
    assert partition.give_back(10) == 10
    assert (first.done, second.done, third.done) == (False, True, True)
    assert partition.acknowledged() == 0
    first.done = True
    assert partition.acknowledged() == 10
    assert partition.judge(10, 30) is Verdict.CONTINUES
    assert partition.give_back(0) == 10  # a batch that was queued meanwhile does not lead back behind what is done
