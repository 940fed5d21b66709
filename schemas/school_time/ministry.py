"""The ministry's own files, row by row: fr-en-calendrier-scolaire and fr-en-organisation-du-temps-scolaire.

Both are data sets of data.education.gouv.fr. Traps of the calendar: a moment is midnight of Paris written in UTC, so
that 18 December 23:00 means the 19th; its end is the morning of the return; it has rows for teachers alone; and the
summer's row has no end of its own.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from schemas.school_time.calendar import Calendar, HolidayCalendar, Period
from schemas.school_time.timetable import HalfDay, Timetable

_PARIS: Final = ZoneInfo("Europe/Paris")
_TEACHERS: Final = "enseignants"
_WEEKDAYS: Final = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi")
_HALF_DAYS: Final = ("matin", "apres_midi")
_HEADINGS: Final = {
    "date de début": "start_date",
    "date de fin": "end_date",
    "académies": "location",
}
"""As the portal writes them where it exports labels instead of names."""
_YEAR: Final = re.compile(r"(20\d\d)-(20\d\d)")
_TIME: Final = re.compile(r"(\d{1,2})[:hH](\d{2})(?::\d{2})?")
_SUMMER: Final = re.compile(r"(?i)\bété\b")
_RETURN: Final = re.compile(r"(?i)^rentrée")

Cells = Mapping[str, str]


class MinistryFileError(ValueError):
    """The rows cannot be used; `problems` has what to mend, line by line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Timetables:
    """The weeks of schools, by UAI and school year."""

    weeks: Mapping[tuple[str, str], Timetable]


@dataclass
class _Academie:
    zone: str
    periods: set[Period] = field(default_factory=set)
    open_summers: set[tuple[date, str]] = field(default_factory=set)
    """First day and label of summers without an end."""
    returns: set[date] = field(default_factory=set)
    begins: set[date] = field(default_factory=set)
    """1 September of each school year that has rows."""


def read_calendar(rows: Iterable[Cells], source: str) -> Calendar:
    """The calendar of the rows of fr-en-calendrier-scolaire, the heading being line 1.

    Raises MinistryFileError where a row cannot be read or a summer has no end.
    """
    problems: list[str] = []
    academies: dict[str, _Academie] = {}
    for line, row in enumerate(rows, 2):
        try:
            _take(academies, {_HEADINGS.get(name.strip().lower(), name.strip().lower()): row[name] for name in row})
        except (KeyError, ValueError) as error:
            problems.append(f"line {line}: {_told(error)}")
    calendars: dict[str, HolidayCalendar] = {}
    for name, academie in academies.items():
        try:
            calendars[name] = _close(academie)
        except ValueError as error:
            problems.append(f"académie {name}: {error}")
    if not academies and not problems:
        problems.append("no row of pupils' holidays: this is no fr-en-calendrier-scolaire")
    if problems:
        raise MinistryFileError(problems)
    return _by_zone(academies, calendars, source)


def read_timetables(rows: Iterable[Cells]) -> Timetables:
    """The weeks in the rows of fr-en-organisation-du-temps-scolaire, the heading being line 1.

    A school with several rhythms has lessons wherever one of them has. Raises MinistryFileError.
    """
    problems: list[str] = []
    weeks: dict[tuple[str, str], Timetable] = {}
    for line, row in enumerate(rows, 2):
        try:
            key = (row["code_uai"].strip().upper(), _school_year(row["annee_scolaire"]))
            week = _week(row)
        except (KeyError, ValueError) as error:
            problems.append(f"line {line}: {_told(error)}")
            continue
        known = weeks.get(key)
        weeks[key] = week if known is None else _either(known, week)
    if not weeks and not problems:
        problems.append("no row: this is no fr-en-organisation-du-temps-scolaire")
    if problems:
        raise MinistryFileError(problems)
    return Timetables(weeks)


def _take(academies: dict[str, _Academie], row: Cells) -> None:
    if row.get("population", "").strip().lower() == _TEACHERS:
        return
    academie = academies.setdefault(row["location"].strip().lower(), _Academie(_zone(row["zones"])))
    label = row["description"].strip()
    first = _day_in_paris(row["start_date"])
    year = _school_year(row["annee_scolaire"])
    academie.begins.add(date(int(year[:4]), 9, 1))
    after = _day_in_paris(row["end_date"]) if row.get("end_date", "").strip() else first
    if _RETURN.match(label):
        academie.returns.add(first)
    elif after > first:
        academie.periods.add(Period(first, after, label))
    elif _SUMMER.search(label):
        academie.open_summers.add((first, label))
    else:
        raise ValueError(f"{label} ends on {after} and begins on {first}")


