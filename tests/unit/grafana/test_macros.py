"""Grafana's macros: each case as grafana-clickhouse-datasource 4.14 expands it."""

from datetime import UTC, datetime

import pytest

from grafana.viewer.failure import QueryError
from grafana.viewer.macros import expand
from grafana.viewer.period import Period

PERIOD = Period(datetime(2026, 11, 16, 7, 0, 0, 500_000, UTC), datetime(2026, 11, 20, 13, 37, 30, tzinfo=UTC))
FROM, TO = 1794812400, 1795181850
DAYS = "d >= toDate('2026-11-16') AND d <= toDate('2026-11-20')"
TIMES = f"t >= toDateTime({FROM}) AND t <= toDateTime({TO})"

CASES = {
    "SELECT 1": "SELECT 1",
    "$__fromTime": f"toDateTime({FROM})",
    "$__fromTime()": f"toDateTime({FROM})",
    "$__toTime": f"toDateTime({TO})",
    "$__fromTime_ms": f"fromUnixTimestamp64Milli({FROM}500)",
    "$__toTime_ms": f"fromUnixTimestamp64Milli({TO}000)",
    "$__timeFilter(slice)": f"slice >= toDateTime({FROM}) AND slice <= toDateTime({TO})",
    "$__timeFilter_ms(t)": f"t >= fromUnixTimestamp64Milli({FROM}500) AND t <= fromUnixTimestamp64Milli({TO}000)",
    "$__dateFilter(day)": "day >= toDate('2026-11-16') AND day <= toDate('2026-11-20')",
    "$__dateTimeFilter(d, t)": f"({DAYS}) AND ({TIMES})",
    "$__dt(d, t)": f"({DAYS}) AND ({TIMES})",
    "$__timeInterval()": "toStartOfInterval(toDateTime(), INTERVAL 90 second)",
    "$__timeInterval(t)": "toStartOfInterval(toDateTime(t), INTERVAL 90 second)",
    "$__timeInterval_ms(t)": "toStartOfInterval(toDateTime64(t, 3), INTERVAL 90500 millisecond)",
    "$__interval_s": "90",
    "$__timeFilter(f(g(a, ','), 'x)'))": (
        f"f(g(a, ','), 'x)') >= toDateTime({FROM}) AND f(g(a, ','), 'x)') <= toDateTime({TO})"
    ),
    "$__timeFilter('it\\'s, (')": f"'it\\'s, (' >= toDateTime({FROM}) AND 'it\\'s, (' <= toDateTime({TO})",
    "$__conditionalAll(1, $x)": "$__conditionalAll(1, $x)",
    "$__fromTimes": "$__fromTimes",
}


@pytest.mark.parametrize(("sql", "expected"), CASES.items(), ids=list(CASES))
def test_a_macro_is_expanded_as_the_data_source_does(sql: str, expected: str) -> None:
    assert expand(sql, PERIOD, 90_500) == expected


def test_an_interval_is_one_unit_at_least() -> None:
    assert expand("$__interval_s $__timeInterval_ms(t)", PERIOD, 0).startswith("1 ")
    assert "INTERVAL 1 millisecond" in expand("$__timeInterval_ms(t)", PERIOD, 0)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("$__timeFilter(a, b)", "expected 1 arguments, received 2"),
        ("$__timeFilter", "expected 1 arguments, received 0"),
        ("$__dt(a)", "expected 2 arguments, received 1"),
        ("$__timeFilter(a", "missing close bracket"),
    ],
)
def test_wrong_arguments_are_an_error_in_the_data_source_words(sql: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        expand(sql, PERIOD, 1000)
