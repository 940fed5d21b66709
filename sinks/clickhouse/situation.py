"""How the database and what is in it stand, in a few cheap questions. Every function raises `DatabaseFailure`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sinks.clickhouse.client import Client


@dataclass(frozen=True)
class Server:
    """The server itself."""

    version: str
    now: datetime
    """Its clock, UTC."""
    free_share: float
    """Of the fullest of its disks, from 0 to 1; 1 where it tells of none."""


@dataclass(frozen=True)
class Partition:
    """How far one partition is complete."""

    topic: str
    partition: int
    complete_through: datetime
    lag: int
    """Records that Kafka holds and that are not in the windows yet."""


@dataclass(frozen=True)
class Flow:
    """What came of one topic in the last minutes."""

    topic: str
    stored_per_min: float
    rejected_per_min: float


@dataclass(frozen=True)
class Standing:
    """Alerts on schools that stand."""

    kind: str
    alerts: int


def server(client: Client) -> Server:
    """Version, clock and disks."""
    ((version, now),) = client.query_rows("SELECT version(), now64(3, 'UTC')")
    ((free,),) = client.query_rows("SELECT min(free_space / total_space) FROM system.disks WHERE total_space > 0")
    return Server(str(version), now, min(float(free), 1.0) if free == free else 1.0)


def has_table(client: Client, database: str, table: str) -> bool:
    """Whether the database has a table or view of this name."""
    rows = client.query_rows(
        "SELECT count() FROM system.tables WHERE database = {database:String} AND name = {name:String}",
        {"database": database, "name": table},
    )
    return bool(rows[0][0])


def progress(client: Client, database: str) -> list[Partition]:
    """Every partition that a worker has told of."""
    rows = client.query_rows(
        f"SELECT topic, partition, complete_through, lag FROM {database}.progress FINAL ORDER BY topic, partition"
    )
    return [Partition(*row) for row in rows]


def flows(client: Client, database: str, minutes: int) -> list[Flow]:
    """Events and dead letters that arrived in the last minutes, by topic."""
    rows = client.query_rows(
        f"SELECT topic, sum(stored) / {{minutes:UInt16}}, sum(rejected) / {{minutes:UInt16}} FROM ("
        f"SELECT topic, count() AS stored, 0 AS rejected FROM {database}.events "
        "WHERE arrived_at > now() - INTERVAL {minutes:UInt16} MINUTE GROUP BY topic UNION ALL "
        f"SELECT topic, 0, count() FROM {database}.dead_letters "
        "WHERE arrived_at > now() - INTERVAL {minutes:UInt16} MINUTE GROUP BY topic) GROUP BY topic ORDER BY topic",
        {"minutes": minutes},
    )
    return [Flow(topic, float(stored), float(rejected)) for topic, stored, rejected in rows]


def schools_in_force(client: Client, database: str, revision: int) -> int:
    """Schools that the revision describes as of today."""
    rows = client.query_rows(
        f"SELECT uniqExact(uai) FROM {database}.schools WHERE revision = {{revision:UInt64}} "
        "AND valid_from <= today() AND valid_to > today()",
        {"revision": revision},
    )
    return int(rows[0][0])


def calendar_horizon(client: Client, database: str) -> date | None:
    """First day that the calendar in force does not know; None where none is loaded."""
    rows = client.query_rows(
        f"SELECT max(after) FROM {database}.calendar_periods WHERE kind = 'annee' "
        f"AND load = (SELECT max(load) FROM {database}.calendar_loads) HAVING count() > 0"
    )
    return rows[0][0] if rows else None


def standing_alerts(client: Client, database: str) -> list[Standing]:
    """Alerts that were opened and not resolved, by kind."""
    rows = client.query_rows(
        "SELECT kind, count() FROM (SELECT alert_id, argMax(kind, step) AS kind, argMax(what, step) AS last "
        f"FROM {database}.alert_steps GROUP BY alert_id HAVING last NOT IN ('resolved', 'told')) "
        "GROUP BY kind ORDER BY kind"
    )
    return [Standing(kind, int(count)) for kind, count in rows]
