"""What the detector does with data that are not as they should be; docs/alerts.md states each behaviour."""

from datetime import timedelta

import numpy as np
import pytest

from streams.alerts.backtest.year import bin_of
from streams.alerts.day import Day
from streams.alerts.learned import Learned
from streams.alerts.learning import select
from streams.alerts.recent import Recent
from streams.alerts.replay import PastDay, replay
from streams.alerts.rules import Kind, Settings
from tests.unit.streams.alerts.city import FOUR, GRID, LEARNED_DAYS, NINE, PER_H, City

SCHOOL = 4
USUAL_PER_DAY = 10 * sum(PER_H)


def expected_per_day(learned: Learned, weekday: int = 0) -> np.ndarray:
    return np.asarray(learned.expect(learned.shape(weekday)).sum((1, 2)))


def test_a_hole_in_the_history_teaches_nothing_and_raises_nothing() -> None:
    """Bins and whole days without data, for one school and for all."""
    city = City(days=LEARNED_DAYS + 2)
    for schools, days, bins in ((SCHOOL, slice(5, 9), slice(None)), (slice(None), slice(22, 25), slice(NINE, FOUR))):
        city.known[schools, days, bins] = False
    city.counts *= city.known[:, None]
    learned, _, closed = city.replay()
    assert all(day.findings == () for day in closed)
    assert expected_per_day(learned) == pytest.approx(USUAL_PER_DAY, rel=0.15)
    assert learned.days[SCHOOL] == LEARNED_DAYS + 2 - 4 - 3


def test_a_week_of_zeros_in_one_school_alerts_each_day_and_is_not_learned() -> None:
    city = City(days=LEARNED_DAYS + 5)
    city.counts[SCHOOL, :, LEARNED_DAYS:] = 0
    learned, _, closed = city.replay()
    for day in closed[LEARNED_DAYS:]:
        assert {finding.school for finding in day.findings} == {SCHOOL}
    assert expected_per_day(learned)[SCHOOL] == pytest.approx(USUAL_PER_DAY, rel=0.15)


def test_a_week_of_zeros_while_learning_is_not_learned() -> None:
    city = City(days=LEARNED_DAYS)
    city.counts[:, :, 6:11] = 0
    learned, _, closed = city.replay()
    assert all(day.findings == () for day in closed)
    assert expected_per_day(learned) == pytest.approx(USUAL_PER_DAY, rel=0.15)
    assert (learned.days == LEARNED_DAYS - 5).all()


def test_a_week_of_zeros_everywhere_is_one_alert_a_day_for_the_platform() -> None:
    city = City(days=LEARNED_DAYS + 4)
    city.counts[:, :, LEARNED_DAYS:] = 0
    learned, _, closed = city.replay()
    for day in closed[LEARNED_DAYS:]:
        assert [(finding.kind, finding.school) for finding in day.findings] == [(Kind.PLATFORM_DOWN, None)]
    assert expected_per_day(learned) == pytest.approx(USUAL_PER_DAY, rel=0.15)


def test_a_school_that_stays_silent_is_forgotten_in_the_end_and_alerts_no_more() -> None:
    settings = Settings(blank_days=6)
    city = City(days=LEARNED_DAYS + 12)
    city.counts[SCHOOL, :, LEARNED_DAYS:] = 0
    learned, _, closed = city.replay(settings)
    alerted = [bool(day.findings) for day in closed[LEARNED_DAYS:]]
    assert alerted == [True] * 7 + [False] * 5
    assert expected_per_day(learned)[SCHOOL] < 1


def test_a_school_that_opens_is_learned_before_it_is_judged() -> None:
    """The others keep what was learned of them; the new one is not judged for twenty school days of its own."""
    learned, _, _ = City(days=LEARNED_DAYS).replay()
    places = np.array([*range(learned.schools), -1])
    more = select(learned, places)
    assert np.array_equal(expected_per_day(more)[:-1], expected_per_day(learned))
    assert more.ready(0).tolist() == [True] * learned.schools + [False]
    city = City(schools=learned.schools + 1, days=21, seed=9)
    city.counts[-1, :, 12:14, NINE:FOUR] = 0
    closed = list(replay(more, Recent(more), (city.past(day) for day in range(21))))
    assert all(finding.school != learned.schools for day in closed for finding in day.findings)
    assert more.ready(0).all()


def test_a_school_that_closes_leaves_the_others_as_they_were() -> None:
    learned, _, _ = City(days=LEARNED_DAYS).replay()
    kept = np.delete(np.arange(learned.schools), SCHOOL)
    fewer = select(learned, kept)
    assert np.array_equal(expected_per_day(fewer), expected_per_day(learned)[kept])
    assert np.array_equal(fewer.limits.value, learned.limits.value[kept])


