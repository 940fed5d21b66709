"""A world in which classes log in together at the slots of a timetable; families, teachers and homes apart.

It knows classes, trips, strikes, timetables that change, classes that start late, storms and slow days of the platform,
and no negative binomial at all: what the detector assumes is not what is drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from streams.alerts.arrays import Booleans, Floats, Integers
from streams.alerts.backtest.year import (
    FAMILIES,
    GRID,
    PARENTS_CURVE,
    PUPILS,
    TEACHERS,
    TEACHERS_CURVE,
    WEDNESDAY,
    Frame,
    Year,
    bin_of,
    curve,
    frame,
)

_HOME_CURVE = curve(
    *((7, 0.05), (8, 0.1), (8.5, 0.02), (16.3, 0.05), (17.2, 1), (18.5, 1), (19.5, 0.5), (20.5, 0.2), (22, 0))
)
_MORNING, _AFTERNOON, _WEDNESDAY_HOURS = (8.6, 11.2), (13.6, 16.1), (8.6, 11.2)
_MONTH_OF_TRIPS = 5


@dataclass(frozen=True)
class _School:
    pupils: Integers
    """Per class."""
    lessons: float
    """Lessons with logins per class and day."""
    growth: Floats
    own_days: Floats
    starts: Integers
    """The day from which a class uses the platform."""
    new_timetable: int
    away: Booleans
    """[class, day]"""
    works_wednesdays: bool


def simulate(seed: int, schools: int) -> Year:
    """One year of logins without incidents, but with its closures."""
    draw = np.random.default_rng(seed)
    plan = frame(draw, schools)
    year = plan.year
    region = _region(draw, len(year.days))
    slow = _slow_hours(draw, len(year.days))
    rank = (draw.permutation(schools) + draw.random(schools)) / schools
    for index in range(schools):
        school = _school(draw, year, float(rank[index]), bool(plan.works_wednesdays[index]))
        year.counts[index, PUPILS] = _lessons(draw, year, school, region) + _homes(draw, school, region)
        year.counts[index, FAMILIES] = _families(draw, year, school, region)
        year.counts[index, TEACHERS] = _teachers(draw, year, school)
        _storms(draw, year, index)
        _empty(draw, plan, index)
    year.counts[:] = draw.binomial(year.counts, np.broadcast_to(slow, year.counts.shape))
    return year


def _region(draw: np.random.Generator, days: int) -> Floats:
    """Good and bad days of everybody, and two days of snow or storm."""
    level = np.zeros(days)
    for day in range(1, days):
        level[day] = 0.6 * level[day - 1] + draw.normal(0, 0.06)
    factor = np.exp(level)
    factor[draw.choice(np.arange(30, days), 2, replace=False)] *= draw.uniform(0.6, 0.75, 2)
    return np.asarray(factor)


def _slow_hours(draw: np.random.Generator, days: int) -> Floats:
    """[day, bin]: what share gets through; on five days the platform is slow for one to three hours."""
    share = np.ones((days, GRID.bins))
    for day in draw.choice(np.arange(20, days), 5, replace=False):
        first = draw.integers(GRID.watched.start, GRID.watched.stop - 36)
        share[day, first : first + draw.integers(12, 36)] = draw.uniform(0.65, 0.85)
    return share


def _school(draw: np.random.Generator, year: Year, rank: float, works_wednesdays: bool) -> _School:
    days = np.arange(len(year.days))
    count = len(days)
    classes = round(2.5 * 16 ** float(np.clip(rank + draw.normal(0, 0.15), 0, 1)))
    lessons = 0.2 * 20 ** float(np.clip(rank + draw.normal(0, 0.25), 0, 1))
    started = np.clip(0.35 + days / 35, None, 1)
    late = draw.random(classes) < 0.2
    changes = draw.random() < 0.6
    return _School(
        pupils=np.clip(draw.normal(24, 3, classes).round(), 12, 30).astype(np.int64),
        lessons=lessons,
        growth=(1 + draw.uniform(-0.2, 0.9) * days / count) * started,
        own_days=np.exp(draw.normal(0, draw.uniform(0.06, 0.15), count)),
        starts=np.where(late, draw.integers(0, count * 2 // 3, classes), 0),
        new_timetable=int(draw.integers(count // 2, count * 3 // 4)) if changes else count,
        away=_away(draw, year, classes),
        works_wednesdays=works_wednesdays,
    )


def _away(draw: np.random.Generator, year: Year, classes: int) -> Booleans:
    """Trips of one to three classes, more of them in spring, and two days of strike of a part of the school."""
    count = len(year.days)
    away = np.zeros((classes, count), bool)
    weight = np.array([3.0 if day.month >= _MONTH_OF_TRIPS else 1.0 for day in year.days])
    for _ in range(draw.poisson(1.3 * classes)):
        day = draw.choice(count, p=weight / weight.sum())
        away[draw.choice(classes, min(classes, int(draw.integers(1, 4))), replace=False), day] = True
    for _ in range(2):
        away[draw.random(classes) < draw.uniform(0.1, 0.45), draw.integers(20, count)] = True
    return away


def _lessons(draw: np.random.Generator, year: Year, school: _School, region: Floats) -> Integers:
    """Class by class: weekly lessons of two timetables, and single ones; a share of the pupils log in, some twice."""
    days, weekday = np.arange(len(year.days)), year.weekday
    minutes, on_day, sizes = [], [], []
    for index, pupils in enumerate(school.pupils):
        present = ~school.away[index] & (days >= school.starts[index])
        for held in (days < school.new_timetable, days >= school.new_timetable):
            for of_week in range(5):
                if of_week == WEDNESDAY and not school.works_wednesdays:
                    continue
                for _ in range(draw.poisson(school.lessons * (0.6 if of_week == WEDNESDAY else 1))):
                    hours = _lesson_hours(draw, of_week)
                    likely = draw.beta(4, 2) * school.growth * school.own_days * region * 0.9
                    taken = held & (weekday == of_week) & present & (draw.random(len(days)) < np.clip(likely, 0, 0.98))
                    at = np.flatnonzero(taken)
                    minutes.append(draw.uniform(*hours) * 60 + draw.normal(0, 6, len(at)))
                    on_day.append(at)
                    sizes.append(np.full(len(at), pupils))
        at = draw.integers(0, len(days), draw.poisson(0.12 * len(days)))
        at = at[~school.away[index, at] & ((weekday[at] != WEDNESDAY) | school.works_wednesdays)]
        hour = draw.choice([9.0, 10.0, 11.0, 14.0, 15.0], len(at)) + draw.uniform(-0.3, 0.3, len(at))
        minutes.append(60 * np.where(weekday[at] == WEDNESDAY, draw.uniform(*_WEDNESDAY_HOURS, len(at)), hour))
        on_day.append(at)
        sizes.append(np.full(len(at), pupils))
    return _log_in(draw, len(days), np.concatenate(minutes), np.concatenate(on_day), np.concatenate(sizes))


def _lesson_hours(draw: np.random.Generator, of_week: int) -> tuple[float, float]:
    return _MORNING if of_week == WEDNESDAY or draw.random() < 0.52 else _AFTERNOON


def _log_in(draw: np.random.Generator, days: int, minutes: Floats, on_day: Integers, sizes: Integers) -> Integers:
    halves = draw.random(len(sizes)) < 0.2
    share = np.where(halves, draw.uniform(0.15, 0.5, len(sizes)), draw.beta(8, 2, len(sizes)))
    logins = draw.binomial(sizes, share) + draw.poisson(sizes * 0.06)
    at = np.repeat(minutes, logins) + draw.gamma(1.6, 3.0, logins.sum())
    bins = np.clip((at - GRID.first_min) // GRID.step_min, 0, GRID.bins - 1).astype(np.int64)
    counts = np.zeros((days, GRID.bins), np.int64)
    np.add.at(counts, (np.repeat(on_day, logins), bins), 1)
    return counts


def _homes(draw: np.random.Generator, school: _School, region: Floats) -> Integers:
    level = school.pupils.sum() * draw.uniform(0.01, 0.08) * school.growth * school.own_days * region
    return np.asarray(draw.poisson(level[:, None] * _HOME_CURVE))


def _families(draw: np.random.Generator, year: Year, school: _School, region: Floats) -> Integers:
    days = len(year.days)
    level = school.pupils.sum() * np.exp(draw.uniform(np.log(0.08), np.log(0.9)))
    level = level * np.sqrt(school.growth) * np.exp(draw.normal(0, 0.10, days)) * region
    level = level * np.where(year.weekday == WEDNESDAY, 0.8, 1) * (1 + 0.3 * school.away.mean(0))
    rate = level[:, None] * PARENTS_CURVE
    rate = rate * draw.gamma(20, 1 / 20, rate.shape)
    for day, notes in enumerate(draw.poisson(len(school.pupils) * 0.12, days)):  # a note to a class: its parents come
        for _ in range(notes):
            first = bin_of(draw.choice([8.4, 11.6, 13.3, 16.4, 17.5]) + draw.uniform(-0.3, 0.5))
            rate[day, first:] += np.exp(-np.arange(GRID.bins - first) / 9.0) * draw.gamma(2, 3) / 9
    return np.asarray(draw.poisson(rate))


def _teachers(draw: np.random.Generator, year: Year, school: _School) -> Integers:
    started = np.clip(0.35 + np.arange(len(year.days)) / 35, None, 1)
    level = len(school.pupils) * 1.4 * draw.uniform(1, 3) * school.own_days * started * (1 - 0.4 * school.away.mean(0))
    level = level * np.where(year.weekday == WEDNESDAY, 0.6 if school.works_wednesdays else 0.2, 1)
    return np.asarray(draw.poisson(level[:, None] * TEACHERS_CURVE))


def _storms(draw: np.random.Generator, year: Year, index: int) -> None:
    """Six times a year everybody logs in again within a quarter of an hour."""
    for _ in range(draw.poisson(6)):
        day, first = draw.integers(len(year.days)), draw.integers(GRID.watched.start, GRID.watched.stop - 4)
        year.counts[index, :, day, first : first + 3] *= int(draw.integers(2, 5))


def _empty(draw: np.random.Generator, plan: Frame, index: int) -> None:
    """Closures: nearly no pupil, some teachers, and most of the families."""
    counts = plan.year.counts
    for day, first, end in plan.closed[index]:
        kept = np.array([draw.uniform(0, 0.12), draw.uniform(0.6, 0.9), draw.uniform(0.2, 0.6)])
        counts[index, :, day, first:end] = draw.binomial(counts[index, :, day, first:end], kept[:, None])
