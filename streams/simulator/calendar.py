"""On which days the simulated schools, of zone B in Alsace, are open; beyond the bundled years nothing is guessed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from schemas.school_time import CalendarEndedError, Place
from schemas.school_time.bundled import BUNDLED, END, FIRST_KNOWN_DAY

__all__ = [
    "FIRST_KNOWN_DAY",
    "LAST_KNOWN_DAY",
    "CalendarEndedError",
    "is_holiday",
    "is_school_day",
    "weeks_into_the_year",
]

LAST_KNOWN_DAY: Final = END - timedelta(days=1)
SCHOOL_YEAR_STARTS: Final = (date(2025, 9, 1), date(2026, 9, 1))
_MULHOUSE: Final = Place("Strasbourg", "B", "6AE")
_FIRST_DAY_OF_THE_WEEK_END: Final = 6


def is_school_day(day: date) -> bool:
    """Whether schools are open from Monday to Friday; some of them keep Wednesdays free.

    Raises CalendarEndedError outside the known years.
    """
    return not is_holiday(day) and day.isoweekday() < _FIRST_DAY_OF_THE_WEEK_END


def is_holiday(day: date) -> bool:
    """Whether the day is in the school holidays or a public one. Raises CalendarEndedError outside the known years."""
    return BUNDLED.day_off(_MULHOUSE, day) is not None


def weeks_into_the_year(day: date) -> float:
    """Weeks since the school year began. Raises CalendarEndedError outside the known years."""
    BUNDLED.of(_MULHOUSE).period_on(day)
    begun = max(start for start in SCHOOL_YEAR_STARTS if start <= day)
    return (day - begun) / timedelta(weeks=1)