def test_doubled_days_are_told_of_and_are_not_learned() -> None:
    city = City(days=LEARNED_DAYS + 6)
    city.counts[SCHOOL, :, LEARNED_DAYS : LEARNED_DAYS + 4] *= 2
    learned, _, closed = city.replay()
    for day in closed[LEARNED_DAYS : LEARNED_DAYS + 4]:
        assert {(finding.kind, finding.school) for finding in day.findings} == {(Kind.DUPLICATES, SCHOOL)}
    assert all(day.findings == () for day in closed[LEARNED_DAYS + 4 :])
    assert expected_per_day(learned)[SCHOOL] == pytest.approx(USUAL_PER_DAY, rel=0.15)


def test_doubling_that_lasts_is_believed_after_a_week() -> None:
    city = City(days=LEARNED_DAYS + 16)
    city.counts[SCHOOL, :, LEARNED_DAYS:] *= 2
    learned, _, closed = city.replay()
    assert closed[LEARNED_DAYS].surge[SCHOOL]
    assert not closed[-1].surge[SCHOOL]
    assert expected_per_day(learned)[SCHOOL] > 1.5 * USUAL_PER_DAY


def test_a_history_that_was_doubled_while_it_was_learned_comes_down_day_by_day() -> None:
    """Nobody can know it then. The single days that follow look low, are told of, and are believed in the end."""
    doubled, settings = 15, Settings()
    city = City(days=doubled + 45)
    city.counts[SCHOOL, :, :doubled] *= 2
    learned, _, closed = city.replay(settings)
    concerned = {finding.school for day in closed for finding in day.findings}
    assert concerned <= {SCHOOL}
    assert all(day.findings == () for day in closed[: settings.warmup_days])
    assert all(day.findings == () for day in closed[-5:])
    assert expected_per_day(learned)[SCHOOL] == pytest.approx(USUAL_PER_DAY, rel=0.15)


def test_the_clocks_may_change_without_an_alert() -> None:
    """The tables are in wall-clock bins: the same morning rush lies in the same bin before and after."""
    city = City(days=LEARNED_DAYS + 6)
    rush = slice(bin_of(8.5), bin_of(9))
    city.counts[:, :, :, rush] *= 3
    city.days = [day + timedelta(weeks=7) for day in city.days]
    assert city.days[0].month == 2
    assert city.days[-1].month == 4
    assert all(findings == () for findings in city.findings())


def test_without_a_calendar_a_holiday_is_taken_as_one_from_the_first_hour() -> None:
    city = City(days=LEARNED_DAYS + 8)
    city.counts[:, :, LEARNED_DAYS : LEARNED_DAYS + 5] = 0
    settings = Settings(calendar_known=False)
    learned, _, closed = city.replay(settings)
    assert all(day.findings == () for day in closed)
    assert expected_per_day(learned) == pytest.approx(USUAL_PER_DAY, rel=0.15)


def test_without_a_calendar_an_outage_in_the_day_is_still_found() -> None:
    city = City(days=LEARNED_DAYS + 1)
    city.counts[:, :, LEARNED_DAYS, NINE + 12 : FOUR] = 0
    (found,) = city.findings(Settings(calendar_known=False))[-1]
    assert found.kind is Kind.PLATFORM_DOWN


def test_a_free_wednesday_raises_nothing_and_teaches_nothing() -> None:
    city = City(days=LEARNED_DAYS + 1)
    wednesday = city.days[-1] + timedelta(days=(2 - city.days[-1].weekday()) % 7)
    learned, recent, _ = city.replay()
    before = learned.level.copy()
    past = city.past(LEARNED_DAYS)
    calendar = past.calendar.__class__(wednesday.toordinal(), 2, np.zeros_like(past.calendar.opened))
    (closed,) = replay(learned, recent, [PastDay(calendar, np.zeros_like(past.counts))])
    assert closed.findings == ()
    assert np.array_equal(learned.level, before)


@pytest.mark.parametrize("counts", ["negative", "huge", "all schools new"])
def test_no_counts_stop_a_pass(counts: str) -> None:
    city = City(days=LEARNED_DAYS)
    learned, recent, _ = city.replay()
    if counts == "all schools new":
        learned = Learned.empty(learned.schools, GRID, Settings())
    past = city.past(0)
    value = {"negative": -5, "huge": 10**6, "all schools new": 3}[counts]
    day = Day(learned, past.calendar, recent)
    day.advance(np.full(past.counts.shape, value))
    assert np.isfinite(day.evidence().evidence).all()
