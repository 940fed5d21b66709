"""An embedded database for tests: a process of its own on a free port, in a folder of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sinks.clickhouse.client import Client, DatabaseSettings, connect
from sinks.clickhouse.embedded.process import EmbeddedDatabase


@contextmanager
def embedded_database(folder: Path) -> Iterator[EmbeddedDatabase]:
    """A running database on `folder`, stopped in the end."""
    database = EmbeddedDatabase(folder)
    database.start()
    try:
        yield database
    finally:
        database.stop()


def settings_of(database: EmbeddedDatabase, *, reader: bool = False) -> DatabaseSettings:
    """How to reach `database`, as its owner or as its reader."""
    return DatabaseSettings(
        port=database.port,
        user=database.reader if reader else database.user,
        password=database.reader_password if reader else database.password,
    )


def client_of(database: EmbeddedDatabase, *, reader: bool = False) -> Client:
    """A client of `database`."""
    return connect(settings_of(database, reader=reader))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedDatabase]:
    """One database for the tests of a module: import it into a conftest.py or the module."""
    with embedded_database(tmp_path_factory.mktemp("database")) as running:
        yield running
