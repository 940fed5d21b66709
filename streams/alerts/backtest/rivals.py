"""What the detector is compared with: rules in common use, on whole hours; all of them know the calendar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from streams.alerts.arrays import Booleans, Floats, Integers
from streams.alerts.backtest.case import Case, Raised
from streams.alerts.finding import Finding
from streams.alerts.rules import Kind

_REFERENCES = 8
_LEAST_REFERENCES = 3
_TAIL_OF_1_IN_1000, _TAIL_OF_1_IN_100 = 3.09, 2.33
_MAD = 1.4826


@dataclass(frozen=True)
class Hours:
    """Logins [school, day, hour] of the watched hours."""

    logins: Floats
    references: Floats
    """[school, day, 8, hour]: the last eight open such weekdays, newest first; NaN where there are fewer."""
    median: Floats
    level: Floats
    """[school, day]: the last five school days against their medians."""
    judged: Booleans
    """[school, day, hour]: open, with three references or more."""


def hourly(case: Case) -> Hours:
    """Raises ValueError if the step does not divide an hour and is no multiple of one."""
    width = max(1, 60 // case.grid.step_min)
    if case.grid.step_min * width != 60 and case.grid.step_min % 60:
        raise ValueError(f"hourly rules need a step that divides an hour, not {case.grid.step_min} min")
    watched = case.grid.watched
    hours = (watched.stop - watched.start) // width
    bins = slice(watched.start, watched.start + hours * width)
    shape = (case.schools, len(case.ordinals), hours, width)
    logins = case.counts[..., bins].sum(1, dtype=np.float64).reshape(shape).sum(3)
    opened: Booleans = np.asarray((case.opened & case.known)[..., bins].reshape(shape).all(3), bool)
    references = _references(case, logins, opened)
    count: Integers = np.asarray((~np.isnan(references[:, :, :, 0])).sum(2))
    median = _nanmedian(references)
    judged = opened & (count >= _LEAST_REFERENCES)[:, :, None]
    return Hours(logins, references, median, _level(logins, median, np.asarray(opened.any(2))), judged)


def _nanmedian(values: Floats) -> Floats:
    """Over axis 2, 0 where nothing is known."""
    nothing = np.asarray(np.isnan(values).all(2))
    known = np.where(nothing[:, :, None], 0.0, values)
    return np.asarray(np.nanmedian(known, axis=2))


def _references(case: Case, logins: Floats, opened: Booleans) -> Floats:
    schools, days, hours = logins.shape
    references = np.full((schools, days, _REFERENCES, hours), np.nan)
    open_days = np.asarray(opened.any(2))
    for school in range(schools):
        for weekday in range(7):
            alike = np.flatnonzero(open_days[school] & (case.weekday == weekday))
            for day in np.flatnonzero(case.weekday == weekday):
                past: Integers = alike[alike < day][-_REFERENCES:][::-1]
                references[school, day, : len(past)] = logins[school, past]
    return references


def _level(logins: Floats, median: Floats, opened: Booleans) -> Floats:
    total, usual = np.asarray(logins.sum(2)), np.asarray(median.sum(2))
    level = np.ones(total.shape)
    for school in range(len(total)):
        days = np.flatnonzero(opened[school] & (usual[school] > 0))
        ratio = total[school, days] / usual[school, days]
        for place in range(3, len(days)):
            until = days[place + 1] if place + 1 < len(days) else total.shape[1]
            level[school, days[place] : until] = np.clip(np.median(ratio[max(0, place - 5) : place]), 0.5, 2)
    return level


def tail(x: Floats, mean: Floats, size: Floats | float = np.inf) -> Floats:
    """z of P(X <= x) for a negative binomial of this mean and size, large for a small tail; Poisson without a size.

    Paulson's approximation: the cube roots of two gamma variables are nearly normal.
    """
    k = x + 1
    root = np.cbrt(mean / k)
    spread = np.sqrt(root**2 / (9 * size) + 1 / (9 * k))
    return np.asarray((root * (1 - 1 / (9 * size)) - (1 - 1 / (9 * k))) / spread)


def _two_in_a_row(hit: Booleans) -> Booleans:
    before = np.zeros_like(hit)
    before[..., 1:] = hit[..., :-1]
    return hit & before


def _half_of_last_week(hours: Hours) -> Booleans:
    return np.asarray(hours.judged & (hours.logins < 0.5 * hours.references[:, :, 0]))


def _median_and_mad(hours: Hours) -> Booleans:
    spread = np.maximum(_MAD * _nanmedian(np.abs(hours.references - hours.median[:, :, None])), 1)
    low = (hours.logins - hours.median) / spread < -3
    return _two_in_a_row(hours.judged & low & (hours.median >= 10))


def _poisson(hours: Hours) -> Booleans:
    far = tail(hours.logins, np.maximum(hours.median, 0.5)) > _TAIL_OF_1_IN_1000
    return np.asarray(hours.judged & far & (hours.median >= 5))


def _static(hours: Hours) -> Booleans:
    """Fewer than ten an hour, in hours that usually have twenty."""
    return np.asarray(hours.judged & (hours.logins < 10) & (hours.median >= 20))


def _negative_binomial(hours: Hours) -> Booleans:
    usual = np.maximum(hours.median * hours.level[:, :, None], 0.5)
    square = ((hours.references - hours.median[:, :, None]) / np.maximum(hours.median, 1)[:, :, None]) ** 2
    known = np.maximum((~np.isnan(square)).sum(2), 1)
    relative = np.where(hours.median > 3, np.nansum(square, axis=2) / known, np.nan)
    spread = np.clip(_nanmedian(relative), 0.02, 0.5)
    far = tail(hours.logins, usual, 1 / spread[:, :, None]) > _TAIL_OF_1_IN_100
    return _two_in_a_row(hours.judged & far & (hours.logins < 0.6 * usual) & (hours.median >= 5))


RULES: Final[dict[str, Callable[[Hours], Booleans]]] = {
    "half of last week": _half_of_last_week,
    "static threshold, 10/h": _static,
    "median - 3 MAD, two hours": _median_and_mad,
    "Poisson tail 1e-3": _poisson,
    "negative-binomial tail 1e-2, ratio 0.6, two hours": _negative_binomial,
}


def alerts(case: Case, hours: Hours, hit: Booleans) -> list[Raised]:
    """The hours [school, day, hour] in which a rule fires, as findings raised at the end of the hour."""
    width = max(1, 60 // case.grid.step_min)
    start = case.grid.watched.start
    found = []
    for school, day, hour in zip(*np.nonzero(hit), strict=True):
        first = start + int(hour) * width
        finding = Finding(
            kind=Kind.SCHOOL_DOWN,
            check=None,
            school=int(school),
            profile=None,
            since=first,
            raised=first + width - 1,
            until=first + width - 1,
            observed=float(hours.logins[school, day, hour]),
            expected=float(hours.median[school, day, hour]),
            evidence=0.0,
            limit=0.0,
        )
        found.append(Raised(int(day), finding))
    return found
