"""What the alerts count: connections by school and profile in bins of Paris' clock, and what fell in a school."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import polars as pl

from sinks.clickhouse.client import Client

COUNTS: Final = {
    "day": pl.Date,
    "bin": pl.Int32,
    "uai": pl.String,
    "profile": pl.String,
    "logins": pl.Int64,
    "events": pl.Int64,
}
"""`events` are of every type; a day is one of Paris, a bin a place in the grid that was asked for."""
_PARIS: Final = "'Europe/Paris'"


@dataclass(frozen=True, slots=True)
class Part:
    """What a class, profile or application did in some hours, and in the same hours of comparable days."""

    name: str
    events: int
    persons: int
    usual_events: float
    usual_persons: float
    """Means over the comparable days."""


@dataclass(frozen=True, slots=True)
class Span:
    """From a moment until before another."""

    starts: datetime
    ends: datetime


class LoginTables:
    """Reads the windows of one database. Every method raises `DatabaseFailure`."""

    def __init__(self, client: Client, database: str) -> None:
        self._client = client
        self._database = database

    def counts(self, first: date, after: date, first_min: int, step_min: int) -> pl.DataFrame:
        """COUNTS of the days from `first` until before `after`; bins begin at minute `first_min` of the day."""
        found = self._client.query_arrow(
            f"SELECT toDate(slice, {_PARIS}) AS day, toString(uai) AS uai, toString(profile) AS profile, "
            f"toInt32(intDiv(toHour(slice, {_PARIS}) * 60 + toMinute(slice, {_PARIS}) - {first_min:d}, {step_min:d})) "
            "AS bin, toInt64(sumIf(events, type = 'login')) AS logins, toInt64(sum(events_once)) AS all_events "
            f"FROM {self._database}.usage_by_minute FINAL "
            f"WHERE {_days(first, after)} AND events > 0 "
            f"AND toHour(slice, {_PARIS}) * 60 + toMinute(slice, {_PARIS}) >= {first_min:d} "
            "GROUP BY day, uai, profile, bin"
        )
        frame = pl.from_arrow(found)
        assert isinstance(frame, pl.DataFrame)
        return frame.rename({"all_events": "events"}).select(pl.col(name).cast(kind) for name, kind in COUNTS.items())

    def deployed(self) -> dict[str, tuple[str, date]]:
        """The schools that have the ENT: name and first day, by UAI."""
        rows = self._client.query_rows(
            f"SELECT toString(uai), name, deployed_from FROM {self._database}.v_schools "
            "WHERE deployed_from IS NOT NULL ORDER BY uai"
        )
        return {uai: (name, day) for uai, name, day in rows}

    def complete_through(self) -> datetime | None:
        """Through which moment the windows are complete; None where no worker has ever said so."""
        rows = self._client.query_rows(
            f"SELECT complete_through, partitions FROM {self._database}.v_complete WHERE partitions > 0"
        )
        return rows[0][0] if rows else None

    def persons(self, uai: str, span: Span) -> int:
        """Distinct persons who connected in a school."""
        ((found,),) = self._client.query_rows(
            f"SELECT uniqExactMerge(users) FROM {self._database}.usage_by_minute FINAL "
            f"WHERE type = 'login' AND uai = {{uai:String}} AND {_within([span])}",
            {"uai": uai},
        )
        return int(found)

    def parts(self, uai: str, of: str, span: Span, comparable: Sequence[Span]) -> list[Part]:
        """A school's `class_id` or `profile` by connections, or its `app` by visits, with the usual ones.

        Classes and applications are named as people say them.
        """
        if not comparable:
            return []
        family, kind = ("app_usage", "app_visit") if of == "app" else ("usage", "login")
        rows = self._client.query_rows(
            f"SELECT name, sumIf(n, is_now), sumIf(persons, is_now), sumIf(n, NOT is_now) / {len(comparable)}, "
            f"sumIf(persons, NOT is_now) / {len(comparable)} FROM ("
            f"SELECT toString({of}) AS name, {_within([span])} AS is_now, toDate(slice, {_PARIS}) AS day, "
            f"sum(events) AS n, uniqExactMerge(users) AS persons FROM {self._database}.{family}_by_minute FINAL "
            f"WHERE type = {{kind:String}} AND uai = {{uai:String}} AND ({_within([span, *comparable])}) "
            f"AND name NOT IN ('', 'unmapped') GROUP BY name, is_now, day) GROUP BY name ORDER BY name",
            {"kind": kind, "uai": uai},
        )
        names = self._names(of)
        return [
            Part(names.get(name, name), int(n), int(persons), usual, many) for name, n, persons, usual, many in rows
        ]

    def notified_in_pause(self, first: date, after: date) -> list[tuple[str, int, int]]:
        """(UAI, notifications, those among them in the pause numérique) of the days from `first` until before `after`.

        The pause is from 20:00 to 07:00 on weekdays and from Friday 20:00 to Monday 07:00 (circulaire of 10 July 2025).
        """
        hour, weekday = f"toHour(slice, {_PARIS})", f"toDayOfWeek(slice, 0, {_PARIS})"
        rows = self._client.query_rows(
            f"SELECT toString(uai), sum(events), sumIf(events, {weekday} >= 6 OR {hour} >= 20 OR {hour} < 7) "
            f"FROM {self._database}.usage_by_hour FINAL WHERE type = 'notification' AND uai != 'unmapped' "
            f"AND {_days(first, after)} GROUP BY uai ORDER BY uai"
        )
        return [(uai, int(all_), int(paused)) for uai, all_, paused in rows]

    def _names(self, of: str) -> dict[str, str]:
        table = {
            "class_id": ("class_id", "label", "v_classes"),
            "app": ("app", "label", "v_applications"),
            "profile": ("profile", "label", "v_profiles"),
        }[of]
        key, label, view = table
        return dict(self._client.query_rows(f"SELECT toString({key}), {label} FROM {self._database}.{view}"))


def _days(first: date, after: date) -> str:
    edges = (f"toDateTime('{day} 00:00:00', {_PARIS})" for day in (first, after))
    return "slice >= {} AND slice < {}".format(*edges)


def _within(spans: Sequence[Span]) -> str:
    return " OR ".join(
        f"(slice >= toDateTime({int(s.starts.timestamp())}) AND slice < toDateTime({int(s.ends.timestamp())}))"
        for s in spans
    )
