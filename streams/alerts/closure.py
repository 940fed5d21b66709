"""Nobody came to school but families still connect: most likely a closure that nobody declared."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from streams.alerts.arrays import Singles
from streams.alerts.negative_binomial import log_likelihood_ratio
from streams.alerts.rules import Check, Kind

if TYPE_CHECKING:
    from streams.alerts.day import Day

_SILENT, _PRESENT = 0.1, 0.75
_LEAK, _SOME = 0.02, 0.15
_SURE_OF_SOME = 2.0
_FAMILIES_BURST_LEAST = 1.5
_SURE = 1.0
_LEAST_PUPILS = 8.0
_CAME = 0.25
_WAIT_MIN = 60


class Verdict(Enum):
    """What the families say about a drop."""

    DROP = "drop"
    CLOSURE = "closure"
    WAIT = "wait"

    def kind(self, check: Check, families_alone: bool) -> Kind:
        """What the finding of this check is called; families are a series of their own if the others are there."""
        if self is Verdict.CLOSURE:
            return Kind.UNDECLARED_CLOSURE
        if check is Check.FAMILIES and families_alone:
            return Kind.SERIES_OUT
        return Kind.SCHOOL_SILENT if check in {Check.SILENCE, Check.SITE, Check.FAMILIES} else Kind.SCHOOL_DOWN


def classify(day: Day, school: int, since: int, now: int) -> Verdict:
    """A drop of one school over the bins `since` to `now`; without families or pupils apart it stays a drop."""
    audience, grid = day.settings.audience, day.grid
    if audience.families is None or audience.pupils is None:
        return Verdict.DROP
    on = day.on[school] & day.known[school]

    def total(values: Singles, profile: int, first: int, end: int) -> float:
        return float((values[school, profile, first:end] * on[first:end]).sum())

    noon = grid.bin_at(day.settings.noon_min)
    half = grid.watched.start if now < noon else noon
    families = families_silent(
        total(day.seen, audience.families, since, now + 1),
        total(day.expected, audience.families, since, now + 1),
        float(day.burst[school, audience.families]),
    )
    before, usual = (total(values, audience.pupils, half, since) for values in (day.seen, day.expected))
    came = usual >= _LEAST_PUPILS and before >= _CAME * usual
    absent = usual >= _LEAST_PUPILS and before < _CAME * usual
    seen, expected = (total(values, audience.pupils, half, now + 1) for values in (day.seen, day.expected))
    if came or seen >= _CAME * expected:
        return Verdict.DROP
    if families < -_SURE or (absent and families < _SURE):
        return Verdict.CLOSURE
    if since - half < grid.spans(_WAIT_MIN) and _some_get_through(day, school, since, now) > _SURE_OF_SOME:
        return Verdict.CLOSURE
    return Verdict.WAIT if families < _SURE and now - since + 1 < grid.spans(_WAIT_MIN) else Verdict.DROP


def _some_get_through(day: Day, school: int, since: int, now: int) -> float:
    """Nats for one in seven still connecting against an outage, which lets hardly anybody through."""
    bins = slice(since, now + 1)
    on = (day.on[school] & day.known[school])[bins]
    seen = (day.seen[school, :, bins] * on).sum(1, dtype=np.float64)
    expected = np.maximum((day.expected[school, :, bins] * on).sum(1, dtype=np.float64), 1e-9)
    some, none = (log_likelihood_ratio(seen, expected, day.burst[school], share) for share in (_SOME, _LEAK))
    return float((some - none).sum())


def families_silent(seen: float, expected: float, burst: float) -> float:
    """Nats for families silent too (10 % of usual) against families there (75 %)."""
    c = np.array([max(burst, _FAMILIES_BURST_LEAST)])
    x, mu = np.array([seen]), np.array([max(expected, 1e-9)])
    silent, there = (log_likelihood_ratio(x, mu, c, share) for share in (_SILENT, _PRESENT))
    return float(silent[0] - there[0])
