"""The published school holidays of 2025-26 and 2026-27.

Source: arrêté of 7 December 2022 and its successors, as in fr-en-calendrier-scolaire. The summer of 2027 has no
published end here: the calendar ends before any return to school.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from schemas.school_time.calendar import Calendar, HolidayCalendar, Period

FIRST_KNOWN_DAY: Final = date(2025, 9, 1)
END: Final = date(2027, 8, 26)
_COMMON: Final = (
    Period(date(2025, 10, 18), date(2025, 11, 3), "Vacances de la Toussaint"),
    Period(date(2025, 12, 20), date(2026, 1, 5), "Vacances de Noël"),
    Period(date(2026, 5, 14), date(2026, 5, 18), "Pont de l'Ascension"),
    Period(date(2026, 7, 4), date(2026, 9, 1), "Vacances d'été"),
    Period(date(2026, 10, 17), date(2026, 11, 2), "Vacances de la Toussaint"),
    Period(date(2026, 12, 19), date(2027, 1, 4), "Vacances de Noël"),
    Period(date(2027, 5, 6), date(2027, 5, 10), "Pont de l'Ascension"),
    Period(date(2027, 7, 3), END, "Vacances d'été"),
)
_WINTER_AND_SPRING: Final = {
    "A": (
        (date(2026, 2, 7), date(2026, 2, 23)),
        (date(2026, 4, 4), date(2026, 4, 20)),
        (date(2027, 2, 13), date(2027, 3, 1)),
        (date(2027, 4, 10), date(2027, 4, 26)),
    ),
    "B": (
        (date(2026, 2, 14), date(2026, 3, 2)),
        (date(2026, 4, 11), date(2026, 4, 27)),
        (date(2027, 2, 20), date(2027, 3, 8)),
        (date(2027, 4, 17), date(2027, 5, 3)),
    ),
    "C": (
        (date(2026, 2, 21), date(2026, 3, 9)),
        (date(2026, 4, 18), date(2026, 5, 4)),
        (date(2027, 2, 6), date(2027, 2, 22)),
        (date(2027, 4, 3), date(2027, 4, 19)),
    ),
}
"""First day without school, and the day of the return."""
_SEASONS: Final = ("Vacances d'hiver", "Vacances de printemps")


def _zone(spans: tuple[tuple[date, date], ...]) -> HolidayCalendar:
    own = tuple(Period(first, after, _SEASONS[number % 2]) for number, (first, after) in enumerate(spans))
    return HolidayCalendar(FIRST_KNOWN_DAY, END, (*_COMMON, *own))


BUNDLED: Final = Calendar(
    {zone: _zone(spans) for zone, spans in _WINTER_AND_SPRING.items()}, source="fournie avec ent-telemetry"
)
