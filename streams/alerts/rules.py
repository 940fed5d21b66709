"""What is looked for, how sure one must be, and what it is called."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Final, NamedTuple


class Kind(StrEnum):
    """What a finding says; the words are those that readers of an alert and of the tables see."""

    PLATFORM_DOWN = "plateforme_en_baisse"
    SERIES_OUT = "serie_eteinte"
    SCHOOL_SILENT = "ecole_silencieuse"
    SCHOOL_DOWN = "ecole_en_baisse"
    UNDECLARED_CLOSURE = "ecole_fermee_non_declaree"
    SLOW_DECLINE = "baisse_lente"
    DUPLICATES = "doublons"


DIGEST: Final = frozenset({Kind.UNDECLARED_CLOSURE, Kind.SLOW_DECLINE, Kind.DUPLICATES})
"""These are read in the weekly digest; they wake nobody."""


class Check(IntEnum):
    """One way of looking at a school; the value is the place in arrays [school, check]."""

    SILENCE = 0
    SITE = 1
    FAMILIES = 2
    DROP = 3
    DAY = 4
    SLOW = 5


class CheckRule(NamedTuple):
    """When one check speaks."""

    budget: float
    """False alarms per school and month that its limit is learned for."""
    prior: float
    """The limit in nats before anything is learned."""
    floor: float
    """No learned limit is lower."""
    most: float
    """Observed / expected must not be above."""


RULES: Final = {
    Check.SILENCE: CheckRule(0.018, 14.0, 8.0, 0.25),
    Check.SITE: CheckRule(0.0054, 15.0, 8.0, 0.25),
    Check.FAMILIES: CheckRule(0.0018, 11.0, 8.0, 0.25),
    Check.DROP: CheckRule(0.0072, 16.0, 8.0, 0.6),
    Check.DAY: CheckRule(0.012, 8.5, 5.0, 0.6),
    Check.SLOW: CheckRule(0.015, 6.5, 5.0, 0.8),
}


@dataclass(frozen=True)
class Audience:
    """What the profile axis holds. Without pupils and families apart, a closure cannot be told from an outage."""

    names: tuple[str, ...] = ("eleve", "parent", "enseignant")
    pupils: int | None = 0
    families: int | None = 1


@dataclass(frozen=True)
class Settings:
    """The detector's own figures, in minutes, days, nats and logins. Tuned on the seeds that docs/alerts.md names."""

    audience: Audience = field(default_factory=Audience)
    rules: dict[Check, CheckRule] = field(default_factory=lambda: dict(RULES))
    silent_share: float = 0.05
    low_share: float = 0.4
    warmup_days: int = 20
    """School days of its own before a school is judged."""
    least_of_a_weekday: int = 3
    """Days of this weekday needed where it does not borrow the shape of the others."""
    lenders: frozenset[int] = frozenset({0, 1, 3, 4})
    """Weekdays (Monday is 0) that share one shape; a Wednesday or a Saturday stands alone."""
    least_open_min: int = 120
    """Shorter days of school are neither judged nor learned."""
    least_expected: float = 8.0
    age_min: int = 20
    """Evidence younger than this pages nobody."""
    lull_days: int = 2
    """So many of the last eight such weekdays were as low: a known lull."""
    day_after_min: int = 120
    """The day so far is judged from this long after the watch begins."""
    join_min: int = 30
    """A lull in the evidence that does not end an episode."""
    noon_min: int = 13 * 60 + 30
    """From here on, who came is asked of the afternoon alone."""
    calendar_known: bool = True
    """False: days on which all schools stay silent from the first hour are taken as days without school."""
    platform_limit: float = 25.0
    platform_share: float = 0.3
    platform_least: float = 15.0
    series_share: float = 0.1
    series_age_min: int = 30
    platform_after_min: int = 35
    """For so long after the platform's evidence, nothing is held against a school."""
    burst_most: float = 60.0
    days_per_month: float = 14.4
    """School days in an average calendar month."""
    blank_days: int = 20
    """School days without one login after which a school is taken as gone and learned anew."""
    surge_share: float = 1.6
    surge_days: int = 5
    """So many surging days in a row are a new normal."""
