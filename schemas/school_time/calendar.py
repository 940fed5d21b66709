"""School holidays by zone and académie, and public holidays by place; nothing is guessed beyond the known years.

Sources: fr-en-calendrier-scolaire (data.education.gouv.fr) for school holidays; Code du travail, L3133-1 and L3134-13,
as the package `holidays` has them, for public ones.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Final

from holidays import country_holidays

from schemas.school_time.place import Place

_BRIDGE: Final = "pont"


class CalendarEndedError(ValueError):
    """The day lies outside the years that the calendar knows."""


class DayOff(StrEnum):
    """Why a whole day is free in a place."""

    VACANCES = "vacances"
    PONT = "pont"
    FERIE = "ferie"


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Days in a row without lessons."""

    first: date
    after: date
    """The morning of the return."""
    label: str

    def __post_init__(self) -> None:
        if self.after <= self.first:
            raise ValueError(f"{self.label}: the return on {self.after} does not lie after its first day {self.first}")

    @property
    def kind(self) -> DayOff:
        """A bridge is called so; everything else is a holiday."""
        return DayOff.PONT if self.label.lower().startswith(_BRIDGE) else DayOff.VACANCES


@dataclass(frozen=True)
class HolidayCalendar:
    """The school holidays of a zone or académie over the years that are known."""

    begins: date
    after: date
    """The first day that is not known any more."""
    periods: tuple[Period, ...]
    """In order, none of them overlapping another."""
    _firsts: tuple[date, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.periods))
        for one, next_ in pairwise(ordered):
            if next_.first < one.after:
                raise ValueError(f"{one.label} until {one.after} overlaps {next_.label} from {next_.first}")
        object.__setattr__(self, "periods", ordered)
        object.__setattr__(self, "_firsts", tuple(period.first for period in ordered))

    def period_on(self, day: date) -> Period | None:
        """The holidays that the day lies in. Raises CalendarEndedError outside the known years."""
        if not self.begins <= day < self.after:
            raise CalendarEndedError(
                f"the school calendar goes from {self.begins} to before {self.after} and does not know {day}: choose "
                "another day, or load the ministry's file (fr-en-calendrier-scolaire) with `ent calendar load`"
            )
        number = bisect_right(self._firsts, day) - 1
        period = self.periods[number] if number >= 0 else None
        return period if period is not None and day < period.after else None


@dataclass(frozen=True)
class Calendar:
    """The holidays of every place that is known."""

    zones: Mapping[str, HolidayCalendar]
    academies: Mapping[str, HolidayCalendar] = field(default_factory=dict)
    """Those that differ from their zone or have none; their names in lower case."""
    source: str = ""

    def of(self, place: Place) -> HolidayCalendar:
        """That of the académie, or else of the zone. Raises CalendarEndedError where neither is known."""
        own = self.academies.get(place.academie.lower())
        found = self.zones.get(place.zone) if own is None else own
        if found is None:
            raise CalendarEndedError(
                f"the school calendar knows neither the académie {place.academie!r} nor the zone {place.zone!r}: mend "
                "the directory, or load the ministry's file (fr-en-calendrier-scolaire) with `ent calendar load`"
            )
        return found

    def day_off(self, place: Place, day: date) -> DayOff | None:
        """Why there are no lessons on that day, week-ends and timetables apart; None: nothing speaks against them.

        Raises CalendarEndedError outside the known years.
        """
        period = self.of(place).period_on(day)
        if period is not None:
            return period.kind
        return DayOff.FERIE if public_holiday(place.subdivision, day) else None

    def label(self, place: Place, day: date) -> str:
        """The same in French, for people; empty on other days. Raises CalendarEndedError outside the known years."""
        period = self.of(place).period_on(day)
        return period.label if period is not None else public_holiday(place.subdivision, day)


def public_holiday(subdivision: str, day: date) -> str:
    """Its French name; empty on other days. Raises ValueError for a subdivision that France does not have."""
    return _public_holidays(subdivision, day.year).get(day, "")


@lru_cache(maxsize=256)
def _public_holidays(subdivision: str, year: int) -> Mapping[date, str]:
    try:
        return dict(country_holidays("FR", subdiv=subdivision or None, years=year, language="fr"))
    except NotImplementedError:
        raise ValueError(
            f"{subdivision!r} is no subdivision for public holidays: leave it empty, or use 6AE (Alsace), 57 (Moselle) "
            "or the number of an overseas département"
        ) from None
