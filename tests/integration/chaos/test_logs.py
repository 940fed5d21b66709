"""What Kafka and its producers do to a log, in the ledger of a real worker on a real Kafka."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest

from schemas.reason import Drop
from sinks.clickhouse.embedded.process import EmbeddedDatabase
from streams.chaos.production import partition_of
from streams.chaos.stage import Crew
from streams.chaos.verification import Findings, GroundTruth
from streams.simulator.mulhouse import EXAMPLE
from streams.simulator.record import Record
from streams.topics import LOGIN, create_topics, specs
from tests.integration.brokers import Jvm
from tests.integration.chaos.rig import PARTITIONS, SETTINGS, Scenario, scenario_on
from tests.requirements import need

CODECS = ("lz4", "zstd", "gzip", "snappy")
ABORTED, EXPIRED, SURPLUS = 30, 25, 40
MARKER = 1

pytestmark = [pytest.mark.jvm, pytest.mark.timeout(500)]


@pytest.fixture
def kafka() -> Iterator[Jvm]:
    need("jvm")
    broker = Jvm()
    yield broker
    broker.stop()


@pytest.fixture
def play(kafka: Jvm, tmp_path: Path, database: EmbeddedDatabase) -> Iterator[Scenario]:
    kept = [replace(spec, retention=timedelta(days=400)) for spec in specs(PARTITIONS)]
    create_topics(kafka.bootstrap, kept)
    with scenario_on(kafka.bootstrap, tmp_path, database, Crew(1, settings=SETTINGS), records=400) as played:
        played.desk.put_in_force(EXAMPLE)
        yield played


class Expected:
    """A simulation's truth, and what happened beside it: records sent again, and offsets that hold none."""

    def __init__(self, truth: GroundTruth, again: Sequence[Record], dropped: Mapping[str, int]) -> None:
        self.cells = truth.cells
        self._counts = dict(truth.counts())
        self._counts["duplicates"] += len(again)
        self._counts["dropped"] = dict(sorted({**self._counts["dropped"], **dropped}.items()))
        self._counts["produced"] += len(again) + sum(dropped.values())

    def counts(self) -> Mapping[str, Any]:
        return self._counts


def send(
    kafka: Jvm, records: Sequence[Record], partition: int | None = None, *, codec: str = "none", aborted: bool = False
) -> None:
    """Produce records, in a transaction that is given up if they are `aborted`."""
    configs = {"compression.type": codec} | ({"transactional.id": "aborted"} if aborted else {})
    producer = kafka.producer(**configs)
    if aborted:
        producer.init_transactions()
        producer.begin_transaction()
    for record in records:
        producer.produce(
            record.topic,
            value=record.value,
            key=record.key,
            partition=partition_of(record, PARTITIONS) if partition is None else partition,
            timestamp=record.timestamp_ms,
            headers=list(record.headers or ()),
        )
    assert producer.flush(30) == 0
    if aborted:
        producer.abort_transaction()


def until_the_end_is(kafka: Jvm, offset: int) -> None:
    """The broker ends a transaction after it has answered that it will."""
    limit_s = time.monotonic() + 30
    while kafka.log_end(LOGIN) < offset:
        assert time.monotonic() < limit_s, f"the log ends at {kafka.log_end(LOGIN)} and not at {offset}"
        time.sleep(0.05)


def valid_logins(play: Scenario, count: int) -> list[Record]:
    """Records that count, and that may be sent again: the repetitions are the same events."""
    plain = [r for r in play.records if r.topic == LOGIN and r.headers and r.value and r.partition_hint is None]
    assert plain
    return list(islice(cycle(plain), count))


def test_every_offset_of_a_log_comes_to_one_end(play: Scenario, kafka: Jvm) -> None:
    """Four codecs, an aborted transaction, new partitions, and records that expired while no worker ran."""
    worker = play.desk.workers[0]
    for number, codec in enumerate(CODECS):
        send(kafka, play.records[number :: len(CODECS)], codec=codec)
    again = valid_logins(play, ABORTED)
    before = kafka.log_end(LOGIN)
    send(kafka, again, 0, aborted=True)
    until_the_end_is(kafka, before + ABORTED + MARKER)
    worker.start()
    ends = Counter({(topic, n): kafka.log_end(topic, n) for topic in _topics(play) for n in range(PARTITIONS)})
    play.produced = ends
    play.wait_until_committed()
    worker.terminate()
    begin = kafka.log_end(LOGIN)
    send(kafka, again[:EXPIRED], 0)
    kafka.delete_records(LOGIN, 0, begin + EXPIRED)
    kafka.add_partitions(LOGIN, PARTITIONS + 1)
    surplus = valid_logins(play, SURPLUS)
    send(kafka, surplus, 0)
    send(kafka, surplus, PARTITIONS)
    worker.start()
    play.follow(PARTITIONS + 1)
    play.produced = ends + Counter({(LOGIN, 0): EXPIRED + SURPLUS, (LOGIN, PARTITIONS): SURPLUS})
    play.wait_until_committed()
    dropped = {Drop.NO_RECORD.value: ABORTED + MARKER, Drop.EXPIRED_BEFORE_READ.value: EXPIRED}
    assert play.verify(Expected(play.truth, surplus * 2, dropped)) == Findings()


def _topics(play: Scenario) -> set[str]:
    return {record.topic for record in play.records}
