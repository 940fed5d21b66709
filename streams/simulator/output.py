"""Where simulated records go: a file of lines, or a broker. Each generator works while it is drained, and counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from threading import Event
from typing import Final

from streams.producer import Producer
from streams.simulator.record import Record
from streams.simulator.simulation import Simulation

_TICK_S: Final = 0.2


def write(simulation: Simulation, file: Path, first_day: date, until: datetime) -> Iterator[int]:
    """Write what arrives from `first_day` until then, one record a line; the lines so far, after each chunk."""
    lines = 0
    with file.open("wb") as stream:
        for chunk in simulation.lines(first_day, until):
            stream.write(b"\n".join([*chunk, b""]))
            lines += len(chunk)
            yield lines


def produce(simulation: Simulation, producer: Producer, first_day: date, until: datetime) -> Iterator[int]:
    """Produce what arrives from `first_day` until then, as fast as the broker takes it; the records so far."""
    count = 0
    for records in simulation.history(first_day, until):
        count += send(producer, records)
        yield count


def produce_live(
    simulation: Simulation, producer: Producer, since: datetime, clock: Callable[[], datetime], stop: Event
) -> Iterator[int]:
    """Produce what arrives from then on, as its moment comes by the clock, until `stop` is set; the records so far."""
    count = 0
    while not stop.wait(_TICK_S):
        now = clock()
        count += send(producer, simulation.due(since, now))
        since = now
        yield count


def send(producer: Producer, records: Sequence[Record]) -> int:
    """Produce records; how many, once the broker has them."""
    for record in records:
        producer.send(
            record.topic,
            record.value,
            record.key,
            partition=record.partition_hint,
            timestamp_ms=record.timestamp_ms,
            headers=list(record.headers) if record.headers else None,
        )
    producer.flush()
    return len(records)
