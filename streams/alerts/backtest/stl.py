"""A rival that decomposes: STL of statsmodels, where it is installed; it is no dependency of the project."""

from __future__ import annotations

import importlib
import importlib.util

import numpy as np

from streams.alerts.arrays import Booleans, Floats
from streams.alerts.backtest.rivals import Hours

NAME = "STL, residual below -3 MAD, two hours"
_WEEKS = 8
_LEAST_WEEKS = 3
_MAD = 1.4826


def installed() -> bool:
    """True if statsmodels can be imported."""
    return importlib.util.find_spec("statsmodels") is not None


def hits(hours: Hours, weekday: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Booleans:
    """[school, day, hour]: refitted each week on the last eight weeks of school days; raises ImportError without it.

    The forecast of an hour is the last fitted season and trend of the same hour of the week.
    """
    decompose = importlib.import_module("statsmodels.tsa.seasonal").STL
    hit = np.zeros(hours.logins.shape, bool)
    for school in range(len(hit)):
        days = np.flatnonzero(hours.judged[school].any(1))
        weeks = np.cumsum(np.r_[0, np.diff(weekday[days]) < 0]) if len(days) else days
        per_week = int(np.bincount(weeks).max()) if len(days) else 0
        for week in range(_LEAST_WEEKS, int(weeks.max(initial=0)) + 1):
            past = days[(weeks < week) & (weeks >= week - _WEEKS)]
            now = days[weeks == week]
            if per_week < 2 or len(past) < 2 * per_week:
                continue
            hit[school, now] = _low(decompose, hours.logins[school], past, now, weekday, per_week)
    hit &= hours.judged & (hours.median >= 10)
    hit[..., 1:] &= hit[..., :-1]
    return hit


def _low(
    decompose: object,
    logins: Floats,
    past: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    now: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    weekday: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    per_week: int,
) -> Booleans:
    assert callable(decompose)
    series = logins[past].ravel()
    fit = decompose(series, period=per_week * logins.shape[1]).fit()
    fitted = (np.asarray(fit.seasonal) + np.asarray(fit.trend)[-1]).reshape(len(past), -1)
    spread = max(1.0, _MAD * float(np.median(np.abs(np.asarray(fit.resid)))))
    low = np.zeros((len(now), logins.shape[1]), bool)
    for place, day in enumerate(now):
        alike = np.flatnonzero(weekday[past] == weekday[day])
        if len(alike):
            low[place] = logins[day] - fitted[alike[-1]] < -3 * spread
    return low
