"""Simulated records with their truth, produced at a steady pace by an idempotent producer while faults happen."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Final
from zlib import crc32
from zoneinfo import ZoneInfo

from confluent_kafka import Producer

from schemas.directory_row import DirectoryRows
from streams.simulator.faults import Faults
from streams.simulator.record import Record
from streams.simulator.simulation import Simulation

FIRST_DAY: Final = date(2026, 10, 12)
"""A Monday; the days after it hold holidays and the end of summer time."""
_PARIS: Final = ZoneInfo("Europe/Paris")
_DRAWN: Final = timedelta(minutes=10)
_POLL_S: Final = 0.02
_DELIVERY_TIMEOUT_S: Final = 1800
_SHUFFLED: Final = 40
"""Records that change places with each other: later ones overtake earlier ones."""


def simulate(directory: DirectoryRows, seed: int, scale: float, count: int) -> tuple[list[Record], Simulation]:
    """About `count` records in a changed order, and the simulation that holds their truth."""
    simulation = Simulation(directory, seed, scale, Faults.lively())
    records: list[Record] = []
    until = datetime.combine(FIRST_DAY, datetime.min.time(), _PARIS).astimezone(UTC)
    while len(records) < count:
        since, until = until, until + _DRAWN
        records += simulation.due(since, until)
    return _reordered(records, Random(seed)), simulation


def partition_of(record: Record, partitions: int) -> int:
    """Where a record goes: as it says itself, or by its key."""
    return record.partition_hint if record.partition_hint is not None else crc32(record.key) % partitions


class Production(threading.Thread):
    """Produces all records, at a pace at which they last `length_s`; `hurry` lets it finish at once."""

    def __init__(self, bootstrap: str, records: Sequence[Record], partitions: int, length_s: float) -> None:
        super().__init__(name="production", daemon=True)
        self.errors: list[str] = []
        self._brokers = bootstrap
        self._records = records
        self._partitions = partitions
        self._pause_s = length_s / max(len(records), 1)
        self._hurried = threading.Event()

    def hurry(self) -> None:
        """Produce the rest as fast as it goes."""
        self._hurried.set()

    def run(self) -> None:
        """Return when the broker has every record, or `errors` says what it has not."""
        producer = Producer(
            {
                "bootstrap.servers": self._brokers,
                "compression.type": "lz4",
                "linger.ms": 20,
                "enable.idempotence": True,
                "message.timeout.ms": _DELIVERY_TIMEOUT_S * 1000,
                "reconnect.backoff.max.ms": 500,
                "log_level": 0,
            }
        )
        begin_s = time.monotonic()
        for number, record in enumerate(self._records):
            while not self._hurried.is_set() and time.monotonic() - begin_s < number * self._pause_s:
                producer.poll(_POLL_S)
            self._produce(producer, record)
        left = producer.flush(_DELIVERY_TIMEOUT_S)
        if left:
            self.errors.append(f"{left} records were not taken by Kafka")

    def _produce(self, producer: Any, record: Record) -> None:
        while True:
            try:
                producer.produce(
                    record.topic,
                    value=record.value,
                    key=record.key,
                    partition=partition_of(record, self._partitions),
                    timestamp=record.timestamp_ms,
                    headers=list(record.headers or ()),
                    on_delivery=self._note,
                )
            except BufferError:
                producer.poll(_POLL_S)
            else:
                return

    def _note(self, error: Any, _message: Any) -> None:
        if error is not None:
            self.errors.append(str(error))


def log_ends(records: Sequence[Record], partitions: int) -> Counter[tuple[str, int]]:
    """How long each partition must be in the end."""
    return Counter((record.topic, partition_of(record, partitions)) for record in records)


def _reordered(records: list[Record], draw: Random) -> list[Record]:
    """Each record at most `_SHUFFLED` places from where it was."""
    places = [number + draw.uniform(0, _SHUFFLED) for number in range(len(records))]
    return [records[number] for number in sorted(range(len(records)), key=places.__getitem__)]
