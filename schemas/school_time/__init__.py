"""School time: which minutes of a school are lessons, and why the others are none. Pure, dated, and with an end."""

from schemas.school_time.calendar import Calendar, CalendarEndedError, DayOff, HolidayCalendar, Period
from schemas.school_time.closure import Closure, ClosureReason
from schemas.school_time.place import Place
from schemas.school_time.school_time import Category, SchoolTime, Span
from schemas.school_time.timetable import DEFAULT_TIMETABLE, HalfDay, Timetable, school_year

__all__ = [
    "DEFAULT_TIMETABLE",
    "Calendar",
    "CalendarEndedError",
    "Category",
    "Closure",
    "ClosureReason",
    "DayOff",
    "HalfDay",
    "HolidayCalendar",
    "Period",
    "Place",
    "SchoolTime",
    "Span",
    "Timetable",
    "school_year",
]
