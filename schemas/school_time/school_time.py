"""What each minute of a school is: calendar, timetable and declared closures in one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from schemas.school_time.calendar import Calendar, DayOff
from schemas.school_time.closure import Closure
from schemas.school_time.place import Place
from schemas.school_time.timetable import DEFAULT_TIMETABLE, MINUTES_OF_A_DAY, Timetable, school_year

PARIS: Final = ZoneInfo("Europe/Paris")
_SATURDAY, _WEDNESDAY = 6, 3


class Category(StrEnum):
    """What a minute is; of several, the first in this order. Out of school time is all but CLASSE."""

    FERMETURE = "fermeture"
    VACANCES = "vacances"
    FERIE = "ferie"
    WEEK_END = "week_end"
    MERCREDI_LIBRE = "mercredi_libre"
    JOUR_LIBRE = "jour_libre"
    CLASSE = "classe"
    PAUSE_MERIDIENNE = "pause_meridienne"
    SOIR_MATIN = "soir_matin"


OPEN_DAY: Final = frozenset({Category.CLASSE, Category.PAUSE_MERIDIENNE, Category.SOIR_MATIN})
"""What the minutes of a day with lessons are."""


@dataclass(frozen=True, slots=True)
class Span:
    """From `starts` on, until the next span of the same school."""

    starts: datetime
    """In UTC."""
    category: Category


@dataclass(frozen=True)
class SchoolTime:
    """Every school's time, from dated data; nothing here knows what time it is."""

    calendar: Calendar
    places: Mapping[str, Place]
    """By UAI."""
    timetables: Mapping[tuple[str, str], Timetable]
    """By UAI and school year."""
    closures: Sequence[Closure] = ()

    def timetable(self, uai: str, day: date) -> Timetable:
        """That of the school year, or else the usual one, which is marked as assumed."""
        return self.timetables.get((uai, school_year(day)), DEFAULT_TIMETABLE)

    def after(self) -> date | None:
        """The first day that is not known for every school; None without schools. Raises CalendarEndedError where a
        school's place is in no calendar."""
        return min((self.calendar.of(place).after for place in self.places.values()), default=None)

    def category_at(self, uai: str, moment: datetime) -> Category:
        """What a moment (aware) is for a school.

        Raises KeyError for a school that is not known, CalendarEndedError outside the known years.
        """
        closed = any(c.concerns(uai) and c.starts <= moment < c.ends for c in self.closures)
        local = moment.astimezone(PARIS)
        minute = local.hour * 60 + local.minute
        of_the_day = [category for start, category in self.day(uai, local.date()) if start <= minute]
        return Category.FERMETURE if closed else of_the_day[-1]

    def is_open(self, uai: str, day: date) -> bool:
        """Whether there are lessons on that day, declared closures left out. Raises as `category_at`."""
        return self.day(uai, day)[0][1] in OPEN_DAY

    def day(self, uai: str, day: date) -> list[tuple[int, Category]]:
        """From which minute of the day on (clock of Paris) what it is, closures left out. Raises as `category_at`."""
        off = self.calendar.day_off(self.places[uai], day)
        if off is not None:
            return [(0, Category.VACANCES if off is DayOff.VACANCES else Category.FERIE)]
        half_days = self.timetable(uai, day).on(day)
        if not half_days:
            return [(0, _free(day))]
        steps = [(0, Category.SOIR_MATIN)]
        for number, half_day in enumerate(half_days):
            last = number == len(half_days) - 1
            steps.append((half_day.begins_min, Category.CLASSE))
            steps.append((half_day.ends_min, Category.SOIR_MATIN if last else Category.PAUSE_MERIDIENNE))
        return steps

    def spans(self, uai: str, first: date, after: date) -> list[Span]:
        """The days from `first` until before `after`, closures included, without gaps. Raises as `category_at`."""
        spans: list[Span] = []
        for span in self._overlaid(uai, first, after):
            if not spans or spans[-1].category != span.category:
                spans.append(span)
        return spans

    def _overlaid(self, uai: str, first: date, after: date) -> Iterator[Span]:
        plain = [
            Span(_moment(day, minute), category)
            for day in _days(first, after)
            for minute, category in self.day(uai, day)
        ]
        closures = [(c.starts.astimezone(UTC), c.ends.astimezone(UTC)) for c in self.closures if c.concerns(uai)]
        if not closures:
            yield from plain
            return
        begin, end = _moment(first, 0), _moment(after, 0)
        edges = {edge for closure in closures for edge in closure if begin <= edge < end}
        category = Category.SOIR_MATIN
        of_the_day = {span.starts: span.category for span in plain}
        for moment in sorted(edges | of_the_day.keys()):
            category = of_the_day.get(moment, category)
            closed = any(starts <= moment < ends for starts, ends in closures)
            yield Span(moment, Category.FERMETURE if closed else category)


def _free(day: date) -> Category:
    if day.isoweekday() >= _SATURDAY:
        return Category.WEEK_END
    return Category.MERCREDI_LIBRE if day.isoweekday() == _WEDNESDAY else Category.JOUR_LIBRE


def _days(first: date, after: date) -> Iterable[date]:
    return (first + timedelta(days=number) for number in range((after - first).days))


def _moment(day: date, minute: int) -> datetime:
    """A minute of the clock of Paris, in UTC."""
    local = datetime.combine(
        day + timedelta(days=minute // MINUTES_OF_A_DAY), time(minute % MINUTES_OF_A_DAY // 60, minute % 60), PARIS
    )
    return local.astimezone(UTC)
