"""The allowance of platforms."""

from hypothesis import given
from hypothesis import strategies as st

from streams.collector.rate import Allowance


def test_a_platform_that_sent_too_much_waits_as_long_as_it_is_told() -> None:
    """After the wait it may send again; another platform never waits for it."""
    now = [0.0]
    allowance = Allowance(100, lambda: now[0])
    assert allowance.wait_s("a") == 0
    allowance.take("a", 1_000)
    wait_s = allowance.wait_s("a")
    assert wait_s == 8
    assert allowance.wait_s("b") == 0
    now[0] += wait_s
    assert allowance.wait_s("a") == 1
    now[0] += 1
    assert allowance.wait_s("a") == 0


@given(st.lists(st.tuples(st.floats(0.001, 5), st.integers(1, 500)), max_size=60))
def test_no_more_passes_over_time_than_is_allowed(requests: list[tuple[float, int]]) -> None:
    """Whatever the rhythm: at most the rate, the burst, and one request beyond."""
    now, passed = [0.0], 0
    allowance = Allowance(100, lambda: now[0])
    for pause_s, records in requests:
        now[0] += pause_s
        if allowance.wait_s("a") == 0:
            allowance.take("a", records)
            passed += records
    assert passed <= 100 * now[0] + 100 * Allowance.BURST_S + 500
