"""Which moment a demonstration shows: a school morning, whatever day it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

PARIS: Final = ZoneInfo("Europe/Paris")
MORNING: Final = time(8, 35)
"""Classes have just begun to log in."""
HISTORY: Final = timedelta(weeks=4)
LEARNED_DAYS: Final = 15
"""School days that the alerts need before they judge a school of the demonstration, and a few more."""
_LONGEST_HOLIDAY_DAYS: Final = 100


def school_morning(now: datetime, is_school_day: Callable[[date], bool]) -> datetime:
    """The morning of the last full school day before `now` (aware); Wednesdays are no full school days.

    It is never ahead: a real Kafka refuses records from the future.

    Raises ValueError where there is none within the longest holidays: the calendar is wrong.
    """
    today = now.astimezone(PARIS).date()
    for back in range(_LONGEST_HOLIDAY_DAYS):
        day = today - timedelta(days=back)
        morning = datetime.combine(day, MORNING, PARIS).astimezone(UTC)
        if day.isoweekday() != 3 and is_school_day(day) and morning <= now:
            return morning
    raise ValueError(f"no school day in the {_LONGEST_HOLIDAY_DAYS} days before {today}: mend the simulator's calendar")


def first_day(morning: datetime, is_school_day: Callable[[date], bool]) -> date:
    """Where the history before `morning` begins: a Monday, four weeks back, and more where holidays left too few days
    to learn the schools' habits from."""
    day, counted = morning.astimezone(PARIS).date(), 0
    latest = (morning - HISTORY).astimezone(PARIS).date()
    while counted < LEARNED_DAYS or day > latest:
        day -= timedelta(days=1)
        counted += is_school_day(day)
    return day - timedelta(days=day.weekday())
