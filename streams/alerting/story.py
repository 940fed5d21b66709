"""What a message tells beside the figures: which classes, profiles and applications fell. Small groups are left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sinks.clickhouse.logins import Part

_FELL_BELOW: Final = 0.5
"""Observed / usual of what is named."""
_MOST_NAMED: Final = 6


@dataclass(frozen=True)
class Story:
    """Names, the most fallen first; never a figure of a class, so that a name says no more than the whole does."""

    school: str = ""
    classes: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    applications: tuple[str, ...] = ()
    few: bool = False
    """Fewer persons than may be counted connected: the observed figure is left out."""
    schools: tuple[str, ...] = field(default=())
    """Where a message is about several."""


def fallen(parts: Sequence[Part], least_persons: int) -> tuple[str, ...]:
    """Those below half of their usual, where `least_persons` are usual at least: others would point at people."""
    low = [
        part for part in parts if part.usual_persons >= least_persons and part.events < _FELL_BELOW * part.usual_events
    ]
    return tuple(part.name for part in sorted(low, key=lambda part: part.events - part.usual_events)[:_MOST_NAMED])
