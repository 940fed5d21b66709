"""An outage: for some hours the events of a school, or most of those of all schools, never happened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from streams.simulator.day import Day
from streams.simulator.rows import Ints

EVERY_SCHOOL: Final = ""
_PLATFORM_LOSES: Final = 0.95
"""Share of the events that an outage of the platform takes: what is left says that the pipeline works."""


@dataclass(frozen=True)
class Outage:
    """What a school does from a moment (aware) until before another is lost; without a school, nearly everything is."""

    uai: str
    starts: datetime
    ends: datetime

    def swallows(self, day: Day, which: Ints, seed: int) -> npt.NDArray[np.bool_]:
        """Which of the records with these numbers are lost; a repeated record with the event that it repeats."""
        rows = day.row[which]
        moment_ms = day.rows.moment_ms[rows]
        within = (self.starts.timestamp() * 1000 <= moment_ms) & (moment_ms < self.ends.timestamp() * 1000)
        if self.uai == EVERY_SCHOOL:
            lots = np.random.default_rng([seed, day.date.toordinal()]).random(len(day.rows))
            return np.asarray(within & (lots[rows] < _PLATFORM_LOSES))
        places = day.population.cells.filter(pl.col("uai") == self.uai)["place"].to_numpy()
        return np.asarray(within & np.isin(day.rows.place[rows], places))


def read_outages(path: Path) -> list[Outage]:
    """Those that were noted in a file; none where there is no file. Raises ValueError where it holds something else."""
    if not path.exists():
        return []
    return msgspec.json.decode(path.read_bytes(), type=list[Outage])


def note_outages(path: Path, outages: Iterable[Outage]) -> None:
    """Write them to a file, in place of what it held."""
    part = path.with_suffix(".part")
    part.write_bytes(msgspec.json.encode(list(outages)))
    part.replace(path)
