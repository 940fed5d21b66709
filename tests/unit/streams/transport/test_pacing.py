"""Which partitions of a backlog wait for the others, without a broker."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.transport.pacing import LEAD_MS, STANDSTILL_MS, Reach, ahead

NOW_MS = 1_800_000_000_000
HOUR_MS = 3_600_000

reaches = st.builds(
    Reach,
    arrived_ms=st.integers(NOW_MS - 24 * HOUR_MS, NOW_MS),
    delivered_ms=st.integers(NOW_MS - 2 * STANDSTILL_MS, NOW_MS),
    lag=st.integers(0, 3),
)


def behind(hours: float, lag: int = 1000, stood_ms: int = 0) -> Reach:
    """What was read came in `hours` ago."""
    return Reach(NOW_MS - int(hours * HOUR_MS), NOW_MS - stood_ms, lag)


def test_a_quiet_topic_waits_for_the_busy_one() -> None:
    assert ahead({"busy": behind(8), "quiet": behind(6), "beside": behind(7.9)}, NOW_MS) == {"quiet"}


def test_nobody_waits_for_a_partition_that_stands_still() -> None:
    assert ahead({"stuck": behind(8, stood_ms=STANDSTILL_MS), "other": behind(6)}, NOW_MS) == set()


def test_nobody_waits_for_a_partition_that_was_read_to_its_end() -> None:
    assert ahead({"ended": behind(8, lag=0), "other": behind(6)}, NOW_MS) == set()


def test_who_is_up_to_date_does_not_wait_while_somebody_pours_in_old_records() -> None:
    assert ahead({"old": behind(1000), "live": behind(0.1)}, NOW_MS) == set()


@given(st.dictionaries(st.integers(), reaches, max_size=8))
def test_somebody_always_goes_on(found: dict[int, Reach]) -> None:
    """Law: of the partitions that have records left and move, the one farthest behind never waits."""
    waiting = ahead(found, NOW_MS)
    moving = {key for key, reach in found.items() if reach.lag and NOW_MS - reach.delivered_ms < STANDSTILL_MS}
    assert not waiting or min(moving, key=lambda key: found[key].arrived_ms) not in waiting
    assert all(NOW_MS - found[key].arrived_ms >= LEAD_MS for key in waiting)
