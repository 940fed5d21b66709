"""Limits of the evidence, learned from the maxima of past days on which nothing was found."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from streams.alerts.arrays import Booleans, Floats
from streams.alerts.rules import Check, Settings

_KEPT_DAYS = 70
_PRIOR_WEIGHT = 400.0
_LEAST_POOL = 100
_BODY, _TOP = 0.80, 0.97
_MEMORY = 0.98
_OWN_WEIGHT = 15.0
_HIGHEST = 40.0
_CAUTION, _CAUTION_UNTIL = 0.3, 1000.0


class Limits:
    """Per school and check, in nats: what the evidence must pass for the budget of false alarms.

    The maxima of all schools are pooled; beyond their 97 % quantile an exponential tail is carried on to the budget
    and shrunk towards a prior, with up to a third on top as long as few are known; a school whose evidence runs higher
    than the others' has a higher limit.
    """

    def __init__(self, schools: int, settings: Settings) -> None:
        self.past: npt.NDArray[np.float32] = np.full((schools, len(Check), _KEPT_DAYS), np.nan, np.float32)
        self.mean_sum: Floats = np.zeros((schools, len(Check)))
        self.mean_count: Floats = np.zeros((schools, len(Check)))
        first = [settings.rules[check].prior * _caution(0) for check in Check]
        self.value: Floats = np.tile(first, (schools, 1))
        self.cursor = 0

    def take(self, maxima: Floats, quiet: Booleans, settings: Settings) -> None:
        """Take in one day's maxima [school, check] of the schools [school] on which nothing was found."""
        self.past[:, :, self.cursor % _KEPT_DAYS] = np.where(quiet[:, None], maxima, np.nan)
        self.cursor += 1
        capped = np.minimum(maxima, self.value)
        self.mean_sum = np.where(quiet[:, None], _MEMORY * self.mean_sum + capped, self.mean_sum)
        self.mean_count = np.where(quiet[:, None], _MEMORY * self.mean_count + 1, self.mean_count)
        for check in Check:
            self._learn(check, settings)

    def _learn(self, check: Check, settings: Settings) -> None:
        pool = self.past[:, check]
        pool = pool[~np.isnan(pool)]
        if pool.size < _LEAST_POOL:
            return
        rule = settings.rules[check]
        body, top = np.quantile(pool, (_BODY, _TOP))
        scale = (top - body) / np.log((1 - _BODY) / (1 - _TOP))
        limit = top + scale * np.log((1 - _TOP) * settings.days_per_month / rule.budget)
        limit = (pool.size * limit + _PRIOR_WEIGHT * rule.prior) / (pool.size + _PRIOR_WEIGHT)
        limit *= _caution(pool.size)
        usual = max(float(pool.mean()), 1.0)
        own = (self.mean_sum[:, check] + _OWN_WEIGHT * usual) / (self.mean_count[:, check] + _OWN_WEIGHT)
        self.value[:, check] = np.clip(limit * np.clip(np.sqrt(own / usual), 1, 1.5), rule.floor, _HIGHEST)


def _caution(known: int) -> float:
    """What limits are raised by before many maxima are known: nobody can tell yet how high quiet days run here."""
    return 1 + _CAUTION * max(0.0, 1 - known / _CAUTION_UNTIL)
