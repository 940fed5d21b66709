"""The weeks that the simulated schools keep, as timetables for the service to know."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from schemas.school_time import HalfDay, Timetable, school_year
from streams.simulator.population import Population

_FULL_DAYS: Final = (1, 2, 4, 5)
_WEDNESDAY: Final = 3
_MORNING: Final = timedelta(hours=3)
_AFTERNOON: Final = (timedelta(hours=5), timedelta(hours=8))
"""Its beginning and its end, since lessons began in the morning."""
_MINUTE: Final = timedelta(minutes=1)


def timetables_of(population: Population, day: date) -> dict[tuple[str, str], Timetable]:
    """The weeks of all schools in the school year of a day, by UAI and school year."""
    weeks = {}
    for uai, begins_s, wednesday in zip(population.uais, population.begins_s, population.wednesday, strict=True):
        morning = timedelta(seconds=int(begins_s))
        full: tuple[HalfDay, ...] = (
            _half_day(morning, morning + _MORNING),
            _half_day(*(morning + part for part in _AFTERNOON)),
        )
        half_days = dict.fromkeys(_FULL_DAYS, full)
        if wednesday:
            half_days[_WEDNESDAY] = full[:1]
        weeks[uai, school_year(day)] = Timetable(half_days)
    return weeks


def _half_day(begins: timedelta, ends: timedelta) -> HalfDay:
    return HalfDay(begins // _MINUTE, ends // _MINUTE)
