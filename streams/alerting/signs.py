"""What the detector, the pipeline and the calendar say, as signs of topics. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Final

import numpy as np

from schemas.school_time.horizon import Horizon
from schemas.school_time.school_time import PARIS
from streams.alerting.episodes import PLATFORM_TOPIC, SCHOOL_TOPIC, Gravity, Sign
from streams.alerting.watch import Judgement
from streams.alerts.finding import Finding
from streams.alerts.rules import DIGEST, Kind

FLOW_TOPIC: Final = "flux"
CALENDAR_TOPIC: Final = "calendrier"
FLOW_KIND: Final = "flux_interrompu"
CALENDAR_KIND: Final = "calendrier_expire"
DIGEST_KIND: Final = "bulletin_hebdomadaire"
MUTED_BY_FLOW: Final = frozenset({PLATFORM_TOPIC, SCHOOL_TOPIC, "serie"})
"""Topics of which nothing can be said while events do not arrive."""
_HOUR_MIN: Final = 60
_HALF_HOUR_MIN: Final = 30
_BACK_SHARE: Final = 0.7
_LEAST_DUE: Final = 8.0
"""Observed / expected, and expected connections, from which a school counts as back."""
_GRAVE: Final = frozenset({Kind.PLATFORM_DOWN, Kind.SCHOOL_SILENT})


def signs_of(
    judged: Judgement, findings: Sequence[Finding], uais: Sequence[str], profiles: Sequence[str]
) -> list[Sign]:
    """What was found on a day, by topic."""
    back = _back(judged)
    return [_sign(judged, finding, uais, profiles, back) for finding in findings]


def flow_sign(judged: Judgement | None, stalled_since: datetime | None, now: datetime) -> Sign | None:
    """The pipeline has stalled, or nothing at all arrives although something is due."""
    if stalled_since is not None:
        since = stalled_since
    elif judged is not None and judged.dark is not None:
        since = judged.moment(judged.dark[0])
    else:
        return None
    return Sign(FLOW_TOPIC, FLOW_KIND, Gravity.GRAVE, since, since, now, active=True)


def calendar_sign(horizon: Horizon, unknown: Sequence[str]) -> Sign | None:
    """The calendar ends soon, has ended, or lacks a school. `unknown`: schools that it lacks, by UAI."""
    if not (horizon.near or unknown):
        return None
    grave = horizon.expired or bool(unknown)
    since = datetime.combine(min(horizon.after, horizon.today), time(), PARIS)
    gravity = Gravity.GRAVE if grave else Gravity.ALERT
    raised = datetime.combine(horizon.after, time(), PARIS)  # one alert for each end, however long it stands
    return Sign(CALENDAR_TOPIC, CALENDAR_KIND, gravity, since, raised, since, active=True)


def recovered_topics(judged: Judgement, uais: Sequence[str]) -> set[str]:
    """Schools whose day so far is near enough to the expected to end an alert of an earlier day; with the platform."""
    seen, due = judged.day.seen_today, judged.day.regional.sum(1)
    fine = (due >= _LEAST_DUE) & (seen >= _BACK_SHARE * due)
    topics = {f"{SCHOOL_TOPIC}:{uai}" for uai, one in zip(uais, fine.tolist(), strict=True) if one}
    if due.sum() >= _LEAST_DUE and seen.sum() >= _BACK_SHARE * due.sum():
        topics |= {PLATFORM_TOPIC}
    return topics


def _back(judged: Judgement) -> Callable[[Finding], int | None]:
    """The bin at whose end what a finding is about had been near its usual for a while since it was raised."""
    day = judged.day
    usual = day.usual()

    def returned(finding: Finding) -> int | None:
        if finding.school is None:
            span = day.grid.spans(_HALF_HOUR_MIN)
            profiles = slice(None) if finding.profile is None else slice(finding.profile, finding.profile + 1)
            part = (slice(None), profiles, slice(max(day.at - span, finding.raised), day.at))
            back = day.at - finding.raised > span and _near(float(day.seen[part].sum()), float(usual[part].sum()))
            return day.at - 1 if back else None
        after = slice(finding.raised + 1, day.at)
        span, count = day.grid.spans(_HOUR_MIN), after.stop - after.start
        if count < span:
            return None
        judgeable = (day.on & day.known)[finding.school, after]
        bins = [(values[finding.school, :, after].sum(0) * judgeable) for values in (day.seen, day.expected)]
        seen, due = (np.convolve(values, np.ones(span), "valid") for values in bins)
        near = np.flatnonzero((due >= _LEAST_DUE) & (seen >= _BACK_SHARE * due))
        return finding.raised + span + int(near[0]) if near.size else None

    return returned


def _near(seen: float, due: float) -> bool:
    return due >= _LEAST_DUE and seen >= _BACK_SHARE * due


def _sign(
    judged: Judgement,
    finding: Finding,
    uais: Sequence[str],
    profiles: Sequence[str],
    returned: Callable[[Finding], int | None],
) -> Sign:
    uai = "" if finding.school is None else uais[finding.school]
    profile = "" if finding.profile is None else profiles[finding.profile]
    grid = judged.day.grid
    joined = grid.spans(judged.day.settings.join_min)
    back = returned(finding)
    until = finding.until if back is None else min(finding.until, back)  # what comes after it is another incident
    last = min(judged.day.at, grid.watched.stop) - 1  # what holds when the watch ends in the evening goes on
    return Sign(
        topic=_topic(finding.kind, uai, profile),
        kind=finding.kind.value,
        gravity=Gravity.DIGEST
        if finding.kind in DIGEST
        else (Gravity.GRAVE if finding.kind in _GRAVE else Gravity.ALERT),
        since=judged.moment(finding.since),
        raised=judged.moment(finding.raised + 1),
        until=judged.moment(until + 1),
        active=back is None and (finding.school is None or finding.until >= last - joined),
        uai=uai,
        profile=profile,
        observed=finding.observed,
        expected=finding.expected,
        evidence=finding.evidence,
        limit=finding.limit,
        references=tuple(date.fromordinal(past.ordinal).isoformat() for past in finding.references),
    )


def _topic(kind: Kind, uai: str, profile: str) -> str:
    topics: Mapping[Kind, str] = {
        Kind.PLATFORM_DOWN: PLATFORM_TOPIC,
        Kind.SERIES_OUT: f"{SCHOOL_TOPIC}:{uai}" if uai else f"serie:{profile}",
        Kind.SLOW_DECLINE: f"lente:{uai}",
        Kind.DUPLICATES: f"doublons:{uai}",
    }
    return topics.get(kind, f"{SCHOOL_TOPIC}:{uai}")
