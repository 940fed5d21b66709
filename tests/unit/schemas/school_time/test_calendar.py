"""School holidays and public ones, by place, and their end."""

from datetime import date, timedelta

import pytest

from schemas.school_time import Calendar, CalendarEndedError, DayOff, HolidayCalendar, Period, Place
from schemas.school_time.bundled import BUNDLED, END, FIRST_KNOWN_DAY
from schemas.school_time.horizon import Horizon

MULHOUSE = Place("Strasbourg", "B", "6AE")
NANTES = Place("Nantes", "B")


@pytest.mark.parametrize(
    ("zone", "day", "off"),
    [
        ("A", date(2026, 2, 9), True),
        ("B", date(2026, 2, 9), False),
        ("C", date(2026, 3, 6), True),
        ("B", date(2026, 3, 2), False),
        ("A", date(2027, 2, 12), False),
        ("A", date(2027, 2, 15), True),
        ("A", date(2027, 3, 1), False),
        ("B", date(2027, 2, 22), True),
        ("C", date(2027, 2, 22), False),
        ("C", date(2027, 4, 5), True),
        ("B", date(2027, 5, 7), True),
    ],
)
def test_the_bundled_years_have_each_zones_holidays(zone: str, day: date, off: bool) -> None:
    """First days, last days and mornings of return as they were published."""
    assert (BUNDLED.day_off(Place("", zone), day) is not None) is off


def test_alsace_has_its_own_public_holidays() -> None:
    """Good Friday is free in Mulhouse and not in Nantes, though both are in zone B; 11 November is free in both."""
    good_friday = date(2027, 3, 26)
    assert BUNDLED.day_off(MULHOUSE, good_friday) is DayOff.FERIE
    assert BUNDLED.label(MULHOUSE, good_friday) == "Vendredi saint"
    assert BUNDLED.day_off(NANTES, good_friday) is None
    assert BUNDLED.day_off(NANTES, date(2026, 11, 11)) is DayOff.FERIE


def test_a_bridge_is_not_called_a_holiday() -> None:
    """The Friday after Ascension Day."""
    assert BUNDLED.day_off(NANTES, date(2026, 5, 15)) is DayOff.PONT


@pytest.mark.parametrize("day", [FIRST_KNOWN_DAY - timedelta(days=1), END])
def test_nothing_is_guessed_outside_the_known_years(day: date) -> None:
    """The error names the day and what to do."""
    with pytest.raises(CalendarEndedError, match=f"{day}.*ent calendar load"):
        BUNDLED.day_off(NANTES, day)


def test_a_place_in_no_calendar_is_an_error() -> None:
    """A school overseas has no zone: it needs its académie's calendar."""
    with pytest.raises(CalendarEndedError, match="La Réunion"):
        BUNDLED.of(Place("La Réunion", ""))


def test_an_academie_goes_before_its_zone() -> None:
    """A recteur may shift dates."""
    own = HolidayCalendar(date(2026, 9, 1), date(2027, 7, 1), (Period(date(2026, 10, 1), date(2026, 10, 8), "Pont"),))
    shifted = Calendar(BUNDLED.zones, {"nantes": own})
    assert shifted.day_off(NANTES, date(2026, 10, 2)) is DayOff.PONT
    assert shifted.day_off(MULHOUSE, date(2026, 10, 2)) is None


def test_an_unknown_subdivision_is_named() -> None:
    """Rather than treated as all of France."""
    with pytest.raises(ValueError, match="'XX'"):
        BUNDLED.day_off(Place("Strasbourg", "B", "XX"), date(2026, 9, 2))


def test_holidays_may_not_overlap() -> None:
    """Two lines for one period would hide a wrong one."""
    with pytest.raises(ValueError, match="overlaps"):
        HolidayCalendar(
            date(2026, 9, 1),
            date(2027, 7, 1),
            (Period(date(2026, 10, 1), date(2026, 10, 9), "a"), Period(date(2026, 10, 8), date(2026, 10, 10), "b")),
        )


def test_the_end_is_near_for_sixty_days_and_then_past() -> None:
    """The warning comes before the end, and expiry on the first day that is not known."""
    assert not Horizon(END, END - timedelta(days=60)).near
    assert Horizon(END, END - timedelta(days=59)).near
    assert not Horizon(END, END - timedelta(days=1)).expired
    assert Horizon(END, END).expired
    assert Horizon(END, END + timedelta(days=9)).left_days == 0
