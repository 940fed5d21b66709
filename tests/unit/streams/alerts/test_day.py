"""A day is judged on what was known at the end of each bin, and nothing else."""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.alerts.closing import close
from streams.alerts.day import Day
from streams.alerts.finding import Finding, State
from streams.alerts.learned import Learned
from streams.alerts.recent import Recent
from streams.alerts.rules import Check, Kind
from tests.unit.streams.alerts.city import FOUR, GRID, LEARNED_DAYS, NINE, NOON, City

SCHOOL = 3


@pytest.fixture(scope="module")
def taught() -> tuple[City, Learned, Recent]:
    """A city whose last day is still to come."""
    city = City(days=LEARNED_DAYS + 1)
    past = City(days=LEARNED_DAYS + 1)
    past.days = past.days[:-1]
    learned, recent, _ = past.replay()
    return city, learned, recent


def tomorrow(taught: tuple[City, Learned, Recent]) -> tuple[Day, np.ndarray]:
    city, learned, recent = taught
    past = city.past(LEARNED_DAYS)
    return Day(learned, past.calendar, recent), past.counts.copy()


def kinds(findings: Iterable[Finding]) -> set[tuple[Kind, int | None]]:
    return {(finding.kind, finding.school) for finding in findings}


def test_an_ordinary_day_raises_nothing(taught: tuple[City, Learned, Recent]) -> None:
    day, counts = tomorrow(taught)
    day.advance(counts)
    assert day.findings == []


def test_a_school_that_falls_silent_is_found_within_the_hour_and_explained(
    taught: tuple[City, Learned, Recent],
) -> None:
    day, counts = tomorrow(taught)
    counts[SCHOOL, :, NINE:NOON] = 0
    day.advance(counts[:, :, :NOON])
    first = min(day.findings, key=lambda finding: finding.raised)
    assert kinds(day.findings) <= {(Kind.SCHOOL_SILENT, SCHOOL), (Kind.SCHOOL_DOWN, SCHOOL)}
    assert NINE - 2 <= first.since <= NINE
    assert first.raised - NINE < 60 // GRID.step_min
    assert first.observed < 0.25 * first.expected
    assert first.evidence > first.limit
    assert first.references
    assert all(reference.logins > 2 * first.observed for reference in first.references)


def test_a_platform_outage_is_one_alert_and_no_schools(taught: tuple[City, Learned, Recent]) -> None:
    day, counts = tomorrow(taught)
    counts[:, :, NINE : NINE + 18] = 0
    day.advance(counts)
    (only,) = day.findings
    assert (only.kind, only.school) == (Kind.PLATFORM_DOWN, None)
    assert (only.raised - NINE + 1) * GRID.step_min <= 10


def test_families_silent_everywhere_are_one_series_and_no_schools(taught: tuple[City, Learned, Recent]) -> None:
    day, counts = tomorrow(taught)
    counts[:, 1, :] = 0
    day.advance(counts)
    assert kinds(day.findings) == {(Kind.SERIES_OUT, None)}
    assert day.findings[0].profile == 1


def test_a_closed_school_with_its_families_there_is_a_closure(taught: tuple[City, Learned, Recent]) -> None:
    day, counts = tomorrow(taught)
    counts[SCHOOL, [0, 2]] = 0
    day.advance(counts)
    assert kinds(day.findings) == {(Kind.UNDECLARED_CLOSURE, SCHOOL)}
    assert not any(finding.pages for finding in day.findings)


@pytest.mark.parametrize("why", ["closed", "unknown"])
def test_a_holiday_and_a_stopped_pipeline_raise_nothing(taught: tuple[City, Learned, Recent], why: str) -> None:
    city, learned, recent = taught
    past = city.past(LEARNED_DAYS)
    day = Day(learned, past.calendar, recent)
    known = np.ones_like(past.calendar.opened)
    counts = past.counts.copy()
    counts[:, :, NINE:FOUR] = 0
    if why == "closed":
        opened = past.calendar.opened.copy()
        opened[:, NINE:FOUR] = False
        day = Day(learned, past.calendar.__class__(past.calendar.ordinal, past.calendar.weekday, opened), recent)
    else:
        known[:, NINE:FOUR] = False
    day.advance(counts[:, :, :NOON], known[:, :NOON])
    assert day.findings == []
    assert set(day.evidence().state) == {State.CLOSED if why == "closed" else State.UNKNOWN}


