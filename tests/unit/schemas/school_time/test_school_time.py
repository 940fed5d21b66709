"""What each minute of a school is."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.school_time import (
    CalendarEndedError,
    Category,
    Closure,
    ClosureReason,
    HalfDay,
    Place,
    SchoolTime,
    Timetable,
    school_year,
)
from schemas.school_time.bundled import BUNDLED, END, FIRST_KNOWN_DAY
from schemas.school_time.school_time import PARIS

FULL = (HalfDay(510, 690), HalfDay(810, 990))
WEDNESDAYS = Timetable({1: FULL, 2: FULL, 3: FULL[:1], 4: FULL, 5: FULL})
STRIKE = Closure(
    "1",
    "0689901T",
    datetime(2026, 11, 24, 8, tzinfo=PARIS),
    datetime(2026, 11, 24, 12, tzinfo=PARIS),
    ClosureReason.GREVE,
)
KNOWN = SchoolTime(
    BUNDLED,
    {"0689901T": Place("Strasbourg", "B", "6AE"), "0449901Y": Place("Nantes", "B")},
    {("0449901Y", "2026-2027"): WEDNESDAYS},
    (STRIKE,),
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


@pytest.mark.parametrize(
    ("uai", "moment", "category"),
    [
        ("0689901T", "2026-11-23 08:29", Category.SOIR_MATIN),
        ("0689901T", "2026-11-23 08:30", Category.CLASSE),
        ("0689901T", "2026-11-23 11:30", Category.PAUSE_MERIDIENNE),
        ("0689901T", "2026-11-23 16:29", Category.CLASSE),
        ("0689901T", "2026-11-23 16:30", Category.SOIR_MATIN),
        ("0689901T", "2026-11-25 09:00", Category.MERCREDI_LIBRE),
        ("0449901Y", "2026-11-25 09:00", Category.CLASSE),
        ("0449901Y", "2026-11-25 14:00", Category.SOIR_MATIN),
        ("0689901T", "2026-11-28 09:00", Category.WEEK_END),
        ("0689901T", "2026-11-11 09:00", Category.FERIE),
        ("0689901T", "2026-10-24 09:00", Category.VACANCES),
        ("0689901T", "2026-11-24 09:00", Category.FERMETURE),
        ("0689901T", "2026-11-24 12:00", Category.PAUSE_MERIDIENNE),
        ("0449901Y", "2026-11-24 09:00", Category.CLASSE),
        ("0689901T", "2027-03-26 09:00", Category.FERIE),
        ("0449901Y", "2027-03-26 09:00", Category.CLASSE),
    ],
)
def test_a_minute_has_one_category(uai: str, moment: str, category: Category) -> None:
    """Lessons, what lies between them, and every reason for which there are none."""
    assert KNOWN.category_at(uai, at(moment)) is category


def test_a_missing_timetable_is_assumed_and_says_so() -> None:
    """A flag, so that people can tell what was given from what stands for it."""
    assert KNOWN.timetable("0689901T", date(2026, 11, 23)).assumed
    assert not KNOWN.timetable("0449901Y", date(2026, 11, 23)).assumed
    assert KNOWN.timetable("0449901Y", date(2026, 7, 31)).assumed, "that of another school year does not count"


def test_the_clock_of_paris_counts_on_both_sides_of_a_change() -> None:
    """Lessons begin at half past eight, at 6:30 UTC in summer and 7:30 in winter."""
    for day, hour in ((date(2027, 3, 25), 7), (date(2027, 4, 1), 6)):
        spans = KNOWN.spans("0449901Y", day, day + timedelta(days=1))
        lessons = next(span.starts for span in spans if span.category is Category.CLASSE)
        assert lessons == datetime(day.year, day.month, day.day, hour, 30, tzinfo=UTC)


@given(st.datetimes(datetime(2025, 9, 2), datetime(2027, 8, 24)), st.sampled_from(["0689901T", "0449901Y"]))
def test_spans_say_what_a_moment_says(naive: datetime, uai: str) -> None:
    """Law: the last span that began at a moment has the moment's category."""
    moment = naive.replace(tzinfo=UTC)
    day = moment.astimezone(PARIS).date()
    spans = KNOWN.spans(uai, day, day + timedelta(days=1))
    assert [span for span in spans if span.starts <= moment][-1].category is KNOWN.category_at(uai, moment)


def test_spans_cover_both_years_without_repeating_themselves() -> None:
    """Each span differs from the one before it, and the first one is the calendar's first moment."""
    spans = KNOWN.spans("0689901T", FIRST_KNOWN_DAY, END)
    assert spans[0].starts == datetime(2025, 8, 31, 22, tzinfo=UTC)
    assert all(one.category is not other.category for one, other in pairwise(spans))
    assert sum(span.category is Category.FERMETURE for span in spans) == 1


def test_the_end_is_that_of_the_calendar_that_ends_first() -> None:
    """Of all schools."""
    assert KNOWN.after() == END
    with pytest.raises(CalendarEndedError):
        KNOWN.spans("0689901T", END, END + timedelta(days=1))


def test_a_closure_has_moments_with_a_zone_and_an_end_after_its_start() -> None:
    """What is declared wrongly is refused when it is declared."""
    with pytest.raises(ValueError, match="zone"):
        Closure("1", "", datetime(2026, 1, 1), datetime(2026, 1, 2), ClosureReason.AUTRE)
    with pytest.raises(ValueError, match="end"):
        Closure("1", "", at("2026-01-02 00:00"), at("2026-01-02 00:00"), ClosureReason.AUTRE)


def test_a_school_year_goes_from_august_to_july() -> None:
    """As statistics count it."""
    assert school_year(date(2026, 7, 31)) == "2025-2026"
    assert school_year(date(2026, 8, 1)) == "2026-2027"
