"""Where a school is, as far as its calendar depends on it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """What the directory says of a school."""

    academie: str
    zone: str
    """A, B or C; empty where the académie has a calendar of its own."""
    subdivision: str = ""
    """For public holidays: 6AE in Alsace, 57 in Moselle; empty: those of all France."""
