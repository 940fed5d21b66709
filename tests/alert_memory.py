"""The tables of alerting in memory, and a simulated city to fill them: for passes on simulated time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

import polars as pl

from schemas.school_time import Calendar, Closure, Place, SchoolTime
from schemas.school_time.bundled import BUNDLED
from schemas.school_time.school_time import PARIS
from sinks.clickhouse.alert_tables import ENDED, AlertRow, Delivery, Mute, StepRow
from sinks.clickhouse.logins import COUNTS, Part, Span
from streams.directory.folder import read_directory_folder
from streams.simulator.mulhouse import EXAMPLE
from streams.simulator.population import Settling
from streams.simulator.school_week import timetables_of
from tests.simulated_city import minutes_of

DAY = timedelta(days=1)


@cache
def settling(seed: int) -> Settling:
    return Settling(read_directory_folder(EXAMPLE).rows, seed)


@cache
def minutes(seed: int, day: date) -> pl.DataFrame:
    """What happens on a day; `at` in UTC, by school, class, profile and type."""
    return minutes_of(settling(seed), seed, day)


def paris(day: date, clock: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), PARIS)


@dataclass
class Silence:
    """What is lost of a school, or of all."""

    starts: datetime
    ends: datetime
    uai: str = ""
    share: int = 100
    """Of a hundred rows."""

    def spare(self, frame: pl.DataFrame) -> pl.DataFrame:
        within = pl.col("at").is_between(_naive(self.starts), _naive(self.ends), closed="left")
        here = pl.lit(value=True) if not self.uai else pl.col("uai") == self.uai
        lost = within & here & (pl.struct(pl.all()).hash(1) % 100 < self.share)
        return frame.filter(~lost)


def bins_of(frame: pl.DataFrame, day: date, first_min: int, step_min: int) -> pl.DataFrame:
    """COUNTS of the minutes of a day."""
    local = pl.col("at").dt.replace_time_zone("UTC").dt.convert_time_zone("Europe/Paris")
    minute = local.dt.hour().cast(pl.Int32) * 60 + local.dt.minute().cast(pl.Int32)
    return (
        frame.with_columns(day=pl.lit(day), bin=(minute - first_min) // step_min)
        .filter(pl.col("bin") >= 0)
        .group_by("day", "bin", "uai", "profile")
        .agg(
            logins=pl.col("n").filter(pl.col("type") == "login").sum().cast(pl.Int64),
            events=pl.col("n").sum().cast(pl.Int64),
        )
        .select(pl.col(name).cast(kind) for name, kind in COUNTS.items())
    )


@cache
def whole_day(seed: int, day: date, first_min: int, step_min: int) -> pl.DataFrame:
    """COUNTS of a day on which nothing is lost."""
    return bins_of(minutes(seed, day), day, first_min, step_min)


@dataclass
class CityLogins:
    """What has happened in the city up to now, as the windows would have it."""

    seed: int
    now: datetime
    silences: list[Silence] = field(default_factory=list)
    complete: datetime | None = None
    """Where the pipeline stands still; None: it does not."""
    begun: date = date(2026, 9, 14)

    def counts(self, first: date, after: date, first_min: int, step_min: int) -> pl.DataFrame:
        days = [first + DAY * number for number in range((after - first).days)]
        parts = [self._counts(day, first_min, step_min) for day in days if day >= self.begun]
        return pl.concat(parts) if parts else pl.DataFrame(schema=COUNTS)

    def _counts(self, day: date, first_min: int, step_min: int) -> pl.DataFrame:
        known = min(self.now, self.complete or self.now)
        silences = [silence for silence in self.silences if silence.starts.date() == day]
        if not silences and known.date() > day:
            return whole_day(self.seed, day, first_min, step_min)
        frame = minutes(self.seed, day).filter(pl.col("at") < _naive(known))
        for silence in silences:
            frame = silence.spare(frame)
        return bins_of(frame, day, first_min, step_min)

    def deployed(self) -> dict[str, tuple[str, date]]:
        population = settling(self.seed).on(self.now.date())
        return {uai: (f"École {uai}", date(2025, 9, 1)) for uai in population.uais}

    def complete_through(self) -> datetime | None:
        return self.complete or self.now

    def persons(self, uai: str, span: Span) -> int:
        within = pl.col("at").is_between(_naive(span.starts), _naive(span.ends), closed="left")
        frame = minutes(self.seed, span.starts.astimezone(PARIS).date())
        for silence in self.silences:
            frame = silence.spare(frame)
        return int(frame.filter(within & (pl.col("uai") == uai) & (pl.col("type") == "login"))["n"].sum())

    def parts(self, uai: str, of: str, span: Span, comparable: Sequence[Span]) -> list[Part]:
        return [Part(f"{of} grande", 0, 0, 40.0, 20.0), Part(f"{of} petite", 0, 0, 4.0, 3.0)] if comparable else []

    def notified_in_pause(self, first: date, after: date) -> list[tuple[str, int, int]]:
        return [("0689901T", 100, 30), ("0689902U", 100, 1)]


@dataclass
class Times:
    """School time as the simulated schools keep it."""

    seed: int
    closures: list[Closure] = field(default_factory=list)
    calendar: Calendar = BUNDLED

    def expand(self) -> bool:
        return False

    def read(self) -> SchoolTime:
        day = date(2026, 11, 2)
        population = settling(self.seed).on(day)
        places = {uai: Place("Strasbourg", "B", "6AE") for uai in population.uais}
        return SchoolTime(self.calendar, places, timetables_of(population, day), self.closures)


@dataclass
class MemoryAlerts:
    """A twin of `AlertTables`."""

    rows: dict[tuple[str, int], StepRow] = field(default_factory=dict)
    deliveries: dict[tuple[str, int, str], Delivery] = field(default_factory=dict)
    muted: list[Mute] = field(default_factory=list)
    acks: set[str] = field(default_factory=set)
    health: list[pl.DataFrame] = field(default_factory=list)

    def add_steps(self, steps: Sequence[StepRow]) -> None:
        self.rows |= {(step.alert_id, step.step): step for step in steps}

    def add_health(self, scores: pl.DataFrame) -> None:
        self.health.append(scores)

    def last_judged(self) -> datetime | None:
        return max((frame["at"].max() for frame in self.health), default=None)  # type: ignore[type-var, return-value]

    def steps(self, alert_id: str) -> list[StepRow]:
        return [row for (id_, _), row in sorted(self.rows.items()) if id_.startswith(alert_id)]

    def alerts(self, since: datetime | None = None) -> list[AlertRow]:
        found = []
        for id_ in {id_ for id_, _ in self.rows}:
            life = self.steps(id_)
            last = life[-1]
            ended = last.at if last.what in {"resolved", "told"} else None
            if since is None or ended is None or ended >= since:
                found.append(_row(life, last, ended))
        return sorted(found, key=lambda row: row.opened_at, reverse=True)

    def untold(self, channels: Sequence[str], since: datetime) -> list[tuple[StepRow, str, int]]:
        waiting = []
        for step in sorted(self.rows.values(), key=lambda row: (row.at, row.alert_id, row.step)):
            for channel in channels:
                noted = self.deliveries.get((step.alert_id, step.step, channel))
                if step.at >= since and (noted is None or noted.outcome not in ENDED):
                    waiting.append((step, channel, noted.attempts if noted else 0))
        return waiting

    def note_delivery(self, delivery: Delivery) -> None:
        self.deliveries[delivery.alert_id, delivery.step, delivery.channel] = replace(delivery)

    def mutes(self) -> list[Mute]:
        return self.muted

    def acknowledged(self) -> set[str]:
        return self.acks


def _row(life: list[StepRow], last: StepRow, ended: datetime | None) -> AlertRow:
    return AlertRow(
        last.alert_id,
        last.kind,
        last.topic,
        last.uai,
        last.profile,
        last.level,
        last.title,
        last.text,
        last.observed,
        last.expected,
        last.evidence,
        last.limit,
        min(step.since for step in life),
        life[0].at,
        ended,
        ended is None,
        len(life),
        life[0].details,
        acknowledged=False,
    )


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
