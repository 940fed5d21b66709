"""What dashboards' statements give, and the same figures counted in Python from the events themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from grafana.dashboards import made
from grafana.dashboards.interpolation import Choice, fill_in
from grafana.dashboards.quick_range import resolve
from grafana.viewer.answer import answer
from grafana.viewer.period import Period
from grafana.viewer.source import Source
from schemas.applications import APPLICATIONS
from tests.grafana_seed import NOW, PARIS, PROFILES, TODAY, City, Event, accounts

Column = list[Any]
FIRST = TODAY - timedelta(weeks=4)
"""First day of the period of Adoption."""
LABELS = {key: label for key, label, _ in PROFILES}


class Board:
    """One dashboard's statements over the city."""

    def __init__(self, source: Source, city: City, uid: str, start: date | datetime, end: datetime) -> None:
        """`start` is a moment, or the first day."""
        self._source = source
        self._schools = [school.uai for school in city.deployed]
        self._board = _boards()[uid]
        begin = start if isinstance(start, datetime) else datetime(start.year, start.month, start.day, tzinfo=PARIS)
        self._period = Period(begin, end)

    async def columns(
        self, title: str, schools: list[str] | None = None, apps: list[str] | None = None
    ) -> dict[str, Column]:
        """The columns of a panel's table by name, with All or with these schools or applications chosen."""
        (panel,) = (panel for panel in self._board["panels"] if panel.get("title") == title)
        (target,) = panel["targets"]
        return await self._columns(target, schools, apps, panel.get("timeFrom", ""))

    async def marks(self, name: str, schools: list[str] | None = None) -> dict[str, Column]:
        """The columns of an annotation by name."""
        (mark,) = (mark for mark in self._board["annotations"]["list"] if mark["name"] == name)
        return await self._columns(mark["target"], schools, None)

    async def _columns(
        self, target: dict[str, Any], schools: list[str] | None, apps: list[str] | None, back: str = ""
    ) -> dict[str, Column]:
        period = resolve(f"now-{back}", "now", NOW) if back else self._period
        choices = {
            "ecole": Choice(schools or self._schools, everything=schools is None),
            "profil": Choice(list(LABELS), everything=True),
            "application": Choice(apps or list(APPLICATIONS), everything=apps is None),
        }
        asked = {**target, "rawSql": fill_in(target["rawSql"], choices), "format": 1}
        answered = await answer(self._source.query, asked, period)
        assert "error" not in answered, answered["error"]
        (frame,) = answered["frames"]
        names = [field["name"] for field in frame["schema"]["fields"]]
        return dict(zip(names, frame["data"]["values"], strict=True))


@cache
def _boards() -> dict[str, dict[str, Any]]:
    return made()


def so_far(event: Event, day: date) -> bool:
    """Whether it happened on `day` up to the minute of the day that it is now."""
    local, now = event.time.astimezone(PARIS), NOW.astimezone(PARIS)
    return local.date() == day and (local.hour, local.minute) <= (now.hour, now.minute)


def hour_of(event: Event) -> int:
    return event.time.astimezone(PARIS).hour


def week_ago(figure: Callable[[list[Event]], float], events: Iterable[Event]) -> float:
    """`figure` of a week ago at this minute: that of the hours that were over, and its share of the running hour."""
    then, now = TODAY - timedelta(days=7), NOW.astimezone(PARIS)
    known = [event for event in events if event.time.astimezone(PARIS).date() == then and hour_of(event) <= now.hour]
    begun, ended = figure([event for event in known if hour_of(event) < now.hour]), figure(known)
    return begun + (now.minute * 60 + now.second + 1) / 3600 * (ended - begun)


def in_period(city: City, kind: str, school: str = "") -> list[Event]:
    """Events of four weeks, of one school or of all."""
    return chosen(city, kind, lambda event: event.day >= FIRST and (not school or school in event.schools))


def day_of(time_ms: int) -> date:
    """The day in Paris of a time in a frame."""
    return datetime.fromtimestamp(time_ms / 1000, PARIS).date()


def chosen(city: City, kind: str, condition: Callable[[Event], bool]) -> list[Event]:
    return [event for event in city.events if event.type == kind and condition(event)]


def activated(city: City, group: Callable[[dict[str, Any]], Any]) -> Counter[Any]:
    total: Counter[Any] = Counter()
    for row in accounts(city):
        total[group(row)] += int(str(row["activated"]))
    return total


def people(events: Iterable[Event]) -> int:
    return len({event.user for event in events})


def with_accounts(city: City, events: Iterable[Event]) -> list[Event]:
    """Those of persons whose profile has accounts in one of their schools."""
    known = {(row["uai"], row["profile"]) for row in accounts(city)}
    return [event for event in events if any((uai, event.profile) in known for uai in event.schools)]


def monday_of(event: Event) -> date:
    return event.day - timedelta(days=event.day.weekday())
