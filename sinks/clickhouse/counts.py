"""Plain exact counts of closed windows, which stay when the states that they come from have expired."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sinks.clickhouse.client import Client
from sinks.clickhouse.grains import Grain
from sinks.clickhouse.publication import place_and_kind


def keep_counts(client: Client, database: str, grain: Grain, start: date, age_days: int) -> None:
    """Write the counts of the window of `grain` that begins at `start` anew, and note at which age that was done.

    A cell that has lost its events is written as zero. Raises the failures of `sinks.clickhouse.errors`.
    """
    place, kind = place_and_kind(grain)
    logins, visits = (name if name in grain.counts else "NULL" for name in ("logins", "visits"))
    client.command(f"""INSERT INTO {database}.counts (grain, start, place, kind, users, logins, visits, version)
SELECT '{grain.name}', toDate('{start}'), place, kind, max(n), max(l), max(v), toUnixTimestamp64Micro(now64(6))
FROM (
  SELECT {place} AS place, {kind} AS kind, users AS n, {logins} AS l, {visits} AS v
  FROM {database}.{grain.view} WHERE {grain.window} = toDate('{start}')
  UNION ALL
  SELECT place, kind, 0, NULL, NULL FROM {database}.counts FINAL
  WHERE grain = '{grain.name}' AND start = toDate('{start}') AND users > 0)
GROUP BY place, kind""")
    client.command(
        f"INSERT INTO {database}.counts_kept (grain, start, age_days, version) "
        f"SELECT '{grain.name}', toDate('{start}'), {age_days:d}, toUnixTimestamp64Micro(now64(6))"
    )


def kept_ages(client: Client, database: str, first: date) -> Mapping[tuple[str, date], int]:
    """At which age, in days, counts were kept last, by the grain's name and the window's start."""
    rows = client.query_rows(
        f"SELECT grain, start, max(age_days) FROM {database}.counts_kept WHERE start >= {{first:Date}} "
        "GROUP BY grain, start",
        {"first": first},
    )
    return {(grain, start): age for grain, start, age in rows}
