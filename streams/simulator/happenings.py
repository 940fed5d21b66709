"""The events of one day: logins and the applications that follow, notifications of teachers, activations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from streams.simulator.applications import NOTIFYING, NOTIFYING_WEIGHTS, UNKNOWN, draw_applications
from streams.simulator.population import PARENT, PUPIL, TEACHER, UNTOLD, Floats, Population
from streams.simulator.rows import (
    ACTIVATION,
    APP_VISIT,
    BINARY,
    ENTCORE,
    LOGIN,
    NOBODY,
    NOTIFICATION,
    STRUCTURED,
    Ints,
    Rows,
)
from streams.simulator.timetable import Visits, draw_visits, stays

PARIS: Final = ZoneInfo("Europe/Paris")
DAY_MS: Final = 86_400_000
BINARY_SHARE: Final = 0.12
"""Of what is not entcore's: a tenth of everything."""
PHONE_SHARE: Final = 0.55
"""Of the parents' visits: those through the application of a telephone."""
_NOON: Final = time(12)
_LAST_MOMENT_MS: Final = DAY_MS - 60_000
_NOTIFIES: Final = 0.3
"""Share of a teacher's visits in which the parents of the class are notified."""
_ANONYMOUS: Final = 0.3
"""Share of canonical notifications that do not say who caused them."""
_ACTIVATIONS: Final = 0.0015
"""Expected activations per parent's account and day at scale 1."""
_FIRST_APPLICATION_S: Final = (3.0, 12.0)
"""At least, and on average beyond that: from the login to the first application."""
_NOTIFICATION_MS: Final = (60_000, 540_000)
"""From the login to a notification."""
_ACTIVATION_HOURS: Final = (9.0, 21.0)
_ID_BITS: Final = 64
_SESSION_BITS: Final = 32


@dataclass(frozen=True)
class _Part:
    """Events of one type, with what the columns of all are made from."""

    visits: Visits
    """One per event."""
    kind: int
    start_ms: Ints
    app: npt.NDArray[np.int8]
    session: npt.NDArray[np.uint32]
    phone: npt.NDArray[np.bool_]


def draw_events(population: Population, day: date, scale: float, random: np.random.Generator) -> Rows:
    """All events of a day. Two of one user, type and application never share their millisecond."""
    visits = draw_visits(population, day, scale, random)
    session = random.integers(0, 2**_SESSION_BITS, len(visits), np.uint32)
    phone = (random.random(len(visits)) < PHONE_SHARE) & (visits.profile == PARENT)
    of_visit, app_start_ms = _application_times(visits, random)
    apps = draw_applications(random, visits.profile[of_visit], PUPIL, PARENT)
    told = ((visits.profile == TEACHER) & (random.random(len(visits)) < _NOTIFIES)).nonzero()[0]
    told_ms = visits.start_ms[told] + random.integers(*_NOTIFICATION_MS, len(told))
    activated = _activations(population, day, scale, random)
    parts = [
        _Part(visits, LOGIN, visits.start_ms, _no_app(len(visits)), session, phone),
        _Part(visits.take(of_visit), APP_VISIT, app_start_ms, apps, session[of_visit], phone[of_visit]),
        _Part(
            visits.take(told),
            NOTIFICATION,
            told_ms,
            random.choice(NOTIFYING, len(told), p=NOTIFYING_WEIGHTS),
            session[told],
            phone[told],
        ),
        _Part(
            activated,
            ACTIVATION,
            activated.start_ms,
            _no_app(len(activated)),
            random.integers(0, 2**_SESSION_BITS, len(activated), np.uint32),
            np.zeros(len(activated), np.bool_),
        ),
    ]
    return _rows(population, day, parts, random)


def midnight_ms(day: date) -> int:
    """When a day of Paris begins, in milliseconds since 1970 UTC."""
    return int(datetime.combine(day, time(), PARIS).timestamp()) * 1000


