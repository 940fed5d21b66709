"""When what is published: the pace protects small cells, so it is a law of its own."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.pseudonym import Key
from sinks.clickhouse.grains import GRAINS, Window
from sinks.clickhouse.publisher import Published, Stage
from streams.publication import LATE, SETTLING, Due, due, rule_of
from streams.windows import PARIS

MONDAY = date(2026, 11, 16)
NOON = datetime(2026, 11, 18, 12, tzinfo=PARIS)
DAYS = [MONDAY + timedelta(n) for n in range(3)]


def publish(state: dict[tuple[str, date], Published], now: datetime, days: list[date] = DAYS, k: int = 5) -> list[Due]:
    """What is due, written."""
    written = list(due(now, days, state, k))
    state.update({(each.grain.name, each.start): Published(each.stage, each.tick, k) for each in written})
    return written


def stages(written: list[Due], name: str) -> list[tuple[date, Stage]]:
    return [(each.start, each.stage) for each in written if each.grain.name == name]


def test_at_first_every_window_is_written_as_far_as_it_has_come() -> None:
    """The running day and week as open, yesterday as closed until its late events are in, Monday for good."""
    written = publish({}, NOON)
    assert stages(written, "school_day") == [
        (MONDAY, Stage.CLOSED), (MONDAY + timedelta(1), Stage.CLOSED), (MONDAY + timedelta(2), Stage.OPEN),
    ]  # fmt: skip
    assert stages(written, "class_week") == [(MONDAY, Stage.OPEN)]
    assert {each.grain.name for each in written} == {grain.name for grain in GRAINS}


def test_the_territory_goes_by_the_minute_schools_by_the_quarter_and_the_rest_by_the_hour() -> None:
    """From noon to one, every ten seconds."""
    state: dict[tuple[str, date], Published] = {}
    written = [each for n in range(360) for each in publish(state, NOON + timedelta(seconds=10 * n))]
    times = {grain.name: sum(each.grain is grain and each.stage is Stage.OPEN for each in written) for grain in GRAINS}
    assert times.pop("territory_day") == 60
    assert times.pop("school_day") == 4
    assert set(times.values()) == {1}


@given(st.lists(st.integers(1, 100_000), min_size=1, max_size=60))
def test_no_open_window_is_written_twice_in_a_tick_and_no_closed_one_twice(steps_s: list[int]) -> None:
    """Whatever the moments at which the service looks, restarts included: the state is all it remembers."""
    state: dict[tuple[str, date], Published] = {}
    now = datetime(2026, 11, 16, tzinfo=UTC)
    seen: set[tuple[str, date, Stage, int]] = set()
    for step_s in steps_s:
        now += timedelta(seconds=step_s)
        for each in publish(state, now, [MONDAY + timedelta(n) for n in range(20)]):
            tick = each.tick if each.stage is Stage.OPEN else 0
            mark = (each.grain.name, each.start, each.stage, tick)
            assert mark not in seen
            assert each.start <= now.astimezone(PARIS).date()
            seen.add(mark)
    assert all((*name, Stage.FINAL, 0) not in seen or state[name].stage is Stage.FINAL for name in state)


def test_a_window_is_frozen_when_it_has_closed_and_written_once_more_with_its_late_events() -> None:
    """Nothing while it settles, one writing when it has, none for two days, one for good."""
    day = [MONDAY]
    midnight = datetime(2026, 11, 17, tzinfo=PARIS)
    state: dict[tuple[str, date], Published] = {}
    publish(state, midnight - timedelta(minutes=1), day)

    def of_days(now: datetime) -> set[Stage]:
        return {each.stage for each in publish(state, now, day) if each.grain.window is Window.DAY}

    assert of_days(midnight + SETTLING - timedelta(seconds=1)) == set()
    assert of_days(midnight + SETTLING) == {Stage.CLOSED}
    assert of_days(midnight + LATE - timedelta(seconds=1)) == set()
    assert of_days(midnight + LATE) == {Stage.FINAL}
    assert of_days(midnight + timedelta(days=100)) == set()


def test_another_k_writes_every_window_once_more_the_frozen_ones_too() -> None:
    """Or what was published below it would stay."""
    state: dict[tuple[str, date], Published] = {}
    first = publish(state, NOON)
    assert publish(state, NOON) == []
    assert publish(state, NOON, k=11) == first
    assert publish(state, NOON, k=11) == []


def test_a_day_of_paris_ends_at_its_own_midnight() -> None:
    """On the night of the change of clocks too: 25 hours on 25 October 2026."""
    sunday = date(2026, 10, 25)
    last = datetime(2026, 10, 25, 22, 59, tzinfo=UTC)
    assert {each.stage for each in due(last, [sunday], {}, 5) if each.grain.window is Window.DAY} == {Stage.OPEN}


def test_the_rule_shows_no_key_and_another_secret_makes_another_one() -> None:
    """The key decides the side of every figure: it is nobody's business."""
    one, other = (rule_of(Key(f"a secret for the test of rules {n}".encode()), 5) for n in "ab")
    assert one.key != other.key
    assert str(one.key[0]) not in repr(one)
