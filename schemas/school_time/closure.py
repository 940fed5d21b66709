"""Closures that a school or the city declares: a strike, a trip, an outage that is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ClosureReason(StrEnum):
    """Why a school is closed although its calendar says otherwise."""

    GREVE = "greve"
    SORTIE = "sortie"
    PANNE = "panne"
    PONT = "pont"
    TRAVAUX = "travaux"
    AUTRE = "autre"


@dataclass(frozen=True, slots=True)
class Closure:
    """From one moment until before another."""

    closure_id: str
    uai: str
    """Empty: every school."""
    starts: datetime
    ends: datetime
    reason: ClosureReason
    note: str = ""

    def __post_init__(self) -> None:
        if self.starts.tzinfo is None or self.ends.tzinfo is None:
            raise ValueError("a closure's moments need a time zone")
        if self.ends <= self.starts:
            raise ValueError(f"the closure's end {self.ends} does not lie after its start {self.starts}")

    def concerns(self, uai: str) -> bool:
        """Whether it is about this school."""
        return self.uai in {"", uai}