def _rows(population: Population, day: date, parts: list[_Part], random: np.random.Generator) -> Rows:
    all_ = Visits.together([part.visits for part in parts])
    kind = np.repeat(np.array([part.kind for part in parts], np.uint8), [len(part.visits) for part in parts])
    app = np.concatenate([part.app for part in parts])
    notified = kind == NOTIFICATION
    entcore = population.entcore[all_.school]
    bare = entcore & (notified | (app == UNKNOWN))
    form = np.where(entcore, ENTCORE, np.where(random.random(len(kind)) < BINARY_SHARE, BINARY, STRUCTURED))
    anonymous = notified & ~entcore & (random.random(len(kind)) < _ANONYMOUS)
    number = np.where(anonymous, NOBODY, all_.number)
    without_class = np.array(population.places.without_class, np.int64)
    start_ms = np.minimum(np.concatenate([part.start_ms for part in parts]), _LAST_MOMENT_MS)
    return Rows(
        kind=kind,
        outcome=np.zeros(len(kind), np.uint8),
        form=form.astype(np.uint8),
        # entcore says neither profile nor classes of who notifies, and no classes with a third party's application.
        profile=np.where(notified & entcore, UNTOLD, all_.profile).astype(np.uint8),
        number=number,
        place=np.where(bare, without_class[all_.place], all_.place).astype(np.int32),
        app=app,
        moment_ms=_told_apart(number, kind, app, _noon_ms(day) - DAY_MS // 2 + start_ms),
        class_=np.where(notified, all_.class_, -1).astype(np.int32),
        recipients=np.where(notified, population.parents[all_.class_], 0).astype(np.int32),
        session=np.concatenate([part.session for part in parts]),
        phone=np.concatenate([part.phone for part in parts]),
        id_high=random.integers(0, 2**_ID_BITS, len(kind), np.uint64),
        id_low=random.integers(0, 2**_ID_BITS, len(kind), np.uint64),
    )


def _application_times(visits: Visits, random: np.random.Generator) -> tuple[Ints, Ints]:
    """Each opening of an application: its visit, and when, since midnight. The first one soon follows the login."""
    of = np.repeat(np.arange(len(visits)), visits.applications)
    first = np.cumsum(visits.applications) - visits.applications
    least_s, more_s = _FIRST_APPLICATION_S
    gaps_s = random.exponential(1.0, len(of)) * visits.pace_s[of] + 1
    starts = first[visits.applications > 0]
    gaps_s[starts] = least_s + random.exponential(more_s, len(starts))
    passed_s: Floats = np.cumsum(gaps_s)
    before_s = (passed_s - gaps_s)[np.minimum(first, max(len(of) - 1, 0))] if len(of) else np.zeros(len(visits))
    return of, visits.start_ms[of] + ((passed_s - before_s[of]) * 1000).astype(np.int64)


def _activations(population: Population, day: date, scale: float, random: np.random.Generator) -> Visits:
    parents = population.people[PARENT]
    level = population.growth(day).mean() * scale if len(population.uais) else 0.0
    many = random.poisson(_ACTIVATIONS * level * len(parents.number))
    who = random.integers(0, max(len(parents.number), 1), many)
    starts_s = random.uniform(*_ACTIVATION_HOURS, many) * 3600
    return stays(parents, who, starts_s, np.zeros(many, np.int64), 0.0)


def _told_apart(number: Ints, kind: npt.NDArray[np.uint8], app: npt.NDArray[np.int8], moment_ms: Ints) -> Ints:
    """The moments, some a few milliseconds later, so that no two are the same of one user, type and application."""
    moment_ms = moment_ms.copy()
    while True:
        order = np.lexsort((moment_ms, app, kind, number))
        columns = (number[order], kind[order], app[order], moment_ms[order])
        same = np.logical_and.reduce([column[1:] == column[:-1] for column in columns])
        if not same.any():
            return moment_ms
        moment_ms[order[1:][same]] += 1


def _noon_ms(day: date) -> int:
    """Clocks change at night: what is counted from noon is right for the whole waking day."""
    return int(datetime.combine(day, _NOON, PARIS).timestamp()) * 1000


def _no_app(count: int) -> npt.NDArray[np.int8]:
    return np.full(count, -1, np.int8)
