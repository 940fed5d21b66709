"""The tables as a later version may have them, for tests of a worker that it has not reached yet."""

from __future__ import annotations

from sinks.clickhouse.client import Client

COLUMN = "of_the_next_version"


def widen(client: Client, database: str) -> list[str]:
    """Add a column with a default to every table, and a table that nobody knows; the tables."""
    rows = client.query_rows(
        "SELECT name FROM system.tables WHERE database = {name:String} AND engine LIKE '%MergeTree' ORDER BY name",
        {"name": database},
    )
    tables = [str(name) for (name,) in rows]
    for table in tables:
        client.command(f"ALTER TABLE {database}.{table} ADD COLUMN IF NOT EXISTS {COLUMN} String DEFAULT 'unknown'")
    client.command(f"CREATE TABLE IF NOT EXISTS {database}.{COLUMN} (n UInt64) ENGINE = MergeTree ORDER BY n")
    return tables
