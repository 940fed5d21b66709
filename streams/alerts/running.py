"""The evidence of a day so far, school by school; taken bin by bin, never changed in place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from streams.alerts.arrays import Floats, Integers
from streams.alerts.negative_binomial import lower_deviance
from streams.alerts.rules import Audience, Check

SUMS = (Check.SILENCE, Check.SITE, Check.FAMILIES, Check.DROP)
"""The checks that add up likelihood ratios from the start of each excursion (Page's CUSUM)."""
WITHIN_A_DAY = (*SUMS, Check.DAY)
_COMMON_SPREAD = 0.08
"""What all profiles of a school share in good and bad days, as a share of the day."""


class Bin(NamedTuple):
    """One bin of all schools, [school, profile] each; closed or unknown schools hold zeros."""

    seen: Floats
    expected: Floats
    regional: Floats
    """Expected, times what schools do today."""
    quiet: Floats
    """Log-likelihood ratio of near silence against normal."""
    less: Floats
    """Log-likelihood ratio of a low share against normal."""


@dataclass(frozen=True)
class Running:
    """Arrays [school, check of WITHIN_A_DAY] unless said otherwise."""

    score: Floats
    begun: Integers
    """The bin in which the present excursion began."""
    seen: Floats
    """Logins since then, of the profiles that the check hears."""
    expected: Floats
    peak: Floats
    day_regional: Floats
    """[school, profile]: expected since the morning, times what schools do today."""

    @classmethod
    def begin(cls, schools: int, profiles: int, first: int) -> Running:
        """No evidence yet, at the first watched bin."""
        zero = np.zeros((schools, len(WITHIN_A_DAY)))
        begun = np.full(zero.shape, first)
        return cls(zero, begun, zero, zero, zero, np.zeros((schools, profiles)))

    def take(self, at: int, bin_: Bin, heard: Floats, burst: Floats, spread: Floats, late: bool) -> Running:
        """One more bin. `heard` [profile, check] says which profiles a check hears; `late`: the day is judged too."""
        sums = len(SUMS)
        step = np.empty_like(self.score[:, :sums])
        step[:, : sums - 1] = bin_.quiet @ heard[:, : sums - 1]
        step[:, sums - 1] = bin_.less @ heard[:, sums - 1]
        fresh = self.score <= 0
        fresh[:, Check.DAY] = False
        begun = np.where(fresh, at, self.begun)
        seen = np.where(fresh, 0, self.seen) + bin_.seen @ heard
        expected = np.where(fresh, 0, self.expected) + bin_.expected @ heard
        regional = self.day_regional + bin_.regional
        score = np.zeros_like(self.score)
        np.maximum(self.score[:, :sums] + step, 0, out=score[:, :sums])
        if late:
            score[:, Check.DAY] = lower_deviance(
                seen[:, Check.DAY], regional.sum(1), day_variance(regional, burst, spread)
            )
        return Running(score, begun, seen, expected, np.maximum(self.peak, score), regional)

    def without(self, check: Check) -> Running:
        """The evidence of one check is withdrawn, the others' stands."""
        score = self.score.copy()
        score[:, check] = 0
        return replace(self, score=score)

    def start_anew(self) -> Running:
        """Without the evidence that was added up; what the whole day came to stays."""
        score = self.score.copy()
        score[:, : len(SUMS)] = 0
        return replace(self, score=score)


def day_variance(expected: Floats, burst: Floats, spread: Floats) -> Floats:
    """Variance [school] of a span of a day with these expected logins; `spread` is a standard deviation."""
    own = (burst * expected).sum(1) + ((spread * expected) ** 2).sum(1)
    return np.asarray(own + (_COMMON_SPREAD * expected.sum(1)) ** 2)


def hearing(audience: Audience) -> Floats:
    """[profile, check of WITHIN_A_DAY]: 1 where a check hears a profile. Two checks need families apart."""
    count = len(audience.names)
    heard = np.ones((count, len(WITHIN_A_DAY)))
    families = np.arange(count) == (-1 if audience.families is None else audience.families)
    heard[:, Check.FAMILIES] = families
    heard[:, Check.SITE] = ~families & families.any()
    return heard