def test_scores_say_what_was_seen_expected_and_how_sure(taught: tuple[City, Learned, Recent]) -> None:
    day, counts = tomorrow(taught)
    counts[SCHOOL, :, NINE:NOON] = 0
    day.advance(counts[:, :, :NOON])
    evidence = day.evidence()
    assert evidence.bin == NOON - 1
    assert evidence.observed[SCHOOL].sum() == 0
    assert evidence.expected[SCHOOL].sum() == pytest.approx(88, rel=0.2)
    assert evidence.severity[SCHOOL] > 1 > np.delete(evidence.severity, SCHOOL).max()
    assert evidence.state[SCHOOL] is State.ALERT
    assert (evidence.low <= evidence.high).all()
    assert evidence.minutes_to_limit()[SCHOOL] < 60


@settings(max_examples=8, deadline=None)
@given(cuts=st.lists(st.integers(1, GRID.bins - 1), max_size=6), seed=st.integers(0, 99))
def test_bin_by_bin_or_all_at_once_is_the_same(
    taught: tuple[City, Learned, Recent], cuts: list[int], seed: int
) -> None:
    draw = np.random.default_rng(seed)
    whole, counts = tomorrow(taught)
    first = int(draw.integers(NINE, FOUR))
    counts[draw.integers(len(counts)), :, first : first + int(draw.integers(6, 40))] = 0
    if seed % 3 == 0:
        counts[:, :, first : first + 10] = 0
    whole.advance(counts)
    parts, _ = tomorrow(taught)
    edges = [0, *sorted(set(cuts)), GRID.bins]
    for start, stop in pairwise(edges):
        parts.advance(counts[:, :, start:stop])
    assert parts.findings == whole.findings
    assert np.array_equal(parts.peak, whole.peak)


@settings(max_examples=8, deadline=None)
@given(noon=st.integers(NINE + 4, FOUR), seed=st.integers(0, 99))
def test_later_bins_change_nothing_that_was_raised(taught: tuple[City, Learned, Recent], noon: int, seed: int) -> None:
    day, counts = tomorrow(taught)
    counts[SCHOOL, :, NINE:FOUR] = 0
    other = counts.copy()
    other[:, :, noon:] = np.random.default_rng(seed).poisson(3, other[:, :, noon:].shape)
    again, _ = tomorrow(taught)
    day.advance(counts)
    again.advance(other)

    def raised(one: Day) -> set[tuple[Kind, int | None, int, int]]:
        return {(f.kind, f.school, f.since, f.raised) for f in one.findings if f.raised < noon}

    assert raised(day) == raised(again)


def test_counts_of_another_shape_are_refused(taught: tuple[City, Learned, Recent]) -> None:
    day, counts = tomorrow(taught)
    with pytest.raises(ValueError, match="do not fit"):
        day.advance(counts[:-1])
    day.advance(counts)
    with pytest.raises(ValueError, match="do not fit"):
        day.advance(counts[:, :, :1])


def test_three_days_at_two_thirds_are_a_slow_decline_for_the_digest() -> None:
    city = City(days=LEARNED_DAYS + 3)
    thin = np.random.default_rng(5).binomial(city.counts[SCHOOL, :, -3:], 0.65)
    city.counts[SCHOOL, :, -3:] = thin
    found = city.findings()[-1]
    assert (Kind.SLOW_DECLINE, SCHOOL) in kinds(found)
    assert not any(finding.pages for finding in found)
    assert all(finding.check is Check.SLOW for finding in found if finding.kind is Kind.SLOW_DECLINE)


def test_closing_a_day_changes_nothing_of_what_is_learned(taught: tuple[City, Learned, Recent]) -> None:
    _, learned, _ = taught
    day, counts = tomorrow(taught)
    day.advance(counts)
    level, limits = learned.level.copy(), learned.limits.value.copy()
    close(learned, day)
    assert np.array_equal(level, learned.level)
    assert np.array_equal(limits, learned.limits.value)
