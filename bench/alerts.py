"""The detector's cost: one pass of five minutes, and one finished day learned, for a city and for a country.

    python bench/alerts.py [--schools 21 50000] [--report bench/alerts.json]

CPU seconds of one core; counts are random, one school in a hundred is silent so that explanations are paid for, too.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

from streams.alerts.closing import close
from streams.alerts.day import Calendar, Day
from streams.alerts.finding import Reference
from streams.alerts.grid import Grid
from streams.alerts.learned import Learned
from streams.alerts.learning import learn
from streams.alerts.rules import Settings

_MONDAY = 738_000 - 738_000 % 7 + 1
_LEARNED = 20
_PASSES = 12


class NoReferences:
    """For a country they lie in the database; asking it is not what is measured here."""

    def comparable(self, *_: object) -> tuple[Reference, ...]:
        """None."""
        return ()


def taught(schools: int, draw: np.random.Generator) -> tuple[Learned, np.ndarray]:
    """A state as after weeks, made at once, and the mean logins per bin that it expects."""
    grid, settings = Grid(), Settings()
    learned = Learned.empty(schools, grid, settings)
    rate = draw.gamma(1, 1, (schools, 3, 1)).astype(np.float32) + np.float32(0.05)
    learned.common += rate * grid.slot_bins
    learned.weekly += rate[:, :, None] * grid.slot_bins
    learned.weekly_days[:] = 8
    learned.common_days[:] = 24
    learned.days[:] = _LEARNED
    return learned, rate


def measure(schools: int) -> dict[str, float]:
    """Milliseconds of CPU and megabytes."""
    draw = np.random.default_rng(0)
    learned, rate = taught(schools, draw)
    opened = np.ones((schools, learned.grid.bins), bool)
    day = Day(learned, Calendar(_MONDAY, 0, opened), NoReferences())
    start = learned.grid.watched.start
    silent = draw.random(schools) < 0.01

    def counts(bins: int) -> np.ndarray:
        drawn = draw.poisson(np.broadcast_to(rate, (schools, 3, bins)))
        drawn[silent] = 0
        return drawn

    for bins in (start, 36):
        for _ in range(bins // 12):
            day.advance(counts(12))
    spent = 0.0
    for _ in range(_PASSES):
        fresh = counts(1)
        begun = time.process_time()
        day.advance(fresh)
        day.evidence()
        spent += time.process_time() - begun
    while day.at < learned.grid.bins:
        day.advance(counts(min(12, learned.grid.bins - day.at)))
    begun = time.process_time()
    learn(learned, close(learned, day))
    learning = time.process_time() - begun
    state = sum(value.nbytes for value in vars(learned).values() if isinstance(value, np.ndarray))
    return {
        "schools": schools,
        "pass_cpu_ms": round(1000 * spent / _PASSES, 2),
        "learn_day_cpu_ms": round(1000 * learning, 1),
        "state_mb": round(state / 1e6, 1),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    """Print one line per size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--schools", type=int, nargs="+", default=[21, 50_000])
    parser.add_argument("--report", type=Path)
    options = parser.parse_args()
    results = [measure(schools) for schools in options.schools]
    for result in results:
        sys.stdout.write(json.dumps(result) + "\n")
    if options.report:
        options.report.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
