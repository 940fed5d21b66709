"""The parts of a demonstration, on this machine: broker, database, worker and page; stopped in reverse order."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import URLError
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from schemas.pseudonym import Key
from sinks.clickhouse.catalogue import write_applications
from sinks.clickhouse.client import Client, DatabaseSettings, connect
from sinks.clickhouse.directory import current_revision
from sinks.clickhouse.embedded.process import EmbeddedDatabase
from sinks.clickhouse.migrate import migrate
from streams.brokers import EmbeddedBroker
from streams.brokers.jvm import JvmBroker, free_ports
from streams.group_position import GroupPosition
from streams.topics import ApiVersion, Lane, create_topics, specs

DATABASE = "ent"
GROUP = "ent-telemetry"
EVENT_PARTITIONS = 4
_WORKER_STOP_S = 15.0
_READY_S = 60.0
_RETENTION = timedelta(days=400)


class DemoError(RuntimeError):
    """A part of the demonstration did not start or ended; the message says which and shows the end of its log."""


@dataclass(frozen=True)
class Place:
    """Where a demonstration keeps what it keeps."""

    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / "database"

    @property
    def kafka(self) -> Path:
        return self.folder / "kafka"

    def key_file(self, name: str) -> Path:
        """The file of a secret; drawn at the first start and kept, readable by its owner alone."""
        path = self.folder / f"{name}.key"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(32))
        return path

    def key(self, name: str) -> Key:
        """The secret itself."""
        return Key(SecretStr(self.key_file(name).read_text().strip()))

    @property
    def outages(self) -> Path:
        """Where `ent simulate --outage` leaves word."""
        return self.folder / "outages.json"

    @property
    def clock(self) -> Path:
        """How far the simulated clock is from the real one, in seconds."""
        return self.folder / "clock.json"

    def note_clock(self, offset: timedelta) -> None:
        """Leave word of the simulated clock, and forget the outages of an earlier demonstration's morning."""
        self.clock.write_text(json.dumps(offset.total_seconds()))
        self.outages.unlink(missing_ok=True)

    def log(self, part: str) -> Path:
        """Where a part writes what it has to say."""
        return self.folder / f"{part}.log"


