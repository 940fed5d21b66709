"""A simulated Mulhouse's connections in the database, as the windows would hold them, for alerts on simulated time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import polars as pl

from schemas.school_time.bundled import BUNDLED
from schemas.school_time.school_time import PARIS
from sinks.clickhouse.arrow import to_arrow
from sinks.clickhouse.client import Client
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.school_time import SchoolTimeTables
from streams.directory.folder import read_directory_folder
from streams.simulator.day import draw_day
from streams.simulator.faults import Faults
from streams.simulator.mulhouse import EXAMPLE
from streams.simulator.population import PROFILES, Settling
from streams.simulator.rows import APP_VISIT, LOGIN
from streams.simulator.school_week import timetables_of

COLUMNS = ["at", "uai", "class_id", "profile", "type"]


class SimulatedCity:
    """Writes days into the windows of one database, from minute counts whose people are numbered."""

    def __init__(self, client: Client, database: str, seed: int) -> None:
        self.client, self.database, self.seed = client, database, seed
        self.settling = Settling(read_directory_folder(EXAMPLE).rows, seed)
        migrate(client, database)
        client.command(
            f"CREATE TABLE {database}.staging (at DateTime('UTC'), uai String, class_id String, profile String, "
            "type String, n UInt64) ENGINE = MergeTree ORDER BY at"
        )

    def settle(self, today: date) -> None:
        """The directory's schools and their school time."""
        directory = read_directory_folder(EXAMPLE).rows
        schools = directory.schools.with_columns(revision=pl.lit(1, pl.UInt64))
        self.client.insert_arrow(f"{self.database}.schools", schools.drop("digest").to_arrow())
        classes = directory.classes.with_columns(revision=pl.lit(1, pl.UInt64))
        self.client.insert_arrow(f"{self.database}.classes", classes.drop("digest").to_arrow())
        self.client.command(f"INSERT INTO {self.database}.directory_revisions (revision) VALUES (1)")
        SchoolTimeTables(self.client, self.database).load(BUNDLED, timetables_of(self.settling.on(today), today))

    def minutes(self, day: date) -> pl.DataFrame:
        """COLUMNS and `n`: what happens on a day, by minute."""
        return minutes_of(self.settling, self.seed, day)

    def write(self, minutes: pl.DataFrame) -> None:
        """Add minutes to the windows; a minute that was there is written anew."""
        if not len(minutes):
            return
        staged = minutes.select(*COLUMNS, pl.col("n").cast(pl.UInt64)).with_columns(
            pl.col("at").dt.replace_time_zone("UTC")
        )
        self.client.insert_arrow(f"{self.database}.staging", to_arrow(staged))
        self.client.command(
            f"INSERT INTO {self.database}.usage_by_minute SELECT at, uai, class_id, profile, type, n, n, 0, "
            "arrayReduce('uniqExactState', arrayMap(x -> sipHash64(class_id, x), range(n))), 1 "
            f"FROM {self.database}.staging"
        )
        self.client.command(f"TRUNCATE TABLE {self.database}.staging")

    def write_history(self, first: date, after: date) -> None:
        """All days from `first` until before `after`."""
        days = [first + timedelta(days=number) for number in range((after - first).days)]
        self.write(pl.concat([self.minutes(day) for day in days]))

    def complete(self, moment: datetime) -> None:
        """The pipeline has come so far."""
        self.client.command(
            f"INSERT INTO {self.database}.progress VALUES ('ent.login.v1', 0, 1, "
            f"fromUnixTimestamp64Milli({int(moment.timestamp() * 1000)}), 0, now64(6))"
        )


def minutes_of(settling: Settling, seed: int, day: date) -> pl.DataFrame:
    """COLUMNS and `n`: what happens on a day in the schools of its people, by minute of UTC."""
    population = settling.on(day)
    rows = draw_day(population, day, seed, 1.0, Faults()).rows
    kept = np.isin(rows.kind, (LOGIN, APP_VISIT))
    events = pl.DataFrame(
        {
            "at": (rows.moment_ms[kept] // 60_000 * 60_000).astype("datetime64[ms]"),
            "profile": np.array(PROFILES)[rows.profile[kept]],
            "type": np.where(rows.kind[kept] == LOGIN, "login", "app_visit"),
            "place": rows.place[kept].astype(np.int64),
        }
    )
    cells = population.cells.filter(pl.col("once") == 1).select(pl.col("place").cast(pl.Int64), "uai", "class_id")
    return events.join(cells, on="place").group_by(COLUMNS).agg(n=pl.len()).sort(COLUMNS)


def paris(day: date, clock: str) -> datetime:
    """A time of Paris' clock on a day, in UTC."""
    return datetime.combine(day, time.fromisoformat(clock), PARIS).astimezone(UTC)
