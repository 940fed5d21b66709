"""The end of a day: what only whole days show, and which bins are no reference for later days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from streams.alerts.arrays import Booleans, Floats
from streams.alerts.day import Day
from streams.alerts.finding import Finding
from streams.alerts.learned import LastDays, Learned
from streams.alerts.negative_binomial import lower_deviance, upper_deviance
from streams.alerts.rules import Check, Kind
from streams.alerts.running import WITHIN_A_DAY, day_variance

_SPOILS_THE_DAY = frozenset({Kind.SCHOOL_DOWN, Kind.UNDECLARED_CLOSURE, Kind.SLOW_DECLINE, Kind.DUPLICATES})
_LIMITS_FROM_SHARE = 0.5
_SLOW_SPREAD = 0.05
_SLOW_EACH = 0.9
_SLOW_LEAST = 60.0
_SLOW_WITHIN_DAYS = 8
_SURGE_EVIDENCE = 12.0
_SURGE_LEAST = 30.0


@dataclass(frozen=True)
class Closed:
    """A finished day, ready to be learned."""

    day: Day
    findings: tuple[Finding, ...]
    peak: Floats
    """[school, check]: the highest evidence of the day."""
    quiet: Booleans
    """[school]: judged for most of a day, and nothing found: its evidence says how high noise runs."""
    skip: Booleans
    """[school, bin]: closed, without data, or in an incident; the expected is learned in their place."""
    blank: Booleans
    """[school]: open, with data, and not one login where some were due."""
    surge: Booleans
    """[school]: far above the expected."""
    last: LastDays
    """The last three school days, this one included where it could be judged."""


def close(learned: Learned, day: Day) -> Closed:
    """Judge the finished day. Changes nothing; `learn` takes the result in."""
    usable = (day.on & day.known).any(1) & np.logical_not(day.down.any())
    last = _push(learned, day, usable)
    slow, score = _judge_slow(learned, day, last, usable)
    surge = _surging(day) & usable
    doubled = [_of_the_day(day, Kind.DUPLICATES, int(school)) for school in np.flatnonzero(surge)]
    findings = (*day.findings, *slow, *doubled)
    quiet = usable & _long_enough(day)
    quiet[[finding.school for finding in day.findings if finding.school is not None]] = False
    peak = np.zeros_like(day.limits)
    peak[:, : len(WITHIN_A_DAY)] = day.peak
    peak[:, Check.SLOW] = score
    blank = _blank(day) & np.logical_not(day.down.any())
    skip = ~(day.calendar.opened & day.known) | day.down
    skip[blank | surge] = True
    for finding in findings:
        schools = slice(None) if finding.school is None else slice(finding.school, finding.school + 1)
        bins = slice(None) if finding.kind in _SPOILS_THE_DAY else slice(finding.since, finding.until + 1)
        skip[schools, bins] = True
    return Closed(day, findings, peak, quiet, skip, blank, surge, last)


def _long_enough(day: Day) -> Booleans:
    """Half of the watched hours or more: the short evidence of a Wednesday would pull the limits down."""
    watched = day.grid.watched
    judged = np.asarray((day.on & day.known)[:, watched].sum(1))
    return np.asarray(judged >= _LIMITS_FROM_SHARE * (watched.stop - watched.start))


def _push(learned: Learned, day: Day, usable: Booleans) -> LastDays:
    last = learned.last
    regional = day.regional
    variance = (day.burst * regional).sum(1) + ((day.spread * regional) ** 2).sum(1)
    today = {
        "seen": day.seen_today,
        "expected": regional,
        "variance": variance,
        "level": learned.level,
        "day": np.full(learned.schools, learned.day),
    }
    pushed = {}
    for name, value in today.items():
        kept = getattr(last, name)
        moved = np.concatenate([kept[:, 1:], value[:, None]], axis=1)
        pushed[name] = np.where(usable.reshape(-1, *[1] * (kept.ndim - 1)), moved, kept)
    return LastDays(**pushed)


def _judge_slow(learned: Learned, day: Day, last: LastDays, usable: Booleans) -> tuple[list[Finding], Floats]:
    """Three school days in a row under 90 %, and together too few, against the level from before them."""
    expected = (last.expected * last.level[:, :1] / np.maximum(last.level, 0.05)).sum(2)
    seen, due = last.seen.sum(1), expected.sum(1)
    variance = last.variance.sum(1) + 3 * (_SLOW_SPREAD * due / 3) ** 2
    recent = usable & (last.day[:, 0] > learned.day - _SLOW_WITHIN_DAYS)
    score = np.where(recent, lower_deviance(seen, due, variance), 0.0)
    limit = day.limits[:, Check.SLOW]
    low = (last.seen < _SLOW_EACH * expected).all(1) & (due > _SLOW_LEAST)
    share = day.settings.rules[Check.SLOW].most
    found = np.flatnonzero((score > limit) & low & (seen < share * due))
    watched = day.grid.watched
    return [
        Finding(
            kind=Kind.SLOW_DECLINE,
            check=Check.SLOW,
            school=int(school),
            profile=None,
            since=watched.start,
            raised=watched.stop - 1,
            until=watched.stop - 1,
            observed=float(seen[school]),
            expected=float(due[school]),
            evidence=float(score[school]),
            limit=float(limit[school]),
        )
        for school in found
    ], score


def _surging(day: Day) -> Booleans:
    regional = day.regional
    due = regional.sum(1)
    evidence = upper_deviance(day.seen_today, due, day_variance(regional, day.burst, day.spread))
    far = (day.seen_today > day.settings.surge_share * due) & (day.seen_today - due > _SURGE_LEAST)
    return np.asarray(far & (evidence > _SURGE_EVIDENCE))


def _of_the_day(day: Day, kind: Kind, school: int) -> Finding:
    regional = day.regional[school : school + 1]
    variance = day_variance(regional, day.burst[school : school + 1], day.spread[school : school + 1])
    seen = day.seen_today[school : school + 1]
    watched = day.grid.watched
    return Finding(
        kind=kind,
        check=None,
        school=school,
        profile=None,
        since=watched.start,
        raised=watched.stop - 1,
        until=watched.stop - 1,
        observed=float(seen[0]),
        expected=float(regional.sum()),
        evidence=float(upper_deviance(seen, regional.sum(1), variance)[0]),
        limit=_SURGE_EVIDENCE,
    )


def _blank(day: Day) -> Booleans:
    """Judged for schools that are still being learned, too: a week of zeros teaches nothing."""
    open_bins = day.calendar.opened & day.known & day.open_day[:, None]
    due = np.einsum("spb,sb->s", day.expected, open_bins.astype(np.float32))
    seen = np.einsum("spb,sb->s", day.seen, open_bins.astype(np.float32))
    return np.asarray((seen == 0) & (due >= day.settings.least_expected))
