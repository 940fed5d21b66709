"""The life of alerts: from what a pass sees and what stands, the steps to add. Pure, and the same for whoever asks.

An alert is about a topic: a school, a profile, the platform, the pipeline, the calendar. Steps are only ever added, and
an alert's id is made from its topic and the moment at which enough was known, so a pass that is cut, or done twice, or
done by two workers at once, adds the same steps.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from hashlib import blake2b
from typing import Final

PLATFORM_TOPIC: Final = "plateforme"
SCHOOL_TOPIC: Final = "ecole"
FOLDED_BEFORE: Final = timedelta(minutes=30)
"""A school's drop that began so shortly before the platform's is the platform's."""


class What(StrEnum):
    """The steps of a life."""

    OPENED = "opened"
    WORSENED = "worsened"
    RESOLVED = "resolved"
    TOLD = "told"
    """A digest: it is said once and never stands."""


class Gravity(IntEnum):
    """How loud it is."""

    DIGEST = 1
    ALERT = 2
    GRAVE = 3


class Ending(StrEnum):
    """Why an alert is resolved; the words are those of French readers."""

    RECOVERED = "les connexions sont revenues à la normale"
    PLATFORM = "la baisse touche toute la plateforme : voir l'alerte qui la concerne"
    REVISED = "des événements arrivés en retard ont changé le constat"


@dataclass(frozen=True)
class Sign:
    """What a pass sees of a topic today."""

    topic: str
    kind: str
    gravity: Gravity
    since: datetime
    raised: datetime
    """When enough was known."""
    until: datetime
    """Through when it held."""
    active: bool
    """It holds now."""
    uai: str = ""
    profile: str = ""
    observed: float | None = None
    expected: float | None = None
    evidence: float = 0.0
    limit: float = 0.0
    references: tuple[str, ...] = ()
    """Comparable days, as ISO dates."""


@dataclass(frozen=True)
class Standing:
    """An alert as its steps have it."""

    alert_id: str
    topic: str
    step: int
    kind: str
    gravity: Gravity
    since: datetime
    opened: datetime
    resolved: datetime | None
    uai: str = ""
    profile: str = ""


@dataclass(frozen=True)
class Step:
    """One step to add."""

    alert_id: str
    number: int
    what: What
    at: datetime
    sign: Sign
    ending: Ending | None = None


def next_steps(
    standing: Sequence[Standing],
    signs: Iterable[Sign],
    now: datetime,
    *,
    recovered: Collection[str],
    frozen: Collection[str] = (),
    today: datetime,
) -> list[Step]:
    """The steps that a pass at `now` adds.

    `standing`: all alerts that are open, and those resolved since `today` began. `recovered`: topics that are back to
    normal, as far as a whole hour or day can tell. `frozen`: kinds of topics of which nothing can be said now.
    """
    incidents = _incidents(signs)
    platform = [sign for sign in incidents if sign.topic == PLATFORM_TOPIC]
    steps: list[Step] = []
    for alert in standing:
        if alert.resolved is None and _kind_of_topic(alert.topic) not in frozen:
            steps += _go_on(alert, _of(alert.topic, incidents), platform, now, alert.topic in recovered, today)
    begun: set[str] = set()
    for sign in incidents:
        known = sign.topic in begun or any(_is_about(alert, sign) for alert in standing)
        if not known and _kind_of_topic(sign.topic) not in frozen and not _folded(sign.topic, sign.since, platform):
            steps += _begin(sign, now)
            if sign.active:
                begun.add(sign.topic)
    return steps


def alert_id(topic: str, raised: datetime) -> str:
    """Short enough to be typed; made from what everybody sees alike."""
    return blake2b(f"{topic} {raised.isoformat()}".encode(), digest_size=5).hexdigest()


def _incidents(signs: Iterable[Sign]) -> list[Sign]:
    """What overlaps is one incident, in the order of their beginnings: the gravest sign, from the first to the last."""
    merged: list[Sign] = []
    for sign in sorted(signs, key=lambda sign: (sign.topic, sign.raised, sign.since)):
        before = merged[-1] if merged else None
        if before is None or before.topic != sign.topic or (sign.raised > before.until and not before.active):
            merged.append(sign)
            continue
        worst = max(before, sign, key=_rank)
        merged[-1] = replace(
            worst,
            since=min(before.since, sign.since),
            raised=min(before.raised, sign.raised),
            until=max(before.until, sign.until),
            active=before.active or sign.active,
        )
    return sorted(merged, key=lambda sign: sign.raised)


def _rank(sign: Sign) -> tuple[bool, Gravity, float]:
    return sign.active, sign.gravity, sign.evidence - sign.limit


def _of(topic: str, incidents: Sequence[Sign]) -> Sign | None:
    """The incident of a topic that goes on, or else its last one."""
    own = [sign for sign in incidents if sign.topic == topic]
    return next((sign for sign in own if sign.active), own[-1] if own else None)


def _is_about(alert: Standing, sign: Sign) -> bool:
    """Whether the sign is what this alert already tells. One raised after the end of an alert is a new one."""
    if alert.topic != sign.topic:
        return False
    return alert.resolved is None or sign.raised <= alert.resolved


def _go_on(
    alert: Standing, sign: Sign | None, platform: Sequence[Sign], now: datetime, recovered: bool, today: datetime
) -> list[Step]:
    def step(what: What, of: Sign, ending: Ending | None = None) -> list[Step]:
        return [Step(alert.alert_id, alert.step + 1, what, now, of, ending)]

    if _folded(alert.topic, alert.since, platform):
        return step(What.RESOLVED, sign or _as_sign(alert, now), Ending.PLATFORM)
    if sign is None:
        if alert.opened >= today:
            return step(What.RESOLVED, _as_sign(alert, now), Ending.REVISED)
        return step(What.RESOLVED, _as_sign(alert, now), Ending.RECOVERED) if recovered else []
    if not sign.active:
        return step(What.RESOLVED, sign, Ending.RECOVERED)
    return step(What.WORSENED, sign) if sign.gravity > alert.gravity else []


def _begin(sign: Sign, now: datetime) -> list[Step]:
    """What began and ended while nobody looked is told as both."""
    name = alert_id(sign.topic, sign.raised)
    opened = Step(name, 1, What.OPENED, now, sign)
    return [opened] if sign.active else [opened, Step(name, 2, What.RESOLVED, now, sign, Ending.RECOVERED)]


def _folded(topic: str, since: datetime, platform: Sequence[Sign]) -> bool:
    if _kind_of_topic(topic) != SCHOOL_TOPIC:
        return False
    return any(one.since - FOLDED_BEFORE <= since <= one.until for one in platform)


def _as_sign(alert: Standing, now: datetime) -> Sign:
    return Sign(alert.topic, alert.kind, alert.gravity, alert.since, alert.opened, now, False, alert.uai, alert.profile)


def _kind_of_topic(topic: str) -> str:
    return topic.partition(":")[0]
