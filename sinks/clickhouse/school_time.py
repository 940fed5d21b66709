"""School time in the database: what was loaded and declared, and its expansion for dashboards.

Writers only add: a load counts when its line in `calendar_loads` is there, an expansion when its line in
`school_time_revisions` is. So each may be cut and done again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from hashlib import sha256
from typing import Any, Final

import polars as pl

from schemas.school_time import (
    Calendar,
    Closure,
    ClosureReason,
    HalfDay,
    HolidayCalendar,
    Period,
    Place,
    SchoolTime,
    Timetable,
)
from schemas.school_time.bundled import BUNDLED
from schemas.school_time.school_time import PARIS
from sinks.clickhouse.arrow import to_arrow
from sinks.clickhouse.client import Client

KEPT: Final = 3
"""Loads and expansions that stay for readers that are slow."""
_YEARS: Final = "annee"
_PERIODS: Final = {
    "load": pl.UInt64,
    "zone": pl.String,
    "academie": pl.String,
    "first": pl.Date,
    "after": pl.Date,
    "label": pl.String,
    "kind": pl.String,
}
_WEEKS: Final = {
    "load": pl.UInt64,
    "uai": pl.String,
    "school_year": pl.String,
    "weekday": pl.UInt8,
    "begins_min": pl.UInt16,
    "ends_min": pl.UInt16,
}
_RHYTHMS: Final = {"revision": pl.UInt64, "uai": pl.String, "rhythm": pl.UInt64}
_SPANS: Final = {
    "revision": pl.UInt64,
    "rhythm": pl.UInt64,
    "starts": pl.Datetime("ms", "UTC"),
    "category": pl.String,
}

Weeks = Mapping[tuple[str, str], Timetable]


class SchoolTimeTables:
    """School time in one database. Every method raises `DatabaseFailure`, and may be repeated."""

    def __init__(self, client: Client, database: str) -> None:
        self._client = client
        self._database = database

    def load(self, calendar: Calendar, weeks: Weeks) -> None:
        """Put a calendar and timetables in force, in place of those before."""
        load = self._next("calendar_loads", "load")
        periods = [
            (load, zone, academie, period.first, period.after, period.label, period.kind.value)
            for zone, academie, holidays in _calendars(calendar)
            for period in holidays.periods
        ]
        years = [
            (load, zone, academie, holidays.begins, holidays.after, "", _YEARS)
            for zone, academie, holidays in _calendars(calendar)
        ]
        lessons = [
            (load, uai, year, weekday, half_day.begins_min, half_day.ends_min)
            for (uai, year), week in weeks.items()
            for weekday, half_days in week.half_days.items()
            for half_day in half_days
        ]
        self._insert("calendar_periods", [*periods, *years], _PERIODS)
        self._insert("timetables", lessons, _WEEKS)
        self._client.command(
            f"INSERT INTO {self._database}.calendar_loads (load, source, loaded_at) "
            "SELECT {load:UInt64}, {source:String}, now64(3)",
            {"load": load, "source": calendar.source},
        )
        self._forget("calendar_loads", "load", ("calendar_periods", "timetables"))

    def declare(self, closure: Closure, *, withdrawn: bool = False) -> None:
        """Keep a closure, or take it back; the last word on its id counts."""
        self._client.command(
            f"INSERT INTO {self._database}.school_closures "
            "(closure_id, uai, starts, ends, reason, note, declared_at, withdrawn, version) "
            "SELECT {id:String}, {uai:String}, fromUnixTimestamp({starts:Int64}), fromUnixTimestamp({ends:Int64}), "
            "{reason:String}, {note:String}, now64(3), {withdrawn:Bool}, toUnixTimestamp64Micro(now64(6))",
            {
                "id": closure.closure_id,
                "uai": closure.uai,
                "starts": int(closure.starts.timestamp()),
                "ends": int(closure.ends.timestamp()),
                "reason": closure.reason.value,
                "note": closure.note,
                "withdrawn": withdrawn,
            },
        )

    def closures(self) -> list[Closure]:
        """Those that were declared and not taken back, by their start."""
        rows = self._client.query_rows(
            "SELECT closure_id, toString(uai), starts, ends, toString(reason), note "
            f"FROM {self._database}.v_school_closures ORDER BY starts, closure_id"
        )
        return [
            Closure(id_, uai, starts, ends, ClosureReason(reason), note)
            for id_, uai, starts, ends, reason, note in rows
        ]

    def read(self) -> SchoolTime:
        """All of it, for the schools of the directory in force; the bundled calendar where none was loaded."""
        places = {
            uai: Place(academie, zone, subdivision)
            for uai, academie, zone, subdivision in self._client.query_rows(
                "SELECT toString(uai), toString(academie), toString(zone), toString(holidays) "
                f"FROM {self._database}.v_schools ORDER BY uai"
            )
        }
        return SchoolTime(self._calendar(), places, self._weeks(), self.closures())

    def expand(self) -> bool:
        """Bring `school_time` up to what is declared; whether anything had changed.

        Raises CalendarEndedError where a school lies in no calendar.
        """
        known = self.read()
        content = _digest(known)
        found = self._client.query_rows(
            f"SELECT content FROM {self._database}.school_time_revisions ORDER BY revision DESC LIMIT 1"
        )
        if found == [(content,)]:
            return False
        revision = self._next("school_time_revisions", "revision")
        rhythms = _rhythms(known)
        self._insert(
            "school_rhythms",
            [(revision, uai, number) for number, uais in enumerate(rhythms) for uai in uais],
            _RHYTHMS,
        )
        for number, uais in enumerate(rhythms):
            self._insert("school_time", _span_rows(known, uais[0], revision, number), _SPANS)
        begins = max((known.calendar.of(place).begins for place in known.places.values()), default=date.min)
        after = known.after() or date.min
        self._client.command(
            f"INSERT INTO {self._database}.school_time_revisions (revision, content, begins, after, activated_at) "
            "SELECT {revision:UInt64}, {content:String}, {begins:Date}, {after:Date}, now64(3)",
            {
                "revision": revision,
                "content": content,
                "begins": max(begins, date(1970, 1, 1)),
                "after": max(after, date(1970, 1, 1)),
            },
        )
        self._forget("school_time_revisions", "revision", ("school_rhythms", "school_time"))
        return True

    def _calendar(self) -> Calendar:
        loads = self._client.query_rows(
            f"SELECT load, source FROM {self._database}.calendar_loads FINAL ORDER BY load DESC LIMIT 1"
        )
        if not loads:
            return BUNDLED
        ((load, source),) = loads
        rows = self._client.query_rows(
            "SELECT toString(zone), toString(academie), first, after, label, toString(kind) "
            f"FROM {self._database}.calendar_periods FINAL WHERE load = {{load:UInt64}}",
            {"load": load},
        )
        years: dict[tuple[str, str], tuple[date, date]] = {}
        periods: defaultdict[tuple[str, str], list[Period]] = defaultdict(list)
        for zone, academie, first, after, label, kind in rows:
            if kind == _YEARS:
                years[zone, academie] = (first, after)
            else:
                periods[zone, academie].append(Period(first, after, label))
        found = {
            whose: HolidayCalendar(begins, after, tuple(periods[whose])) for whose, (begins, after) in years.items()
        }
        zones = {zone: holidays for (zone, _), holidays in found.items() if zone}
        return Calendar(zones, {name: holidays for (_, name), holidays in found.items() if name}, source)

    def _weeks(self) -> Weeks:
        rows = self._client.query_rows(
            "SELECT toString(uai), toString(school_year), weekday, begins_min, ends_min "
            f"FROM {self._database}.timetables FINAL "
            f"WHERE load = (SELECT max(load) FROM {self._database}.calendar_loads) "
            "ORDER BY uai, school_year, weekday, begins_min"
        )
        found: defaultdict[tuple[str, str], dict[int, tuple[HalfDay, ...]]] = defaultdict(dict)
        for uai, year, weekday, begins, ends in rows:
            week = found[uai, year]
            week[weekday] = (*week.get(weekday, ()), HalfDay(begins, ends))
        return {whose: Timetable(week) for whose, week in found.items()}

    def _next(self, table: str, column: str) -> int:
        """A number above all before it: microseconds of the database's clock."""
        ((number,),) = self._client.query_rows(
            f"SELECT greatest(toUInt64(toUnixTimestamp64Micro(now64(6))), max({column}) + 1) "
            f"FROM {self._database}.{table}"
        )
        return int(number)

    def _insert(self, table: str, rows: list[Any], schema: Mapping[str, Any]) -> None:
        if rows:
            frame = pl.DataFrame(rows, schema=dict(schema), orient="row")
            self._client.insert_arrow(f"{self._database}.{table}", to_arrow(frame))

    def _forget(self, revisions: str, column: str, tables: tuple[str, ...]) -> None:
        kept = self._client.query_rows(
            f"SELECT DISTINCT {column} FROM {self._database}.{revisions} ORDER BY {column} DESC LIMIT {KEPT}"
        )
        for table in tables:
            parts = self._client.query_rows(
                "SELECT DISTINCT partition FROM system.parts WHERE active AND database = {database:String} "
                "AND table = {table:String} AND toUInt64(partition) < {oldest:UInt64}",
                {"database": self._database, "table": table, "oldest": kept[-1][0]},
            )
            for (partition,) in parts:
                self._client.command(f"ALTER TABLE {self._database}.{table} DROP PARTITION {int(partition)}")


