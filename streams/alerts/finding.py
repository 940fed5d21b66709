"""What a pass hands out: findings with their reasons, and a score for every school."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from streams.alerts.arrays import Floats
from streams.alerts.rules import DIGEST, Check, Kind


class Reference(NamedTuple):
    """One comparable day: its ordinal (`date.fromordinal`) and the logins of the same bins and profiles."""

    ordinal: int
    logins: int


class References(Protocol):
    """Where the same hours of past days are looked up; in memory for few schools, in the database for many."""

    def comparable(
        self, school: int, weekday: int, profiles: Sequence[int], first: int, last: int
    ) -> tuple[Reference, ...]:
        """At most the last eight such weekdays, open and without an incident in the bins `first` to `last`."""
        ...


@dataclass(frozen=True)
class Finding:
    """One thing found on one day. Bins are those of the grid; the evidence is in nats (7 nats: odds of 1 to 1 000)."""

    kind: Kind
    check: Check | None
    """None for what concerns the platform."""
    school: int | None
    """None: all schools."""
    profile: int | None
    """The one profile concerned; None: all those that the check hears."""
    since: int
    """The bin in which the drop most likely began."""
    raised: int
    """The bin at whose end enough was known."""
    until: int
    """The last bin in which it still held."""
    observed: float
    expected: float
    evidence: float
    limit: float
    references: tuple[Reference, ...] = ()

    @property
    def pages(self) -> bool:
        """Somebody is told at once; otherwise it is for the weekly digest."""
        return self.kind not in DIGEST


class State(StrEnum):
    """Why a school is, or is not, in alert; the words that the tables and readers see."""

    CLOSED = "hors_temps_scolaire"
    UNKNOWN = "sans_donnees"
    LEARNING = "apprentissage"
    LITTLE = "peu_d_information"
    NORMAL = "normal"
    WATCHED = "a_surveiller"
    ALERT = "en_alerte"
    PLATFORM = "plateforme_en_baisse"


@dataclass(frozen=True)
class Evidence:
    """The scores after one pass. Counts are of the last hour of watched open bins that have data."""

    bin: int
    """The last bin taken in."""
    observed: Floats
    """[school, profile]"""
    expected: Floats
    """[school, profile]"""
    low: Floats
    """[school, profile]: 95 % of such hours lie between low and high."""
    high: Floats
    """[school, profile]"""
    low_all: Floats
    """[school]: the same for all profiles together."""
    high_all: Floats
    """[school]"""
    day_observed: Floats
    """[school]: the watched day so far, all profiles."""
    day_expected: Floats
    """[school]"""
    evidence: Floats
    """[school, check], in nats"""
    limits: Floats
    """[school, check], in nats"""
    severity: Floats
    """[school]: the largest evidence / limit; 1 is the limit."""
    information_per_h: Floats
    """[school]: nats that one hour of silence would bring now."""
    references: npt.NDArray[np.int64]
    """[school]: days of this weekday learned."""
    state: tuple[State, ...]
    """[school]"""

    def minutes_to_limit(self) -> Floats:
        """[school]: minutes of total silence after which the limit is reached at this hour's information.

        What a message may promise; infinite where nothing is expected.
        """
        with np.errstate(divide="ignore"):
            return np.asarray(60 * self.limits[:, Check.SILENCE] / np.maximum(self.information_per_h, 1e-12))
