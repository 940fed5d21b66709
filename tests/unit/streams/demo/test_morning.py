"""Which morning a demonstration shows."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from streams.demo.morning import PARIS, school_morning


def on_weekdays(day: date) -> bool:
    return day.isoweekday() <= 5


@pytest.mark.parametrize(
    ("now", "morning"),
    [
        (datetime(2026, 11, 19, 14, 0, tzinfo=PARIS), datetime(2026, 11, 19, 8, 35, tzinfo=PARIS)),
        (datetime(2026, 11, 22, 20, 0, tzinfo=PARIS), datetime(2026, 11, 20, 8, 35, tzinfo=PARIS)),
        (datetime(2026, 11, 23, 0, 10, tzinfo=PARIS), datetime(2026, 11, 20, 8, 35, tzinfo=PARIS)),
        (datetime(2026, 11, 18, 12, 0, tzinfo=PARIS), datetime(2026, 11, 17, 8, 35, tzinfo=PARIS)),
    ],
    ids=["on a school day", "on a Sunday", "in the night before a school day", "on a Wednesday"],
)
def test_it_is_the_last_full_school_morning_and_never_ahead(now: datetime, morning: datetime) -> None:
    assert school_morning(now, on_weekdays) == morning


def test_holidays_without_end_are_a_mistake_of_the_calendar() -> None:
    with pytest.raises(ValueError, match="mend"):
        school_morning(datetime(2026, 11, 22, tzinfo=PARIS), lambda _: False)
