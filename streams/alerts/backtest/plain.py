"""A world of plain noise: smooth curves times gamma shocks of each hour, and Poisson counts."""

from __future__ import annotations

import numpy as np

from streams.alerts.backtest.year import BINS_PER_H, GRID, PARENTS_CURVE, TEACHERS_CURVE, Year, curve, frame

_STREAM = 10_000
_LESSONS_CURVE = curve(
    *((7, 0.02), (8.3, 0.3), (9, 1), (11, 1), (11.8, 0.4), (13.2, 0.3), (14, 0.9), (16, 0.8)),
    *((16.8, 0.3), (18, 0.2), (22, 0.02)),
)
_WEEK = np.array([1, 1.02, 0.55, 1, 0.85])
_TEACHERS_SHARE = 0.08
_KEPT_IN_A_CLOSURE = 0.15


def simulate(seed: int, schools: int) -> Year:
    """One year of logins without incidents, but with its closures."""
    draw = np.random.default_rng(_STREAM + seed)
    plan = frame(draw, schools)
    year = plan.year
    count = len(year.days)
    everybody = np.exp(draw.normal(0, 0.06, count))
    for index in range(schools):
        per_day = np.exp(draw.uniform(np.log(25), np.log(4000)))
        families = draw.uniform(0.15, 0.6)
        growth = 1 + draw.uniform(-0.15, 0.6) * np.arange(count) / count
        steadiness = np.exp(draw.uniform(np.log(5), np.log(50)))
        shares = (1 - _TEACHERS_SHARE - families, families, _TEACHERS_SHARE)
        for profile, (share, shape) in enumerate(
            zip(shares, (_LESSONS_CURVE, PARENTS_CURVE, TEACHERS_CURVE), strict=True)
        ):
            shocks = draw.gamma(steadiness, 1 / steadiness, (count, GRID.bins // BINS_PER_H))
            days = growth * everybody * np.exp(draw.normal(0, 0.10, count)) * _WEEK[year.weekday]
            rate = per_day * share * days[:, None] * shape * np.repeat(shocks, BINS_PER_H, 1)
            year.counts[index, profile] = draw.poisson(rate)
        for day, first, end in plan.closed[index]:
            counts = year.counts[index, :, day, first:end]
            year.counts[index, :, day, first:end] = draw.binomial(counts, _KEPT_IN_A_CLOSURE)
    return year