def _close(academie: _Academie) -> HolidayCalendar:
    """Give open summers their end; the last one ends the calendar."""
    periods = set(academie.periods)
    closed = {period.first for period in periods if _SUMMER.search(period.label)}
    after = max([period.after for period in periods] + [first for first, _ in academie.open_summers])
    for first, label in academie.open_summers:
        if first in closed:
            continue
        following = [day for day in academie.returns if day > first]
        if following:
            periods.add(Period(first, min(following), label))
            after = max(after, min(following))
        elif any(begin > first for begin in academie.begins):
            raise ValueError(
                f"the summer from {first} has no end, although the next school year has rows: add a line with the "
                "description 'Rentrée scolaire des élèves' and that day as start_date"
            )
    september = min(academie.begins)
    begins = min((day for day in academie.returns if day.year == september.year), default=september)
    return HolidayCalendar(begins, after, tuple(periods))


def _by_zone(academies: Mapping[str, _Academie], calendars: Mapping[str, HolidayCalendar], source: str) -> Calendar:
    """What most académies of a zone have is the zone's; the others keep their own."""
    of_zone: defaultdict[str, list[str]] = defaultdict(list)
    for name, academie in academies.items():
        if academie.zone:
            of_zone[academie.zone].append(name)
    zones = {zone: Counter(calendars[name] for name in names).most_common(1)[0][0] for zone, names in of_zone.items()}
    own = {name: calendar for name, calendar in calendars.items() if zones.get(academies[name].zone) != calendar}
    return Calendar(zones, own, source)


def _day_in_paris(text: str) -> date:
    """A day, or the day in Paris of a moment; a moment without a zone is taken as UTC, as the portal means it."""
    text = text.strip()
    moment = datetime.fromisoformat(text)
    if len(text) == len("2026-12-19"):
        return moment.date()
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(_PARIS).date()


def _zone(text: str) -> str:
    """`Zone B` is B; Corse and the overseas académies have none."""
    letter = text.strip().upper().removeprefix("ZONE ").strip()
    return letter if letter in {"A", "B", "C"} else ""


def _school_year(text: str) -> str:
    found = _YEAR.search(text)
    if found is None or int(found[2]) != int(found[1]) + 1:
        raise ValueError(f"{text!r} is no school year: write it like 2026-2027")
    return found[0]


def _week(row: Cells) -> Timetable:
    half_days: dict[int, tuple[HalfDay, ...]] = {}
    for number, weekday in enumerate(_WEEKDAYS, 1):
        found = tuple(
            HalfDay(begins, ends)
            for part in _HALF_DAYS
            if (begins := _minute(row, f"{weekday}_{part}_debut")) is not None
            and (ends := _minute(row, f"{weekday}_{part}_fin")) is not None
        )
        if found:
            half_days[number] = found
    if not half_days:
        raise ValueError("no half-day has both its beginning and its end")
    return Timetable(half_days)


def _minute(row: Cells, name: str) -> int | None:
    text = (row.get(name) or "").strip()
    if not text:
        return None
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"{name} is {text!r}: write it like 08:30")
    return 60 * int(found[1]) + int(found[2])


def _either(one: Timetable, other: Timetable) -> Timetable:
    """Lessons wherever one of two weeks has them: half-days that touch are joined."""
    joined: dict[int, tuple[HalfDay, ...]] = {}
    for weekday in sorted({*one.half_days, *other.half_days}):
        parts: list[HalfDay] = []
        for half_day in sorted((*one.half_days.get(weekday, ()), *other.half_days.get(weekday, ()))):
            if parts and half_day.begins_min <= parts[-1].ends_min:
                parts[-1] = replace(parts[-1], ends_min=max(parts[-1].ends_min, half_day.ends_min))
            else:
                parts.append(half_day)
        joined[weekday] = tuple(parts)
    return Timetable(joined)


def _told(error: Exception) -> str:
    return f"the column {error} is missing" if isinstance(error, KeyError) else str(error)
