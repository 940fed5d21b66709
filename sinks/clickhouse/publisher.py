"""Publication against a database: what holds events, what was published, and the writing of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from sinks.clickhouse.client import Client
from sinks.clickhouse.counts import keep_counts, kept_ages
from sinks.clickhouse.grains import Grain
from sinks.clickhouse.publication import Rule, names_sql, progress_sql, publish_sql, record_sql

_NAME_TABLES: Final = ("schools", "classes", "profiles", "accounts", "applications")


class Stage(StrEnum):
    """How far a published window has come."""

    OPEN = "open"
    """Its time runs; it is rewritten at its ticks."""
    CLOSED = "closed"
    """Its time is over; it is frozen until late events are in."""
    FINAL = "final"
    """It is never written again."""


@dataclass(frozen=True)
class Published:
    """What was written last of a window."""

    stage: Stage
    tick: int
    k: int
    """Fewest persons of a row, then."""


def published_ago(client: Client, database: str) -> timedelta | None:
    """How long ago anything was published, by the database's clock; None: never."""
    rows = client.query_rows(
        f"SELECT dateDiff('second', max(written_at), now64(6)), count() FROM {database}_public.progress"
    )
    ((seconds, written),) = rows
    return timedelta(seconds=seconds) if written else None


class Publisher:
    """Writes the published figures of one database. Every call raises the failures of `sinks.clickhouse.errors`."""

    def __init__(self, client: Client, database: str, rule: Rule) -> None:
        self._client = client
        self._database = database
        self._rule = rule

    def days(self, first: date) -> list[date]:
        """The days of Paris, from `first` on, of which there are exact figures."""
        rows = self._client.query_rows(
            f"SELECT DISTINCT slice FROM {self._database}.usage_by_day WHERE slice >= {{first:Date}} ORDER BY slice",
            {"first": first},
        )
        return [day for (day,) in rows]

    def published(self, first: date) -> Mapping[tuple[str, date], Published]:
        """What was written of the windows that begin at `first` or later, by grain and start."""
        rows = self._client.query_rows(
            f"SELECT grain, start, toString(stage), tick, k FROM {self._database}_public.publications FINAL "
            "WHERE start >= {first:Date}",
            {"first": first},
        )
        return {(grain, start): Published(Stage(stage), tick, k) for grain, start, stage, tick, k in rows}

    @property
    def k(self) -> int:
        """Fewest persons of a row."""
        return self._rule.k

    def withdraw(self) -> None:
        """Take away the figures below k of windows before k was raised, as far back as there are any."""
        below = f"FROM {self._database}_public.cells WHERE users < {{k:UInt8}}"
        given = {"k": self._rule.k}
        if self._client.query_rows(f"SELECT count() > 0 {below}", given) == [(1,)]:
            self._client.command(f"DELETE {below}", given)

    def publish(self, grain: Grain, start: date, stage: Stage, tick: int) -> None:
        """Write one window anew, and note it."""
        final = stage is Stage.FINAL
        self._client.command(publish_sql(self._database, grain, start, final=final), self._rule.parameters)
        self._client.command(
            record_sql(self._database, grain, start, stage.value, tick), {"k": self._rule.parameters["k"]}
        )

    def keep(self, grain: Grain, start: date, age_days: int) -> None:
        """Keep the plain exact counts of one window."""
        keep_counts(self._client, self._database, grain, start, age_days)

    def kept_ages(self, first: date) -> Mapping[tuple[str, date], int]:
        """At which age the counts of windows were kept last that begin at `first` or later."""
        return kept_ages(self._client, self._database, first)

    def publish_progress(self) -> None:
        """Say how far the exact figures are complete."""
        self._client.command(progress_sql(self._database), {"k": self._rule.parameters["k"]})

    def publish_names(self) -> None:
        """Copy the names of schools, classes, profiles and applications, and forget the copies before the last one."""
        ((release,),) = self._client.query_rows("SELECT toUnixTimestamp64Micro(now64(6))")
        parameters = {"release": release, **self._rule.parameters}
        for statement in names_sql(self._database):
            self._client.command(statement, parameters)
        for table in _NAME_TABLES:
            for (partition,) in self._client.query_rows(
                "SELECT DISTINCT partition FROM system.parts WHERE active AND database = {database:String} "
                "AND table = {table:String} AND toUInt64(partition) < {release:UInt64}",
                {"database": f"{self._database}_public", "table": table, "release": release},
            ):
                self._client.command(f"ALTER TABLE {self._database}_public.{table} DROP PARTITION {int(partition)}")

    def named_revision(self) -> int:
        """The directory's revision whose names were copied last; 0 where none was."""
        ((revision,),) = self._client.query_rows(
            f"SELECT argMax(revision, release) FROM {self._database}_public.releases"
        )
        return int(revision)
