from datetime import UTC, datetime

import pytest

from grafana.dashboards.quick_range import resolve

FRIDAY = datetime(2026, 11, 20, 13, 37, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "shown"),
    [
        ("now-3h", "now", "2026-11-20T11:37:30 2026-11-20T14:37:30"),
        ("now/d", "now/d", "2026-11-20T00:00:00 2026-11-20T23:59:59"),
        ("now-1w/w", "now-1w/w", "2026-11-09T00:00:00 2026-11-15T23:59:59"),
        ("now-4w/d", "now", "2026-10-23T00:00:00 2026-11-20T14:37:30"),
        ("now-26d/d", "now-26d/d", "2026-10-25T00:00:00 2026-10-25T23:59:59"),
    ],
)
def test_bounds_are_rounded_to_days_and_weeks_of_paris(start: str, end: str, shown: str) -> None:
    period = resolve(start, end, FRIDAY)
    assert f"{period.start:%Y-%m-%dT%H:%M:%S} {period.end:%Y-%m-%dT%H:%M:%S}" == shown


def test_the_day_on_which_clocks_change_has_25_hours() -> None:
    period = resolve("now-26d/d", "now-26d/d", FRIDAY)
    assert round((period.end.astimezone(UTC) - period.start.astimezone(UTC)).total_seconds() / 3600) == 25


def test_a_bound_that_no_dashboard_uses_is_refused() -> None:
    with pytest.raises(ValueError, match="yesterday"):
        resolve("yesterday", "now", FRIDAY)
