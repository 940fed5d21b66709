"""When people come: whole classes at their hours, teachers before and after them, parents in the evening."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from typing import Final

import numpy as np

from streams.simulator.calendar import is_holiday, is_school_day
from streams.simulator.population import PARENT, PUPIL, STAFF, TEACHER, Floats, Ints, People, Population

_WEDNESDAY: Final = 3
_HOUR_S: Final = 3600.0
_PRESENT: Final = 0.82
"""Share of a class's activated pupils who take part."""
_MORE_APPLICATIONS: Final = 1.2
_LESSON_PACE_S: Final = 200.0
"""In class: expected applications beyond the first one, and the mean time between them."""
_BEHIND_S: Final = (35.0, 150.0)
"""By how much a pupil logs in after the first one: on average, and at most."""
_LATEST_S: Final = 22.75 * _HOUR_S


@dataclass(frozen=True)
class Lesson:
    """A place in the timetable at which classes use the ENT."""

    after_s: float
    """Since lessons began in the morning."""
    full_day: float
    wednesday: float
    """Expected lessons with the ENT per class of level 1, on full days and on Wednesday mornings."""
    delay_s: float
    """Within which all classes begin, half of them in its first quarter."""


LESSONS: Final = (
    Lesson(240, 0.54, 0.4, 1200),
    Lesson(1.75 * _HOUR_S, 0.13, 0.12, 2400),
    Lesson(5.25 * _HOUR_S, 0.16, 0, 2400),
    Lesson(6.75 * _HOUR_S, 0.08, 0, 1500),
)


@dataclass(frozen=True)
class Habit:
    """When single people of a profile come."""

    profile: int
    school_day: float
    week_end: float
    holiday: float
    """Expected visits to the ENT per account and day at level 1."""
    hours: tuple[tuple[float, float, float], ...]
    """(share, hour in the middle, hours of spread) of a school day and of any other."""
    applications: float
    """Expected applications beyond the first one."""
    pace_s: float
    """Mean time between applications."""


HABITS: Final = (
    Habit(PUPIL, 0.06, 0.03, 0.012, ((1.0, 18.0, 1.0),), 1.5, 70),
    Habit(PARENT, 0.28, 0.10, 0.035, ((0.8, 19.6, 1.2), (0.2, 12.0, 2.0)), 0.6, 45),
    Habit(TEACHER, 1.55, 0.22, 0.05, ((0.4, 8.0, 0.2), (0.1, 12.6, 0.4), (0.4, 17.0, 0.5), (0.1, 20.5, 0.7)), 2.3, 110),
    Habit(STAFF, 3.0, 0.1, 0.1, ((0.6, 9.5, 1.0), (0.4, 14.5, 1.3)), 2.0, 160),
)


@dataclass(frozen=True)
class Visits:
    """Someone's stay in the ENT from the login on; all columns are parallel."""

    profile: Ints
    number: Ints
    place: Ints
    school: Ints
    class_: Ints
    start_ms: Ints
    """Since midnight, on the clock of Paris."""
    applications: Ints
    pace_s: Floats

    def __len__(self) -> int:
        return len(self.number)

    def take(self, which: Ints) -> Visits:
        """Some of them, in any order and any number of times."""
        return Visits(*(getattr(self, column.name)[which] for column in fields(self)))

    @classmethod
    def together(cls, parts: list[Visits]) -> Visits:
        """One after the other."""
        return cls(*(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(cls)))


def draw_visits(population: Population, day: date, scale: float, random: np.random.Generator) -> Visits:
    """Who comes when on a day; `scale` multiplies how often."""
    level = population.growth(day) * population.school_level * scale
    lessons = _in_lessons(population, day, level, random)
    return Visits.together([*lessons, *(_alone(population, habit, day, level, random) for habit in HABITS)])


def _in_lessons(population: Population, day: date, level: Floats, random: np.random.Generator) -> list[Visits]:
    """Pupils of a class log in within a minute or two of each other."""
    if not is_school_day(day):
        return []
    wednesday = day.isoweekday() == _WEDNESDAY
    pupils = population.people[PUPIL]
    classes = len(population.class_level)
    counts = np.bincount(pupils.class_, minlength=classes)
    firsts = np.cumsum(counts) - counts
    parts = []
    for lesson in LESSONS:
        open_ = population.wednesday[population.class_school] if wednesday else np.ones(classes, np.bool_)
        expected = (lesson.wednesday if wednesday else lesson.full_day) * open_
        expected = expected * level[population.class_school] * population.class_level
        held = np.repeat(np.arange(classes), np.floor(expected + random.random(classes)).astype(np.int64))
        starts_s = population.begins_s[population.class_school[held]] + lesson.after_s
        starts_s = starts_s + random.random(len(held)) ** 2 * lesson.delay_s
        of = np.repeat(np.arange(len(held)), counts[held])
        turn = np.arange(len(of)) - np.repeat(np.cumsum(counts[held]) - counts[held], counts[held])
        who = firsts[held][of] + turn
        present = random.random(len(of)) < _PRESENT
        of, who = of[present], who[present]
        mean_s, most_s = _BEHIND_S
        logins_s = starts_s[of] + np.minimum(random.exponential(mean_s, len(of)), most_s)
        parts.append(stays(pupils, who, logins_s, 1 + random.poisson(_MORE_APPLICATIONS, len(of)), _LESSON_PACE_S))
    return parts


def _alone(population: Population, habit: Habit, day: date, level: Floats, random: np.random.Generator) -> Visits:
    people = population.people[habit.profile]
    off = habit.holiday if is_holiday(day) else habit.week_end
    rate = habit.school_day if is_school_day(day) else off
    weights = rate * level[people.school]
    if habit.profile in {PARENT, TEACHER}:
        weights = weights * np.sqrt(population.class_level[people.class_])
    steps = np.cumsum(weights)
    many = random.poisson(steps[-1]) if len(steps) else 0
    who = np.searchsorted(steps, random.random(many) * steps[-1], side="right") if many else np.zeros(0, np.int64)
    shares = np.array([share for share, _, _ in habit.hours])
    turns = random.choice(len(shares), many, p=shares)
    middles, spreads = np.array([(middle, spread) for _, middle, spread in habit.hours]).T
    hours = random.normal(middles[turns], spreads[turns])
    starts_s = np.clip(hours * _HOUR_S, 6 * _HOUR_S + 3 * _HOUR_S * random.random(many), _LATEST_S)
    return stays(people, who, starts_s, 1 + random.poisson(habit.applications, many), habit.pace_s)


def stays(people: People, who: Ints, starts_s: Floats, applications: Ints, pace_s: float) -> Visits:
    """The stays of `who` (places in `people`) from these seconds of the day on."""
    return Visits(
        profile=np.full(len(who), people.profile),
        number=people.number[who],
        place=people.place[who],
        school=people.school[who],
        class_=people.class_[who],
        start_ms=(starts_s * 1000).astype(np.int64),
        applications=applications,
        pace_s=np.full(len(who), pace_s),
    )
