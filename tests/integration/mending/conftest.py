"""One scene for all tests of mending: broker, database, a live worker and one of the backfill lane."""

from __future__ import annotations

import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, redirect_stderr, redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest

from sinks.clickhouse.directory import current_revision
from sinks.clickhouse.store import ClickHouseStore
from streams.commands import main
from streams.demo.scene import DATABASE, Place, Scene
from streams.directory.loading import load_directory
from streams.producer import Producer, open_producer
from streams.simulator.mulhouse import EXAMPLE
from streams.topics import LOGIN, Lane

_DONE_S = 55.0


class Answer(NamedTuple):
    """What a command said."""

    returncode: int
    stdout: str
    stderr: str


class Town:
    """A running service and what a test does with it."""

    def __init__(self, scene: Scene, producer: Producer, folder: Path) -> None:
        self.scene = scene
        self.folder = folder
        self.store = ClickHouseStore(scene.client, DATABASE)
        self._producer = producer

    def send(self, *values: bytes, topic: str = LOGIN, partition: int = 0) -> None:
        """Have the broker take these records."""
        for value in values:
            self._producer.send(topic, value, partition=partition)
        self._producer.flush()

    def ent(self, *arguments: str) -> Answer:
        """Run a command to its end, in this process, as the command line does."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ENT_")}
        out, err = io.StringIO(), io.StringIO()
        with (
            patch.dict(os.environ, environment | self.scene.environment(), clear=True),
            patch.object(sys, "argv", ["ent", *arguments]),
            redirect_stdout(out),
            redirect_stderr(err),
            pytest.raises(SystemExit) as ended,
        ):
            main()
        return Answer(int(ended.value.code or 0), out.getvalue(), err.getvalue())

    def load_directory(self, folder: Path) -> None:
        """Put a directory in force and return when the worker uses it."""
        loaded = load_directory(folder, self.scene.bootstrap, api_version=self.scene.api_version)
        self.wait(lambda: current_revision(self.scene.client, DATABASE) == loaded.revision)
        self.scene.wait_for_directory()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a SELECT."""
        return self.scene.client.query_rows(sql)

    def wait(self, what: Callable[[], object], timeout_s: float = _DONE_S) -> None:
        """Return when `what` is true."""
        end_s = time.monotonic() + timeout_s
        while not what():
            assert time.monotonic() < end_s, "it did not happen in time"
            time.sleep(0.1)

    def wait_counted(self, lane: Lane = Lane.BACKFILL, partitions: int = 4) -> None:
        """Return when all that is in the lane's topics is in the windows."""
        from confluent_kafka import Consumer, TopicPartition

        consumer = Consumer({"bootstrap.servers": self.scene.bootstrap, "group.id": "ends", "log_level": 0})
        with closing(consumer), closing(self.scene.committed(lane)) as position:
            ends = sum(
                consumer.get_watermark_offsets(TopicPartition(topic, n), timeout=10)[1]
                for topic in lane.topics
                for n in range(partitions)
            )
            self.wait(lambda: position.total() >= ends)

    def days(self, school: str) -> dict[str, int]:
        """Events of a school by day, from the windows, which must agree with one another."""
        found = {
            level: dict(
                self.query(
                    f"SELECT toString({day}), sum(events) FROM {DATABASE}.v_usage_by_{level} "
                    f"WHERE uai = '{school}' GROUP BY 1"
                )
            )
            for level, day in (("minute", "toDate(slice, 'Europe/Paris')"), ("day", "slice"))
        }
        assert found["minute"] == found["day"]
        return found["day"]


def login(number: int | str, at: datetime, school: str = "0689901T", **data: Any) -> bytes:
    """A canonical login; `number` is its id."""
    told = {"uai": [school], "profile": "parent", "user": f"u-{number}"} | data
    envelope = {"specversion": "1.0", "id": str(number), "source": "urn:ent:mending", "type": "fr.ent.login.v1"}
    return json.dumps(envelope | {"time": at.isoformat(), "data": told}).encode()


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    with Scene(Place(folder), worker_settings={"ENT_PACE__ROLL_INTERVAL_S": "0.2"}) as scene:
        scene.start_worker()
        load_directory(EXAMPLE, scene.bootstrap, api_version=scene.api_version)
        scene.wait_for_directory()
        scene.start_backfill_worker()
        with open_producer(scene.bootstrap, api_version=scene.api_version) as producer:
            yield Town(scene, producer, folder)
