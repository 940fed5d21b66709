"""A dashboard's own period, as Grafana's front end reads it: `now-4w/d`, `now-1w/w`, `now`, in days of Paris."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from grafana.viewer.period import Period

_PARIS = ZoneInfo("Europe/Paris")
_BOUND = re.compile(r"now(?:-(\d+)([hdw]))?(?:/([dw]))?")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_LAST_MOMENT = timedelta(milliseconds=1)


def resolve(start: str, end: str, now: datetime) -> Period:
    """The period from `start` to `end` at `now`; a rounded start is rounded down, a rounded end up.

    Raises ValueError for what is not written so.
    """
    return Period(_begin(start, now)[0], _end(end, now))


def _end(text: str, now: datetime) -> datetime:
    begin, rounded = _begin(text, now)
    if not rounded:
        return begin
    local = begin.replace(tzinfo=None) + _UNITS[rounded]  # a day has 23 to 25 hours
    return local.replace(tzinfo=_PARIS) - _LAST_MOMENT


def _begin(text: str, now: datetime) -> tuple[datetime, str]:
    """The moment, and to which unit it was rounded down; '': not at all."""
    bound = _BOUND.fullmatch(text)
    if bound is None:
        raise ValueError(f"{text!r} is not like now, now-4w/d or now/w")
    local = now.astimezone(_PARIS).replace(tzinfo=None)
    if bound[1]:
        local -= int(bound[1]) * _UNITS[bound[2]]
    if bound[3]:
        local = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if bound[3] == "w":
        local -= timedelta(days=local.weekday())
    return local.replace(tzinfo=_PARIS), bound[3] or ""
