"""The statements that recompute windows. Pure: text in, text out.

Each statement writes its slices whole, with a version that was drawn in the database *before* it. Whoever has the
higher version has seen everything that was stored before that moment, so the lower one may lose: a pass that is
overtaken, repeated or cut changes nothing that is right. Cells that were there and have no events any more are written
as zeros by the same statement. Each level draws its own version after the level below was written.

A version is drawn by writing a higher one than any before and reading back the highest. Two that are drawn at the same
time may be equal, which does no harm: each pass reads only after it drew, so both have seen what either must. The clock
orders nothing; it only lifts the numbers above those of earlier programs.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from sinks.base import Level

FAMILIES = {"usage": ("class_id", "profile", "type"), "app_usage": ("profile", "app", "type")}
"""Window family -> its dimensions beside the slice and the school."""

_EPOCH_DAY = date(1970, 1, 1)
_MEASURES = "sum(events), sum(events_once), sum(recipients), uniqExactMergeState(users)"
_BELOW = {Level.HOUR: "minute", Level.DAY: "hour"}
_SPAN_S = 3600


def draw_version(database: str) -> tuple[str, str]:
    """Two statements: the first one writes a version higher than any before, the second one reads it."""
    table = f"{database}.passes"
    next_one = "greatest(toUInt64(toUnixTimestamp64Micro(now64(6))), max(version) + 1)"
    return f"INSERT INTO {table} (version) SELECT {next_one} FROM {table}", f"SELECT max(version) FROM {table}"


def passes(database: str, level: Level, slices: Collection[int]) -> list[str]:
    """The statements that write `slices` of `level` anew, one for each window family, with a parameter `version`.

    Slices are as in `Store.recompute`.
    """
    ordered = sorted(slices)
    return [_pass(database, family, level, ordered) for family in FAMILIES]


def _pass(database: str, family: str, level: Level, slices: list[int]) -> str:
    select = (
        _from_events(database, family, ", ".join(_literal(level, at) for at in slices))
        if level is Level.MINUTE
        else _from_below(database, family, level, slices)
    )
    columns = f"slice, uai, {', '.join(FAMILIES[family])}, events, events_once, recipients, users, version"
    return f"INSERT INTO {database}.{family}_by_{level} ({columns})\n{select}"


def _from_events(database: str, family: str, literals: str) -> str:
    dimensions = ", ".join(FAMILIES[family])
    kept = "" if family == "usage" else " AND type IN ('app_visit', 'notification')"
    # The class belongs to the school it is looked at from, the first one or a further one.
    of_the_cell = dimensions.replace("class_id", "cell.2 AS class_id")
    return f"""SELECT slice, uai, {dimensions}, sum(n), sum(once), sum(persons),
  uniqExactStateIf(user_key, n > 0 AND user_key != 0), {{version:UInt64}}
FROM (
  SELECT toStartOfMinute(event_time) AS slice, cell.1 AS uai, {of_the_cell}, user_key,
    1 AS n, cell.3 AS once, cell.3 * recipients AS persons
  FROM {database}.events FINAL
  ARRAY JOIN arrayPushFront(
    arrayMap((u, c) -> (toString(u), toString(c), toUInt64(0)), other_uai, other_class_id),
    (toString(events.uai), toString(events.class_id), toUInt64(1))) AS cell
  WHERE toStartOfMinute(event_time) IN ({literals}){kept}
  UNION ALL
  SELECT slice, uai, {dimensions}, 0, 0, 0, 0
  FROM {database}.{family}_by_minute FINAL WHERE slice IN ({literals}) AND events > 0)
GROUP BY slice, uai, {dimensions}"""


def _from_below(database: str, family: str, level: Level, slices: list[int]) -> str:
    dimensions = ", ".join(FAMILIES[family])
    slice_of = "toStartOfHour(below.slice)" if level is Level.HOUR else "toDate(below.slice, 'Europe/Paris')"
    spans = " OR ".join(_span(level, at) for at in slices)
    return f"""SELECT {slice_of} AS window, uai, {dimensions}, {_MEASURES}, {{version:UInt64}}
FROM {database}.{family}_by_{_BELOW[level]} AS below FINAL WHERE {spans}
GROUP BY window, uai, {dimensions}"""


def _literal(level: Level, at: int) -> str:
    return f"toDate({at})" if level is Level.DAY else f"toDateTime({at}, 'UTC')"


def _span(level: Level, at: int) -> str:
    if level is Level.HOUR:
        return f"(below.slice >= toDateTime({at}, 'UTC') AND below.slice < toDateTime({at + _SPAN_S}, 'UTC'))"
    first = _EPOCH_DAY + timedelta(days=at)  # a day of Paris has 23 to 25 hours
    return (
        f"(below.slice >= toDateTime('{first} 00:00:00', 'Europe/Paris') "
        f"AND below.slice < toDateTime('{first + timedelta(days=1)} 00:00:00', 'Europe/Paris'))"
    )
