"""The records of one day: what happened, what goes wrong on the way, and when each record arrives.

A day depends on the directory, the seed, the scale, the faults and its date alone, so that a simulation that starts
again in the middle sends the same records with the same ids. Its records arrive on the same day or on the next one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from schemas.reason import Drop, Reason
from streams.simulator.faults import Faults
from streams.simulator.happenings import DAY_MS, draw_events, midnight_ms
from streams.simulator.malformed import VARIETIES
from streams.simulator.population import Population
from streams.simulator.rows import ENTCORE, IGNORED, MALFORMED, OUTCOMES, STRUCTURED, TOMBSTONE, Ints, Rows

_OF_VARIETY: Final = np.array([OUTCOMES.index(variety.reason) for variety in VARIETIES], np.uint8)
_TRANSPORT_MS: Final = (40, 700)
_OVERTAKEN_MS: Final = (2_000, 60_000)
_LATE_MS: Final = (120_000, DAY_MS)
_REPEATED_MS: Final = (100, 3 * 3_600_000)
_ELSEWHERE: Final = 0.2
"""Share of duplicates that go to the first partition, whatever their key."""


@dataclass(frozen=True)
class Day:
    """The rows of one day, and the records that tell of them: each row once, some twice."""

    date: date
    population: Population
    rows: Rows
    row: Ints
    """Of each record."""
    arrival_ms: Ints
    first_partition: npt.NDArray[np.bool_]
    """Of each record: whether it goes to the first partition whatever its key."""


def draw_day(population: Population, day: date, seed: int, scale: float, faults: Faults) -> Day:
    """Everything of one day. Faults are drawn apart: with and without them, the same happens."""
    events = draw_events(population, day, scale, np.random.default_rng([seed, day.toordinal(), 0]))
    random = np.random.default_rng([seed, day.toordinal(), 1])
    events = replace(events, place=_unknown_places(population, events.place, faults, random))
    rows = Rows.together(events, _others(events, faults, random))
    return _sent(population, day, rows, len(events), faults, random)


def _unknown_places(
    population: Population, place: npt.NDArray[np.int32], faults: Faults, random: np.random.Generator
) -> npt.NDArray[np.int32]:
    """Some places replaced by a twin that the directory does not have."""
    lots = random.random(len(place))
    unknown_class = np.array(population.places.unknown_class, np.int32)[place]
    unknown_school = np.array(population.places.unknown_school, np.int32)[place]
    place = np.where(lots < faults.unknown_class, unknown_class, place)
    return np.where(lots > 1 - faults.unknown_school, unknown_school, place)


def _others(events: Rows, faults: Faults, random: np.random.Generator) -> Rows:
    """Records that are no events, each beside an event from which it has its time and place."""
    many = [random.binomial(len(events), rate) for rate in (faults.ignored, faults.malformed, faults.tombstones)]
    kind = np.repeat(np.array([IGNORED, MALFORMED, TOMBSTONE], np.uint8), many)
    beside = events.take(random.integers(0, max(len(events), 1), len(kind)))
    variety = (random.integers(len(VARIETIES)) + np.arange(len(kind))) % len(VARIETIES)
    of_kind = {IGNORED: OUTCOMES.index(Drop.IGNORED_TYPE), TOMBSTONE: OUTCOMES.index(Reason.EMPTY)}
    outcome = _OF_VARIETY[variety]
    for number, expected in of_kind.items():
        outcome[kind == number] = expected
    return replace(
        beside,
        kind=kind,
        outcome=outcome,
        form=np.where(kind == IGNORED, ENTCORE, STRUCTURED).astype(np.uint8),
        app=variety.astype(np.int8),
        id_high=random.integers(0, 2**64, len(kind), np.uint64),
    )


def _sent(
    population: Population, day: date, rows: Rows, events: int, faults: Faults, random: np.random.Generator
) -> Day:
    arrival_ms = rows.moment_ms + random.integers(*_TRANSPORT_MS, len(rows))
    lots = random.random(len(rows))
    overtaken = lots < faults.disorder
    arrival_ms[overtaken] += random.integers(*_OVERTAKEN_MS, int(overtaken.sum()))
    late = lots > 1 - faults.late
    arrival_ms[late] += _wide(_LATE_MS, int(late.sum()), random)
    repeated = (random.random(events) < faults.duplicates).nonzero()[0]
    again_ms = arrival_ms[repeated] + _wide(_REPEATED_MS, len(repeated), random)
    elsewhere = random.random(len(repeated)) < _ELSEWHERE
    end_ms = midnight_ms(day + timedelta(days=2))
    return Day(
        day,
        population,
        rows,
        row=np.concatenate([np.arange(len(rows)), repeated]),
        arrival_ms=np.minimum(np.concatenate([arrival_ms, again_ms]), end_ms - 1),
        first_partition=np.concatenate([np.zeros(len(rows), np.bool_), elsewhere]),
    )


def _wide(bounds_ms: tuple[int, int], count: int, random: np.random.Generator) -> Ints:
    """Durations within bounds, as often between one and ten minutes as between one and ten hours."""
    low, high = np.log(bounds_ms)
    return np.exp(random.uniform(low, high, count)).astype(np.int64)
