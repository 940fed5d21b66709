"""The week of a school: its half-days, by weekday, on the clock of Paris."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

MINUTES_OF_A_DAY: Final = 1440
_YEAR_BEGINS_MONTH: Final = 8
"""Statistics of a school year go from August to July."""


@dataclass(frozen=True, slots=True, order=True)
class HalfDay:
    """Lessons in a row, in minutes of the day."""

    begins_min: int
    ends_min: int

    def __post_init__(self) -> None:
        if not 0 <= self.begins_min < self.ends_min <= MINUTES_OF_A_DAY:
            raise ValueError(f"lessons cannot go from minute {self.begins_min} to minute {self.ends_min} of a day")


@dataclass(frozen=True)
class Timetable:
    """Half-days by ISO weekday (Monday is 1), in their order; days that are missing are free."""

    half_days: Mapping[int, tuple[HalfDay, ...]]
    assumed: bool = False
    """Nobody said so: it stands for a timetable that is not known."""

    def on(self, day: date) -> tuple[HalfDay, ...]:
        """The half-days of a day, as far as the weekday goes."""
        return self.half_days.get(day.isoweekday(), ())


_USUAL: Final = (HalfDay(8 * 60 + 30, 11 * 60 + 30), HalfDay(13 * 60 + 30, 16 * 60 + 30))
DEFAULT_TIMETABLE: Final = Timetable(dict.fromkeys((1, 2, 4, 5), _USUAL), assumed=True)
"""Four days of 24 hours in all (Code de l'éducation, D521-10 and D521-12), where no timetable was given."""


def school_year(day: date) -> str:
    """The school year of a day, from August to July: `2026-2027`."""
    begins = day.year if day.month >= _YEAR_BEGINS_MONTH else day.year - 1
    return f"{begins}-{begins + 1}"
