"""Grafana's time macros in ClickHouse SQL, as grafana-clickhouse-datasource 4.14 fills them in.

`$__timeInterval` cuts days on UTC whatever the zone: no dashboard of ours uses it for days.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from grafana.viewer.failure import QueryError
from grafana.viewer.period import Period

_OPENING, _CLOSING, _QUOTES = "([", ")]", "'\"`"


@dataclass(frozen=True, slots=True)
class _Macro:
    arguments: int
    expand: Callable[..., str]


def expand(sql: str, period: Period, interval_ms: int) -> str:
    """`sql` with its macros filled in. Raises `QueryError` in the data source's words for wrong arguments."""
    macros = _macros(period, interval_ms)
    name = re.compile(r"\$__(" + "|".join(sorted(macros, key=len, reverse=True)) + r")\b")
    pieces, position = [], 0
    while match := name.search(sql, position):
        macro = macros[match[1]]
        called = sql[match.end() : match.end() + 1] == "("
        given, end = _arguments(sql, match.end()) if called else ([], match.end())
        if macro.arguments and len(given) != macro.arguments:
            raise QueryError(
                f"Could not apply macros: unexpected number of arguments: expected {macro.arguments} arguments, "
                f"received {len(given)}"
            )
        pieces += [sql[position : match.start()], macro.expand(*given[: macro.arguments])]
        position = end
    return "".join(pieces) + sql[position:]


def _macros(period: Period, interval_ms: int) -> dict[str, _Macro]:
    def between(column: str, bound: Callable[[datetime], str]) -> str:
        return f"{column} >= {bound(period.start)} AND {column} <= {bound(period.end)}"

    def both(day: str, time: str) -> str:
        return f"({between(day, _day)}) AND ({between(time, _second)})"

    interval_s = max(interval_ms // 1000, 1)
    return {
        "fromTime": _Macro(0, lambda: _second(period.start)),
        "toTime": _Macro(0, lambda: _second(period.end)),
        "fromTime_ms": _Macro(0, lambda: _millisecond(period.start)),
        "toTime_ms": _Macro(0, lambda: _millisecond(period.end)),
        "timeFilter": _Macro(1, lambda column: between(column, _second)),
        "timeFilter_ms": _Macro(1, lambda column: between(column, _millisecond)),
        "dateFilter": _Macro(1, lambda column: between(column, _day)),
        "dateTimeFilter": _Macro(2, both),
        "dt": _Macro(2, both),
        "timeInterval": _Macro(
            1, lambda column: f"toStartOfInterval(toDateTime({column}), INTERVAL {interval_s} second)"
        ),
        "timeInterval_ms": _Macro(
            1,
            lambda column: f"toStartOfInterval(toDateTime64({column}, 3), INTERVAL {max(interval_ms, 1)} millisecond)",
        ),
        "interval_s": _Macro(0, lambda: str(interval_s)),
    }


def _second(time: datetime) -> str:
    return f"toDateTime({math.floor(time.timestamp())})"


def _millisecond(time: datetime) -> str:
    return f"fromUnixTimestamp64Milli({math.floor(time.timestamp() * 1000 + 0.5)})"


def _day(time: datetime) -> str:
    return f"toDate('{time.astimezone(UTC):%Y-%m-%d}')"


def _arguments(sql: str, bracket: int) -> tuple[list[str], int]:
    """What stands between the bracket at `bracket` and its partner, cut at commas outside brackets and quotes."""
    given: list[str] = []
    depth, start, quote, at = 0, bracket + 1, "", bracket
    while at < len(sql):
        letter = sql[at]
        if quote:
            at += letter == "\\"
            quote = "" if letter == quote else quote
        elif letter in _QUOTES:
            quote = letter
        elif letter in _OPENING:
            depth += 1
        elif letter in _CLOSING:
            depth -= 1
            if not depth:
                return [*given, sql[start:at].strip()], at + 1
        elif letter == "," and depth == 1:
            given.append(sql[start:at].strip())
            start = at + 1
        at += 1
    raise QueryError("failed to parse macro arguments (missing close bracket?)")
