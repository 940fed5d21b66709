"""Small deterministic scenarios: a broker in memory, a database, workers that may be mutants, and a truth."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from sinks.clickhouse.client import Client
from sinks.clickhouse.embedded.process import EmbeddedDatabase
from streams.brokers import EmbeddedBroker
from streams.chaos.offsets import GroupOffsets, Place
from streams.chaos.production import Production, partition_of, simulate
from streams.chaos.stage import Crew, Desk
from streams.chaos.verification import Findings, find_commits_ahead, verify
from streams.chaos.workers import ENTRY
from streams.directory.folder import read_directory_folder
from streams.simulator.mulhouse import EXAMPLE
from streams.simulator.record import Record
from streams.simulator.simulation import Simulation
from streams.topics import specs

PARTITIONS = 2
PATIENCE_S = 100.0
"""A busy machine is slow; nothing waits so long on a quiet one."""
SETTINGS = {
    "ENT_KAFKA__COMMIT_INTERVAL_S": "0.2",
    "ENT_KAFKA__SESSION_TIMEOUT_S": "3",
    "ENT_PACE__LINGER_S": "0.02",
    "ENT_PACE__ROLL_INTERVAL_S": "0.3",
}


class Scenario:
    """Records of a simulated day, and the desk that must count them."""

    def __init__(self, desk: Desk, records: list[Record], simulation: Simulation) -> None:
        self.desk = desk
        self.records = records
        self.truth = simulation.truth
        self.client: Client = desk.client()
        self.produced: Counter[Place] = Counter()
        self._offsets = GroupOffsets(desk.bootstrap, desk.group, PARTITIONS)

    def produce(self, records: Sequence[Record], partition: int | None = None) -> None:
        """Produce records, all to one partition if it is given; return when the broker has them."""
        placed = [record._replace(partition_hint=_place(record, partition)) for record in records]
        production = Production(self.desk.bootstrap, placed, PARTITIONS, 0.0)
        production.run()
        assert not production.errors
        self.produced.update((record.topic, partition_of(record, PARTITIONS)) for record in placed)

    def committed(self) -> Mapping[Place, int]:
        committed = self._offsets.committed()
        assert committed is not None, "the broker did not answer"
        return committed

    def follow(self, partitions: int) -> None:
        """Look at the first so many partitions from now on."""
        self._offsets.close()
        self._offsets = GroupOffsets(self.desk.bootstrap, self.desk.group, partitions)

    def commits_ahead(self) -> Findings:
        """What is committed and not stored or not counted at this moment."""
        return find_commits_ahead(self.client, self.desk.name, self.committed())

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Return when `condition` holds."""
        end_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < end_s, f"not within {PATIENCE_S:g} s: {what}; see {self.desk.folder}"
            time.sleep(0.05)

    def wait_until_committed(self, partition: int | None = None) -> None:
        """Return when everything that was produced, to one partition or to all, is committed."""
        ends = {at: end for at, end in self.produced.items() if partition in (None, at[1])}
        self.wait(lambda: all(self.committed()[at] >= end for at, end in ends.items()), "all is committed")

    def close(self) -> None:
        """Forget the tables and let go of the broker."""
        self._offsets.close()
        self.client.command(f"DROP DATABASE {self.desk.name}")
        self.client.close()

    def verify(self, truth: Any = None) -> Findings:
        """Everything against the truth."""
        return verify(self.client, self.desk.name, truth or self.truth, self.produced)


@contextmanager
def scenario(
    folder: Path, database: EmbeddedDatabase, *, workers: int = 1, mutant: str | None = None, records: int = 120
) -> Iterator[Scenario]:
    """A scenario on a broker in memory and in tables of its own, with no worker started."""
    entry = ENTRY if mutant is None else ("tests.integration.chaos.mutants", mutant)
    with EmbeddedBroker(rebalance_delay_ms=100) as broker:
        for spec in specs(PARTITIONS):
            broker.create_topic(spec.name, spec.partitions)
        crew = Crew(workers, entry=entry, settings={**SETTINGS, "ENT_KAFKA__LOG_IDENTITY": broker.identity})
        with scenario_on(broker.bootstrap, folder, database, crew, records) as played:
            yield played


@contextmanager
def scenario_on(
    bootstrap: str, folder: Path, database: EmbeddedDatabase, crew: Crew, records: int
) -> Iterator[Scenario]:
    """A scenario on a broker that has the topics already."""
    with Desk(folder, bootstrap, database, crew, name=f"s_{uuid4().hex[:8]}") as desk:
        desk.prepare()
        drawn, simulation = simulate(read_directory_folder(EXAMPLE).rows, seed=3, scale=1.0, count=records)
        played = Scenario(desk, drawn, simulation)
        yield played
        played.close()


def _place(record: Record, partition: int | None) -> int:
    return partition_of(record, PARTITIONS) if partition is None else partition
