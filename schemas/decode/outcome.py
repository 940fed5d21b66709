"""What decoding answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import polars as pl

from schemas.reason import Drop, Reason

UNKNOWN: Final = "unknown"
"""The format of a record that none of them claims, or that is no JSON at all."""


@dataclass(frozen=True)
class Refusal:
    """A record that becomes a dead letter."""

    index: int
    """Its place among the records."""
    reason: Reason
    message: str
    """What the model says, with the place in the record; never the input itself."""
    format: str
    """The format it was judged by, `unknown` where no format knows it."""


@dataclass(frozen=True)
class Taken:
    """What the narrow form makes of some records: certain rows, and indexes that it leaves to the models."""

    frame: pl.DataFrame
    doubtful: list[int]
    drops: list[tuple[int, Drop]] = field(default_factory=list)


@dataclass(frozen=True)
class Judged:
    """What the models make of some records, one by one."""

    frame: pl.DataFrame
    refusals: list[Refusal]
    drops: list[tuple[int, Drop]] = field(default_factory=list)


@dataclass(frozen=True)
class Decoded:
    """Every record's outcome: its index stands in exactly one of frame, refusals and drops."""

    frame: pl.DataFrame
    """One row per accepted record, in the order of the records; columns as `schemas.formats.frame.COLUMNS`."""
    refusals: list[Refusal]
    drops: list[tuple[int, Drop]]
    """(index, why) of the records that are valid and yet hold no event for us."""
    slow: int
    """Records that pydantic looked at: 10 to 30 µs each. A high share says: widen the narrow form."""
