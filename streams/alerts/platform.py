"""All schools together, before any school alone: evidence adds up, and an outage of everybody is one alert."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from streams.alerts.arrays import Floats
from streams.alerts.finding import Finding
from streams.alerts.grid import Grid
from streams.alerts.rules import Kind, Settings

_PAIR = 2
_LULL = 0.25
_JOIN_BINS = 3


@dataclass
class Platform:
    """The sum over schools of one profile, or of all: Page's CUSUM, and the last bins far below the expected.

    The last bins are two, or as many as the evidence must be old.
    """

    grid: Grid
    settings: Settings
    kind: Kind
    profile: int | None
    share: float
    """Observed / expected must be below."""
    age_bins: int = 1
    score: float = 0.0
    since: int = 0
    seen: float = 0.0
    expected: float = 0.0
    last: list[tuple[float, float]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    down_until: int = -1
    """Up to this bin, nothing is held against a school."""

    def take(self, at: int, step: float, seen: float, expected: float, sharp: float) -> bool:
        """One more bin of all schools together; True if they are down in it.

        `sharp` is what this very slot usually brings: at an hour at which all schools stop, little is missed.
        """
        lull = _LULL if self.profile is None else 1.0  # in a small lull of one profile, the platform's others come
        if step > 0 and sharp < lull * expected:
            step *= sharp / expected
        if self.score <= 0:
            self.since, self.seen, self.expected = at, 0.0, 0.0
        self.score = max(0.0, self.score + step)
        self.seen += seen
        self.expected += expected
        self.last = [*self.last, (seen, min(expected, sharp))][-max(_PAIR, self.age_bins) :]
        last_seen, last_expected = (sum(column) for column in zip(*self.last, strict=True))
        low = last_seen < self.share * last_expected
        grave = last_expected > self.settings.platform_least and self.score > self.settings.platform_limit
        if not (low and grave and at - self.since + 1 >= self.age_bins):
            return False
        self.down_until = at + self.grid.spans(self.settings.platform_after_min) - 1
        self._note(at)
        return True

    def clear(self) -> None:
        """Start anew: what was seen while the whole platform was down proves nothing about one profile."""
        self.score, self.last = 0.0, []

    def _note(self, at: int) -> None:
        if self.findings and at - self.findings[-1].until <= _JOIN_BINS:
            self.findings[-1] = replace(self.findings[-1], until=at)
            return
        limit = self.settings.platform_limit
        self.findings.append(
            Finding(
                kind=self.kind,
                check=None,
                school=None,
                profile=self.profile,
                since=self.since,
                raised=at,
                until=at,
                observed=self.seen,
                expected=self.expected,
                evidence=self.score,
                limit=limit,
            )
        )


class Region:
    """What schools do today, so far: their median ratio to the expected (weather, transport, a slow platform)."""

    _BIG, _PRIOR, _LEAST_SCHOOLS = 40.0, 36.0, 8
    _LOWEST, _HIGHEST = 0.55, 1.3

    def __init__(self, schools: int) -> None:
        self.seen: Floats = np.zeros(schools)
        self.expected: Floats = np.zeros(schools)

    def take(self, seen: Floats, expected: Floats) -> Floats:
        """Take in the next bins [school, bin]; the factor [bin] of each, from the bins before it alone.

        The factor is 1 while fewer than eight schools expect 40 logins.
        """
        seen_by = np.cumsum(seen, axis=1) + self.seen[:, None]
        expected_by = np.cumsum(expected, axis=1) + self.expected[:, None]
        before = np.column_stack([self.seen, seen_by[:, :-1]]), np.column_stack([self.expected, expected_by[:, :-1]])
        self.seen, self.expected = seen_by[:, -1], expected_by[:, -1]
        big = before[1] > self._BIG
        enough = big.sum(0) >= self._LEAST_SCHOOLS
        factor = np.ones(seen.shape[1])
        if enough.any():
            ratio = np.where(big, (before[0] + self._PRIOR) / (before[1] + self._PRIOR), np.nan)[:, enough]
            factor[enough] = np.clip(np.nanmedian(ratio, axis=0), self._LOWEST, self._HIGHEST)
        return factor
