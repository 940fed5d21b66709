"""What a run is played on: a real Kafka, the database in its own process, and workers that share it, each behind a
proxy of its own."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from schemas.directory import TOPICS, Manifest
from sinks.clickhouse.catalogue import write_applications
from sinks.clickhouse.client import Client, DatabaseSettings, connect
from sinks.clickhouse.directory import activate_if_complete, store_directory_records
from sinks.clickhouse.embedded.process import EmbeddedDatabase
from sinks.clickhouse.migrate import migrate
from streams.brokers.jvm import JvmBroker, free_ports
from streams.chaos.disk import SmallDisk
from streams.chaos.proxy import FaultProxy
from streams.chaos.workers import ENTRY, WorkerProcess
from streams.directory.folder import read_folder
from streams.topics import create_topics, specs

DATABASE: Final = "ent"
GROUP: Final = "ent-chaos"
_RETENTION: Final = timedelta(days=400)
"""Kafka deletes by the records' own times, and the simulated days are past."""


@dataclass(frozen=True)
class Crew:
    """How workers are started."""

    count: int
    static_members: bool = False
    entry: Sequence[str] = ENTRY
    settings: Mapping[str, str] | None = None
    """Variables of their environment, beside those that connect them."""


class Desk:
    """A database and the workers before it, on a broker that is there already; use it as a context manager."""

    def __init__(
        self, folder: Path, bootstrap: str, database: EmbeddedDatabase, crew: Crew, *, name: str = DATABASE
    ) -> None:
        self.folder = folder
        self.bootstrap = bootstrap
        self.database = database
        self.name = name
        """Of the database in the server; also of the consumer group."""
        self.proxies = [FaultProxy(database.port) for _ in range(crew.count)]
        self.workers = [self._worker(number, crew) for number in range(crew.count)]

    @property
    def group(self) -> str:
        return f"{GROUP}-{self.name}"

    @property
    def settings(self) -> DatabaseSettings:
        """How to reach the database past the proxies."""
        db = self.database
        return DatabaseSettings(port=db.port, user=db.user, password=db.password, database=self.name)

    def client(self) -> Client:
        """A client past the proxies; the caller closes it."""
        return connect(self.settings)

    def prepare(self) -> None:
        """Make the tables."""
        client = self.client()
        migrate(client, self.name)
        write_applications(client, self.name, int(time.time()))
        client.close()

    def put_in_force(self, directory: Path, revision: int = 1) -> None:
        """Bring a folder's directory into force without Kafka, before workers start."""
        client = self.client()
        found = read_folder(directory).numbered(revision)
        manifest = found.manifest()
        records = {topic: list(found.records[topic]) for topic in TOPICS}
        records[Manifest.topic].append((Manifest.KEY.encode(), manifest.model_dump_json().encode()))
        for topic, pairs in records.items():
            store_directory_records(client, self.name, topic, [key for key, _ in pairs], [value for _, value in pairs])
        activate_if_complete(client, self.name)
        client.close()

    def tend(self) -> None:
        """Start again the workers that ended by themselves."""
        for worker in self.workers:
            worker.tend()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self.workers:
            worker.kill()
        for proxy in self.proxies:
            proxy.close()

    def _worker(self, number: int, crew: Crew) -> WorkerProcess:
        settings = self.settings
        (metrics_port,) = free_ports(1)
        environment = {
            "ENT_KAFKA__BOOTSTRAP": self.bootstrap,
            "ENT_KAFKA__GROUP": self.group,
            "ENT_DATABASE__HOST": settings.host,
            "ENT_DATABASE__PORT": str(self.proxies[number].port),
            "ENT_DATABASE__USER": settings.user,
            "ENT_DATABASE__PASSWORD": settings.password.get_secret_value(),
            "ENT_DATABASE__DATABASE": self.name,
            "ENT_PSEUDONYM_KEY_FILE": str(_key(self.folder, "pseudonym")),
            "ENT_EVENT_ID_KEY_FILE": str(_key(self.folder, "event-id")),
            "ENT_METRICS_PORT": str(metrics_port),
            **({"ENT_KAFKA__INSTANCE": f"chaos-{number}"} if crew.static_members else {}),
            **(crew.settings or {}),
        }
        log = self.folder / f"worker-{number}.log"
        return WorkerProcess(f"worker-{number}", environment, log, metrics_port, crew.entry)


class Stage:
    """A desk with its own Kafka and database."""

    def __init__(self, folder: Path, crew: Crew, *, nodes: int, partitions: int) -> None:
        self.nodes = nodes
        self._stack = ExitStack()
        try:
            self.broker = JvmBroker(nodes, folder=folder / "kafka")
            self._stack.callback(self.broker.stop)
            wanted = [replace(topic, retention=_RETENTION) for topic in specs(partitions)]
            create_topics(self.broker.bootstrap, wanted, replication=min(nodes, 3))
            self.disk = self._stack.enter_context(SmallDisk(folder / "database", folder / "database-kept"))
            database = EmbeddedDatabase(folder / "database", log=folder / "database.log")
            self._stack.enter_context(database)
            self.desk = self._stack.enter_context(Desk(folder, self.broker.bootstrap, database, crew))
            self.desk.prepare()
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def _key(folder: Path, name: str) -> Path:
    path = folder / f"{name}.key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return path
