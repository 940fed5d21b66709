"""Simulated schools behave like schools."""

from datetime import date

import numpy as np
import pytest

from schemas.directory_row import DirectoryRows
from streams.simulator.day import Day, draw_day
from streams.simulator.faults import Faults
from streams.simulator.happenings import midnight_ms
from streams.simulator.population import PARENT, PROFILES, PUPIL, TEACHER, Settling
from streams.simulator.rows import ACTIVATION, APP_VISIT, BINARY, ENTCORE, LOGIN, NOBODY, NOTIFICATION

FRIDAY = date(2026, 11, 20)
WEDNESDAY = date(2026, 11, 18)
SUNDAY = date(2026, 11, 15)
HOLIDAY = date(2026, 10, 26)


@pytest.fixture(scope="module")
def days(mulhouse: DirectoryRows) -> dict[date, Day]:
    """Some days at scale 1, without faults."""
    settling = Settling(mulhouse, 68)
    return {
        day: draw_day(settling.on(day), day, 68, 1.0, Faults())
        for day in (FRIDAY, WEDNESDAY, SUNDAY, HOLIDAY, date(2026, 11, 3))
    }


def hours(day: Day, mask: np.ndarray) -> np.ndarray:
    """The hours of some events, on the clock of Paris."""
    since_ms: np.ndarray = day.rows.moment_ms[mask] - midnight_ms(day.date)
    return since_ms / 3_600_000


def test_a_school_day_of_mulhouse_has_about_25_000_events(days: dict[date, Day]) -> None:
    """Within a fifth, at scale 1."""
    assert 20_000 < len(days[FRIDAY].rows) < 30_000


def test_wednesdays_week_ends_and_holidays_are_calmer(days: dict[date, Day]) -> None:
    """Half of the schools have Wednesday morning off; nobody is at school on the other days."""
    full, half, sunday, holiday = (len(days[day].rows) for day in (FRIDAY, WEDNESDAY, SUNDAY, HOLIDAY))
    assert 0.3 * full < half < 0.7 * full
    assert holiday < sunday < 0.2 * full


def test_pupils_of_a_class_log_in_together(days: dict[date, Day]) -> None:
    """Half of the morning's logins of pupils follow another one of their class within ten seconds."""
    day = days[FRIDAY]
    rows = day.rows
    mask = (rows.kind == LOGIN) & (rows.profile == PUPIL)
    morning = mask & (rows.moment_ms < midnight_ms(FRIDAY) + 10 * 3_600_000)
    order = np.lexsort((rows.moment_ms[morning], rows.place[morning]))
    place, moment = rows.place[morning][order], rows.moment_ms[morning][order]
    gaps = np.diff(moment)[place[1:] == place[:-1]]
    assert np.median(gaps) < 10_000


def test_a_wednesday_off_is_off_for_the_whole_school(days: dict[date, Day]) -> None:
    """Pupils come in the morning in the schools that work then, and nowhere else."""
    day = days[WEDNESDAY]
    rows, population = day.rows, day.population
    mask = (rows.kind == LOGIN) & (rows.profile == PUPIL)
    uai_of = {number: place.cells[0][0] for number, place in enumerate(population.places.all)}
    morning = {uai_of[int(place)] for place in rows.place[mask][hours(day, mask) < 12]}
    working = {uai for uai, works in zip(population.uais, population.wednesday, strict=True) if works}
    assert morning == working
    assert 0 < len(working) < len(population.uais)


def test_parents_come_in_the_evening_and_teachers_around_the_lessons(days: dict[date, Day]) -> None:
    """About four in five logins of parents are later than 16:00; teachers come before 8:30 and after 16:00."""
    day = days[FRIDAY]
    login = day.rows.kind == LOGIN
    parents = hours(day, login & (day.rows.profile == PARENT))
    teachers = hours(day, login & (day.rows.profile == TEACHER))
    assert 0.7 < (parents > 16).mean() < 0.9
    assert ((teachers < 8.5) | (teachers > 16)).mean() > 0.7


def test_use_grows_with_the_weeks(days: dict[date, Day]) -> None:
    """More on 20 November than on 3 November, and still more in March."""
    population = days[FRIDAY].population
    early, late, spring = (population.growth(day).mean() for day in (date(2026, 11, 3), FRIDAY, date(2027, 3, 12)))
    assert early < late < spring < 1


def test_all_profiles_types_and_formats_occur(days: dict[date, Day]) -> None:
    """A tenth in binary mode, 15 % entcore by classes; notifications have recipients."""
    rows = days[FRIDAY].rows
    assert set(np.unique(rows.kind)) == {LOGIN, ACTIVATION, APP_VISIT, NOTIFICATION}
    assert {PROFILES[code] for code in np.unique(rows.profile)} >= {"eleve", "parent", "enseignant", "personnel"}
    assert 0.07 < (rows.form == BINARY).mean() < 0.13
    assert 0.08 < (rows.form == ENTCORE).mean() < 0.22
    assert (rows.recipients[rows.kind == NOTIFICATION] > 0).mean() > 0.95
    assert not rows.recipients[rows.kind != NOTIFICATION].any()


def test_some_parents_have_children_in_two_classes_or_schools(days: dict[date, Day]) -> None:
    """2 % in two schools, whose events count in both of them."""
    population = days[FRIDAY].population
    places = [population.places.all[place] for place in population.people[PARENT].place]
    two_schools = sum(len(place.cells) > 1 for place in places) / len(places)
    two_classes = sum(place.canonical.count(b'","') > 0 for place in places) / len(places)
    assert 0.01 < two_schools < 0.03
    assert two_classes > 0.08


def test_no_two_events_of_a_user_and_application_share_a_millisecond(mulhouse: DirectoryRows) -> None:
    """Else entcore, which gives no ids, would make them one; at thirty times the scale it would happen often."""
    day = draw_day(Settling(mulhouse, 1).on(HOLIDAY), HOLIDAY, 1, 30.0, Faults())
    rows = day.rows
    known = rows.number != NOBODY
    told = np.stack([rows.number, rows.kind, rows.app, rows.moment_ms])[:, known]
    assert np.unique(told, axis=1).shape == told.shape


@pytest.mark.parametrize("scale", [0.1, 3.0])
def test_the_scale_multiplies(mulhouse: DirectoryRows, days: dict[date, Day], scale: float) -> None:
    """Within a quarter."""
    scaled = draw_day(days[FRIDAY].population, FRIDAY, 68, scale, Faults())
    assert 0.75 < len(scaled.rows) / len(days[FRIDAY].rows) / scale < 1.25


def test_schools_appear_when_their_ent_begins(mulhouse: DirectoryRows) -> None:
    """The three waves of the deployment."""
    settling = Settling(mulhouse, 68)
    deployed = [len(settling.on(day).uais) for day in (date(2025, 9, 1), date(2025, 11, 3), date(2026, 1, 5), FRIDAY)]
    assert deployed == [7, 14, 21, 21]


def test_a_directory_without_schools_makes_a_day_without_events(mulhouse: DirectoryRows) -> None:
    """Nobody is there, nothing happens."""
    nobody = DirectoryRows(*(frame.clear() for frame in vars(mulhouse).values()))
    assert len(draw_day(Settling(nobody, 1).on(FRIDAY), FRIDAY, 1, 1.0, Faults.lively()).rows) == 0