def _calendars(calendar: Calendar) -> list[tuple[str, str, HolidayCalendar]]:
    zones = [(zone, "", holidays) for zone, holidays in calendar.zones.items()]
    return zones + [("", academie, holidays) for academie, holidays in calendar.academies.items()]


def _rhythms(known: SchoolTime) -> list[list[str]]:
    """Schools that share everything their time depends on."""
    weeks: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for (uai, year), week in sorted(known.timetables.items(), key=lambda item: item[0]):
        weeks[uai].append((year, repr(sorted(week.half_days.items()))))
    own = {closure.uai for closure in known.closures if closure.uai}
    alike: defaultdict[Any, list[str]] = defaultdict(list)
    for uai, place in known.places.items():
        key = (known.calendar.of(place), place.subdivision, tuple(weeks[uai]), uai if uai in own else "")
        alike[key].append(uai)
    return list(alike.values())


def _span_rows(known: SchoolTime, uai: str, revision: int, rhythm: int) -> list[tuple[int, int, datetime, str]]:
    holidays = known.calendar.of(known.places[uai])
    concerned = replace(known, closures=[closure for closure in known.closures if closure.concerns(uai)])
    spans = concerned.spans(uai, holidays.begins, holidays.after)
    end = datetime.combine(holidays.after, time(), PARIS).astimezone(UTC)
    return [(revision, rhythm, span.starts, span.category.value) for span in spans] + [(revision, rhythm, end, "")]


def _digest(known: SchoolTime) -> str:
    parts = (
        sorted((zone, repr(holidays)) for zone, holidays in known.calendar.zones.items()),
        sorted((name, repr(holidays)) for name, holidays in known.calendar.academies.items()),
        sorted(known.places.items()),
        sorted((whose, sorted(week.half_days.items())) for whose, week in known.timetables.items()),
        [replace(closure, note="") for closure in known.closures],
    )
    return sha256(repr(parts).encode()).hexdigest()
