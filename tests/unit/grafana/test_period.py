"""What Grafana sends as from and to."""

from datetime import UTC, datetime, timedelta

import pytest

from grafana.viewer.period import Period

NOW = datetime(2026, 11, 20, 13, 37, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1795181850000", NOW),
        ("1795181850123", NOW + timedelta(milliseconds=123)),
        ("-1000", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("now", NOW),
        ("now-6h", NOW - timedelta(hours=6)),
        ("now-4w", NOW - timedelta(weeks=4)),
    ],
)
def test_an_instant_is_read(text: str, instant: datetime) -> None:
    assert Period.read(text, "now", NOW).start == instant


@pytest.mark.parametrize("text", ["", "yesterday", "now+1h", "now-1q", "2026-11-20", "1" * 15, "now/d"])
def test_anything_else_is_refused_with_the_text(text: str) -> None:
    with pytest.raises(ValueError, match="neither epoch milliseconds nor"):
        Period.read(text, "now", NOW)
