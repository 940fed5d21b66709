"""School days of zone B in Alsace."""

from datetime import date, timedelta

import pytest

from streams.simulator.calendar import (
    FIRST_KNOWN_DAY,
    LAST_KNOWN_DAY,
    CalendarEndedError,
    is_holiday,
    is_school_day,
    weeks_into_the_year,
)


@pytest.mark.parametrize(
    ("day", "school"),
    [
        (date(2026, 9, 1), True),
        (date(2026, 8, 31), False),
        (date(2026, 10, 16), True),
        (date(2026, 10, 19), False),
        (date(2026, 11, 2), True),
        (date(2026, 11, 11), False),
        (date(2026, 11, 14), False),
        (date(2027, 2, 19), True),
        (date(2027, 2, 22), False),
        (date(2027, 3, 8), True),
        (date(2027, 5, 7), False),
        (date(2027, 7, 5), False),
    ],
)
def test_holidays_week_ends_and_public_holidays_are_no_school_days(day: date, school: bool) -> None:
    """The days of the published calendar, and the days beside them."""
    assert is_school_day(day) is school


def test_alsace_has_two_more_public_holidays() -> None:
    """Good Friday 2027, and 26 December, are free in Alsace alone."""
    assert is_holiday(date(2027, 3, 26))
    assert not is_school_day(date(2027, 3, 26))
    assert is_holiday(date(2026, 12, 26))


def test_a_school_year_has_as_many_days_as_the_law_asks_for() -> None:
    """36 weeks of nine half-days: with free week-ends and all Wednesdays, about 170 to 180 days."""
    first = date(2026, 9, 1)
    days = sum(is_school_day(first + timedelta(days=number)) for number in range(330))
    assert 165 <= days <= 182


@pytest.mark.parametrize("day", [FIRST_KNOWN_DAY - timedelta(days=1), LAST_KNOWN_DAY + timedelta(days=1)])
def test_nothing_is_guessed_beyond_the_known_years(day: date) -> None:
    """The error names the limits and the day."""
    for ask in (is_school_day, is_holiday, weeks_into_the_year):
        with pytest.raises(CalendarEndedError, match=str(day)):
            ask(day)


def test_weeks_are_counted_anew_in_each_school_year() -> None:
    """The first of September begins a year."""
    assert weeks_into_the_year(date(2026, 9, 1)) == 0
    assert weeks_into_the_year(date(2026, 9, 15)) == 2
    assert weeks_into_the_year(date(2026, 8, 31)) > 51