class Child:
    """A process of ours that ends with this one: it watches its standard input."""

    def __init__(self, part: str, arguments: list[str], environment: dict[str, str], log: Path) -> None:
        self.part = part
        self._log = log
        with log.open("ab") as stream:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                stdin=subprocess.PIPE,
                stdout=stream,
                stderr=stream,
                env={**os.environ, **environment},
                start_new_session=True,  # Ctrl-C is for us: the parts are stopped in order
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def check(self) -> None:
        """Raise DemoError if the process has ended."""
        if self._process.poll() is not None:
            tail = self._log.read_text(errors="replace")[-2000:].strip()
            raise DemoError(
                f"the {self.part} ended with status {self._process.returncode}; end of {self._log}:\n{tail}"
            )

    def wait_ready(self, url: str, timeout_s: float = _READY_S) -> None:
        """Return when `url` answers 200."""
        end_s = time.monotonic() + timeout_s
        while time.monotonic() < end_s:
            self.check()
            try:
                with urlopen(url, timeout=2) as answer:  # noqa: S310 (a loopback address of ours)
                    if answer.status == 200:
                        return
            except (URLError, OSError):
                time.sleep(0.05)
        raise DemoError(f"the {self.part} did not get ready within {timeout_s:g} s; see {self._log}")

    def stop(self) -> None:
        """Ask it to end, and wait; kill it if it does not."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(_WORKER_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Scene:
    """Broker, database and worker, ready for events; use it as a context manager."""

    def __init__(
        self,
        place: Place,
        *,
        jvm: bool = False,
        clock_offset: timedelta = timedelta(),
        worker_settings: Mapping[str, str] | None = None,
    ) -> None:
        """`worker_settings` are variables of the worker's environment, beside those that connect it."""
        self.place = place
        self._jvm = jvm
        self._worker_settings = worker_settings or {}
        self._log_identity: str | None = None
        self._clock_offset = clock_offset
        self._stack = ExitStack()
        self.metrics_port, self._backfill_metrics_port = free_ports(2)
        self.api_version: ApiVersion = None

    bootstrap: str
    database: EmbeddedDatabase
    client: Client
    worker: Child
    page: Child

    @property
    def database_settings(self) -> DatabaseSettings:
        """How the owner reaches the database."""
        db = self.database
        return DatabaseSettings(host="127.0.0.1", port=db.port, user=db.user, password=db.password, database=DATABASE)

    @property
    def reader_settings(self) -> DatabaseSettings:
        """How the page reaches it: reading only."""
        db = self.database
        return DatabaseSettings(
            host="127.0.0.1", port=db.port, user=db.reader, password=db.reader_password, database=DATABASE
        )

    def __enter__(self) -> Self:
        try:
            self._start_broker()
            self.database = self._stack.enter_context(
                EmbeddedDatabase(self.place.database, log=self.place.log("database"))
            )
            self.client = connect(self.database_settings)
            migrate(self.client, DATABASE)
            write_applications(self.client, DATABASE, int(time.time()))
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def start_worker(self) -> Child:
        """Start a worker and return when it has its partitions."""
        self.worker = self._start_worker("worker", self.metrics_port, self.environment())
        return self.worker

    def start_further_worker(self) -> Child:
        """Start another worker of the same group and return when it has its partitions."""
        (port,) = free_ports(1)
        return self._start_worker(f"worker-{port}", port, self.environment() | {"ENT_METRICS_PORT": str(port)})

    def start_backfill_worker(self) -> Child:
        """Start a worker of the backfill lane beside it."""
        port = self._backfill_metrics_port
        apart = {"ENT_KAFKA__LANE": Lane.BACKFILL.value, "ENT_METRICS_PORT": str(port)}
        return self._start_worker("backfill", port, self.environment() | apart)

    def _start_worker(self, part: str, metrics_port: int, environment: dict[str, str]) -> Child:
        worker = Child(part, ["streams", "worker", "--stop-with-stdin"], environment, self.place.log(part))
        self._stack.callback(worker.stop)
        worker.wait_ready(f"http://127.0.0.1:{metrics_port}/readyz")
        return worker

    def committed(self, lane: Lane = Lane.LIVE) -> GroupPosition:
        """How far the worker of a lane has come; the caller closes it."""
        return GroupPosition(self.bootstrap, lane.group(GROUP), lane.topics, EVENT_PARTITIONS, self.api_version)

    def wait_for_directory(self, timeout_s: float = _READY_S) -> None:
        """Return when the worker uses the directory that is in force."""
        end_s = time.monotonic() + timeout_s
        while (revision := current_revision(self.client, DATABASE)) is None or self._used_revision() != revision:
            self.worker.check()
            if time.monotonic() > end_s:
                raise DemoError(f"no directory is in use after {timeout_s:g} s; see {self.place.log('worker')}")
            time.sleep(0.1)

    def _used_revision(self) -> int:
        with urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=5) as answer:
            families = text_string_to_metric_families(answer.read().decode())
        return next(int(s.value) for family in families for s in family.samples if s.name == "ent_directory_revision")

    def start_page(self, port: int) -> str:
        """Start the page and return its address."""
        page = Child(
            "page",
            [
                "grafana.viewer",
                "--stop-with-stdin",
                "--reading",
                "exact",  # nothing is published in a demonstration
                "--port",
                str(port),
                "--clock-offset",
                str(self._clock_offset.total_seconds()),
            ],
            {
                "ENT_VIEWER_DATABASE": f"127.0.0.1:{self.database.port}",
                "ENT_VIEWER_USER": self.database.reader,
                "ENT_VIEWER_PASSWORD": self.database.reader_password.get_secret_value(),
            },
            self.place.log("page"),
        )
        self._stack.callback(page.stop)
        address = f"http://127.0.0.1:{port}"
        page.wait_ready(f"{address}/healthz")
        self.page = page
        return address

    def _start_broker(self) -> None:
        """Start the broker with its topics."""
        wanted = specs(EVENT_PARTITIONS)
        if self._jvm:
            real = JvmBroker(folder=self.place.kafka)
            self._stack.callback(real.stop)
            self.bootstrap = real.bootstrap
            # Kafka deletes by the records' own times, and the simulated history is older than the usual week.
            create_topics(self.bootstrap, [replace(topic, retention=_RETENTION) for topic in wanted])
            return
        embedded = self._stack.enter_context(EmbeddedBroker())
        for topic in wanted:
            embedded.create_topic(topic.name, topic.partitions)
        self.bootstrap = embedded.bootstrap
        self.api_version = embedded.api_version
        self._log_identity = embedded.identity

    def environment(self) -> dict[str, str]:
        """The variables that connect a worker or a command to broker and database."""
        db = self.database_settings
        given = {
            "ENT_KAFKA__BOOTSTRAP": self.bootstrap,
            "ENT_KAFKA__GROUP": GROUP,
            "ENT_DATABASE__HOST": db.host,
            "ENT_DATABASE__PORT": str(db.port),
            "ENT_DATABASE__USER": db.user,
            "ENT_DATABASE__PASSWORD": db.password.get_secret_value(),
            "ENT_PSEUDONYM_KEY_FILE": str(self.place.key_file("pseudonym")),
            "ENT_EVENT_ID_KEY_FILE": str(self.place.key_file("event-id")),
            "ENT_METRICS_PORT": str(self.metrics_port),
            "ENT_CLOCK_OFFSET_S": str(self._clock_offset.total_seconds()),
            **self._worker_settings,
        }
        if self.api_version is not None:
            given["ENT_KAFKA__API_VERSION"] = str(list(self.api_version))
        return given | ({"ENT_KAFKA__LOG_IDENTITY": self._log_identity} if self._log_identity else {})
