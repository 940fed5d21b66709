"""The ministry's files with their traps; the rows are made up in its form."""

from datetime import date

import pytest

from schemas.school_time import HalfDay, Place
from schemas.school_time.bundled import BUNDLED
from schemas.school_time.ministry import MinistryFileError, read_calendar, read_timetables


def holidays(label: str, start: str, end: str, **other: str) -> dict[str, str]:
    return {
        "description": label,
        "population": "-",
        "start_date": start,
        "end_date": end,
        "location": "Strasbourg",
        "zones": "Zone B",
        "annee_scolaire": "2026-2027",
        **other,
    }


CHRISTMAS = holidays("Vacances de Noël", "2026-12-18T23:00:00+00:00", "2027-01-03T23:00:00+00:00")
SUMMER = holidays("Début des Vacances d'Été", "2027-07-02T22:00:00+00:00", "", population="Élèves")
AUTUMN_AFTER = holidays(
    "Vacances de la Toussaint", "2027-10-22T22:00:00+00:00", "2027-11-07T23:00:00+00:00", annee_scolaire="2027-2028"
)
RETURN = holidays("Rentrée scolaire des élèves", "2027-08-31T22:00:00+00:00", "", annee_scolaire="2027-2028")
MULHOUSE = Place("Strasbourg", "B", "6AE")


def test_a_midnight_of_paris_written_in_utc_is_the_day_after() -> None:
    """18 December 23:00 UTC is the 19th, and the end is the morning of the return."""
    calendar = read_calendar([CHRISTMAS, SUMMER], "a file")
    assert calendar.day_off(MULHOUSE, date(2026, 12, 18)) is None
    assert calendar.day_off(MULHOUSE, date(2026, 12, 19)) is not None
    assert calendar.day_off(MULHOUSE, date(2027, 1, 3)) is not None
    assert calendar.day_off(MULHOUSE, date(2027, 1, 4)) is None


def test_a_summer_without_an_end_ends_the_calendar() -> None:
    """Nothing is known after it, and nothing is guessed."""
    assert read_calendar([CHRISTMAS, SUMMER], "").of(MULHOUSE).after == date(2027, 7, 3)


def test_a_summer_ends_with_the_next_return_to_school() -> None:
    """Which is a row of the next school year."""
    known = read_calendar([CHRISTMAS, SUMMER, RETURN, AUTUMN_AFTER], "")
    assert known.day_off(MULHOUSE, date(2027, 8, 31)) is not None
    assert known.day_off(MULHOUSE, date(2027, 9, 1)) is None
    assert known.of(MULHOUSE).after == date(2027, 11, 8)


def test_a_summer_without_an_end_before_a_known_year_is_to_be_mended() -> None:
    """Otherwise July and August would count as open."""
    with pytest.raises(MinistryFileError, match="Rentrée scolaire"):
        read_calendar([CHRISTMAS, SUMMER, AUTUMN_AFTER], "")


def test_rows_for_teachers_are_left_out() -> None:
    """Their return to school is not the pupils'."""
    teachers = RETURN | {"population": "Enseignants", "start_date": "2027-08-29T22:00:00+00:00"}
    assert read_calendar([CHRISTMAS, SUMMER, teachers], "").of(MULHOUSE).after == date(2027, 7, 3)


def test_academies_alike_become_their_zone_and_others_keep_their_own() -> None:
    """And those without a zone stand under their name."""
    rows = [CHRISTMAS | {"location": name} for name in ("Strasbourg", "Lille", "Reims")]
    shifted = CHRISTMAS | {"location": "Nantes", "start_date": "2026-12-17T23:00:00+00:00"}
    corse = CHRISTMAS | {"location": "Corse", "zones": "Corse"}
    calendar = read_calendar([*rows, shifted, corse], "")
    assert set(calendar.zones) == {"B"}
    assert set(calendar.academies) == {"nantes", "corse"}
    assert calendar.day_off(Place("Nantes", "B"), date(2026, 12, 18)) is not None
    assert calendar.day_off(MULHOUSE, date(2026, 12, 18)) is None


def test_the_portals_labels_are_taken_as_well_as_its_names() -> None:
    """An export has one or the other."""
    names = {"start_date": "Date de début", "end_date": "Date de fin", "location": "Académies", "zones": "Zones"}
    labelled = {names.get(name, name): value for name, value in CHRISTMAS.items()}
    assert read_calendar([labelled], "") == read_calendar([CHRISTMAS], "")


def test_the_bundled_years_are_those_of_the_ministrys_form() -> None:
    """The bundled periods of zone B, written as the ministry does, come back."""
    rows = [
        holidays(p.label, str(p.first), str(p.after), annee_scolaire=f"{p.first.year - (p.first.month < 8)}-{year}")
        for p in BUNDLED.zones["B"].periods
        for year in [p.first.year - (p.first.month < 8) + 1]
    ]
    assert read_calendar(rows, "").zones["B"] == BUNDLED.zones["B"]


@pytest.mark.parametrize(
    ("row", "match"),
    [
        (CHRISTMAS | {"start_date": "Noël"}, "line 2"),
        (CHRISTMAS | {"annee_scolaire": "2026"}, "school year"),
        (CHRISTMAS | {"end_date": "2026-12-01"}, "ends on 2026-12-01"),
        ({"description": "x"}, "column 'location' is missing"),
    ],
)
def test_a_row_that_cannot_be_read_is_named_by_its_line(row: dict[str, str], match: str) -> None:
    """Nothing is taken from a file that has one."""
    with pytest.raises(MinistryFileError, match=match):
        read_calendar([row], "")


def week(**cells: str) -> dict[str, str]:
    return {"code_uai": "0689901t", "annee_scolaire": "2026-2027", **cells}


MONDAY = {"lundi_matin_debut": "08:30", "lundi_matin_fin": "11:30:00"}


def test_a_week_has_the_half_days_that_have_both_ends() -> None:
    """Also where the hour is written as the French write it."""
    row = week(**MONDAY, lundi_apres_midi_debut="13h30", lundi_apres_midi_fin="16h30", mercredi_matin_debut="")
    found = read_timetables([row]).weeks[("0689901T", "2026-2027")]
    assert found.half_days == {1: (HalfDay(510, 690), HalfDay(810, 990))}
    assert not found.assumed


def test_several_rhythms_of_one_school_are_joined() -> None:
    """Some classes begin ten minutes later: there are lessons wherever one of them has some."""
    later = week(
        lundi_matin_debut="08:40", lundi_matin_fin="11:40", mercredi_matin_debut="9:00", mercredi_matin_fin="11:00"
    )
    found = read_timetables([week(**MONDAY), later]).weeks[("0689901T", "2026-2027")]
    assert found.half_days == {1: (HalfDay(510, 700),), 3: (HalfDay(540, 660),)}


@pytest.mark.parametrize("cells", [{}, {"lundi_matin_debut": "half past", "lundi_matin_fin": "11:30"}])
def test_a_week_that_cannot_be_read_is_named_by_its_line(cells: dict[str, str]) -> None:
    """No half-day, or a time that is none."""
    with pytest.raises(MinistryFileError, match="line 2"):
        read_timetables([week(**cells)])
