"""Partitions that a storm of rejects has paused, and how far an operator has let them go on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sinks.clickhouse.client import Client


@dataclass(frozen=True)
class Pause:
    """The last word on one partition of one log."""

    topic: str
    incarnation: int
    partition: int
    offset: int
    """First offset that is held back."""
    reason: str
    allowed_through: int
    """Rejects below this offset are let through."""
    at: datetime

    @property
    def holds(self) -> bool:
        """Whether it holds still."""
        return self.allowed_through <= self.offset


def read_pauses(client: Client, database: str) -> list[Pause]:
    """The last word on each partition that was ever paused."""
    rows = client.query_rows(
        "SELECT topic, incarnation, partition, offset, reason, allowed_through, at "
        f"FROM {database}.pauses FINAL ORDER BY topic, incarnation, partition"
    )
    return [Pause(*row) for row in rows]


def write_pause(client: Client, database: str, pause: Pause) -> None:
    """Keep a word on a partition; the last one counts, by the clock of the database."""
    client.command(
        f"INSERT INTO {database}.pauses (topic, incarnation, partition, offset, reason, allowed_through, at) "
        f"SELECT {{topic:String}}, {pause.incarnation:d}, {pause.partition:d}, {pause.offset:d}, {{reason:String}}, "
        f"{pause.allowed_through:d}, now64(6)",
        {"topic": pause.topic, "reason": pause.reason},
    )
