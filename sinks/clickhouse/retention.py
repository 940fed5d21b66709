"""How long each table keeps its rows: data, put into the tables as their TTL, and checked.

Whole days of Paris expire together, in events and in all windows at once: an hour is recomputed from its minutes and a
day from its hours, so none of them may outlive what it is made of. Counts stay when states are gone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from sinks.base import Level
from sinks.clickhouse.client import Client
from sinks.clickhouse.windows import FAMILIES

GRACE_DAYS = 3
"""Merges delete what has expired some time later; what is older than this is a fault."""


class RetentionSettings(BaseModel):
    """How long what is kept, in days."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    events_days: int = Field(180, ge=60, le=400, description="Events, and the states of windows with them.")
    dead_letters_days: int = Field(30, ge=1, le=400, description="Dead letters.")
    counts_days: int = Field(761, ge=180, le=4000, description="Plain counts by day, week and month; 25 months.")


@dataclass(frozen=True)
class Retention:
    """One table: the day of a row, as an expression over its columns, and how many days it is kept."""

    table: str
    """With its database."""
    day: str
    days: int
    why: str

    @property
    def ttl(self) -> str:
        """As ClickHouse writes it back."""
        return f"{self.day} + toIntervalDay({self.days})"


def retentions(database: str, settings: RetentionSettings) -> list[Retention]:
    """Every table that expires. What is not named here holds nothing of persons: the ledger, the directory."""
    events = settings.events_days
    windows = [
        Retention(
            f"{database}.{family}_by_{level}",
            "slice" if level is Level.DAY else "toDate(slice, 'Europe/Paris')",
            events,
            "states, no longer than the events that they are recomputed from",
        )
        for family in FAMILIES
        for level in Level
    ]
    counts, why = settings.counts_days, "plain counts: two school years beside each other"
    return [
        Retention(f"{database}.events", "toDate(event_time, 'Europe/Paris')", events, "one pseudonymous row per event"),
        *windows,
        Retention(
            f"{database}.dead_letters", "toDate(arrived_at)", settings.dead_letters_days, "to mend what was refused"
        ),
        Retention(f"{database}.rejects_by_minute", "toDate(minute)", counts, "plain counts of what was refused"),
        Retention(f"{database}.counts", "start", counts, why),
        Retention(f"{database}.counts_kept", "start", counts, why),
        Retention(f"{database}_public.cells", "start", counts, why),
        Retention(f"{database}_public.publications", "start", counts, why),
    ]


def apply_retention(client: Client, wanted: list[Retention]) -> list[str]:
    """Give every table the TTL that it should have; the names of those that had another one.

    Raises the failures of `sinks.clickhouse.errors`; may be repeated.
    """
    changed = []
    for each in wanted:
        if _ttl(client, each.table) != each.ttl:
            client.command(f"ALTER TABLE {each.table} MODIFY TTL {each.ttl}")
            changed.append(each.table)
    return changed


def check_retention(client: Client, wanted: list[Retention]) -> list[str]:
    """What is not as it should be, a line each: a TTL that is another, rows that should be gone."""
    problems = []
    for each in wanted:
        ttl = _ttl(client, each.table)
        if ttl != each.ttl:
            problems.append(f"{each.table} keeps {ttl or 'everything'} instead of {each.ttl}: run `ent privacy apply`")
        ((oldest, rows),) = client.query_rows(
            f"SELECT min({each.day}), count() FROM {each.table} WHERE {each.day} < today() - {each.days + GRACE_DAYS} "
        )
        if rows:
            problems.append(
                f"{each.table} holds {rows} rows from {oldest} on that should be gone after {each.days} days: "
                f"merges are behind; run OPTIMIZE TABLE {each.table} FINAL"
            )
    return problems


def _ttl(client: Client, table: str) -> str | None:
    ((query,),) = client.query_rows(f"SHOW CREATE TABLE {table}")
    found = re.search(r"^TTL (.+)$", query, re.MULTILINE)
    return found[1].strip() if found else None
