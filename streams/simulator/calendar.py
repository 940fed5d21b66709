"""On which days there is school: holidays of zone B with the public holidays of Alsace, for two school years.

Source: fr-en-calendrier-scolaire (data.education.gouv.fr) for the holidays; Code du travail, L3133-1 and L3134-13, for
the public holidays. The data end; beyond them nothing is guessed.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

FIRST_KNOWN_DAY: Final = date(2025, 9, 1)
LAST_KNOWN_DAY: Final = date(2027, 8, 25)
"""Before any return to school that the published calendars do not give yet."""

HOLIDAYS: Final = (
    (date(2025, 10, 18), date(2025, 11, 3)),
    (date(2025, 12, 20), date(2026, 1, 5)),
    (date(2026, 2, 14), date(2026, 3, 2)),
    (date(2026, 4, 11), date(2026, 4, 27)),
    (date(2026, 5, 14), date(2026, 5, 18)),
    (date(2026, 7, 4), date(2026, 9, 1)),
    (date(2026, 10, 17), date(2026, 11, 2)),
    (date(2026, 12, 19), date(2027, 1, 4)),
    (date(2027, 2, 20), date(2027, 3, 8)),
    (date(2027, 4, 17), date(2027, 5, 3)),
    (date(2027, 5, 6), date(2027, 5, 10)),
    (date(2027, 7, 3), LAST_KNOWN_DAY + timedelta(days=1)),
)
"""First day without school, and the day of the return."""

PUBLIC_HOLIDAYS: Final = frozenset(
    [
        *(date(2025, 11, day) for day in (1, 11)),
        *(date(2025, 12, day) for day in (25, 26)),
        date(2026, 1, 1),
        *(date(2026, 4, day) for day in (3, 6)),
        *(date(2026, 5, day) for day in (1, 8, 14, 25)),
        date(2026, 7, 14),
        date(2026, 8, 15),
        *(date(2026, 11, day) for day in (1, 11)),
        *(date(2026, 12, day) for day in (25, 26)),
        date(2027, 1, 1),
        *(date(2027, 3, day) for day in (26, 29)),
        *(date(2027, 5, day) for day in (1, 6, 8, 17)),
        date(2027, 7, 14),
        date(2027, 8, 15),
    ]
)
"""Those of all France, Good Friday and 26 December."""

SCHOOL_YEAR_STARTS: Final = (date(2025, 9, 1), date(2026, 9, 1))
_FIRST_DAY_OF_THE_WEEK_END: Final = 6


class CalendarEndedError(ValueError):
    """The day lies outside the years that the calendar knows."""


def is_school_day(day: date) -> bool:
    """Whether schools are open from Monday to Friday; some of them keep Wednesdays free.

    Raises CalendarEndedError outside the known years.
    """
    _check(day)
    if day.isoweekday() >= _FIRST_DAY_OF_THE_WEEK_END or day in PUBLIC_HOLIDAYS:
        return False
    return not any(first <= day < back for first, back in HOLIDAYS)


def is_holiday(day: date) -> bool:
    """Whether the day is in the school holidays or a public one. Raises CalendarEndedError outside the known years."""
    _check(day)
    return day in PUBLIC_HOLIDAYS or any(first <= day < back for first, back in HOLIDAYS)


def weeks_into_the_year(day: date) -> float:
    """Weeks since the school year began. Raises CalendarEndedError outside the known years."""
    _check(day)
    begun = max(start for start in SCHOOL_YEAR_STARTS if start <= day)
    return (day - begun) / timedelta(weeks=1)


def _check(day: date) -> None:
    if not FIRST_KNOWN_DAY <= day <= LAST_KNOWN_DAY:
        raise CalendarEndedError(
            f"the simulator's calendar goes from {FIRST_KNOWN_DAY} to {LAST_KNOWN_DAY} and does not know {day}: choose "
            "another day, or add the school year to streams/simulator/calendar.py"
        )
