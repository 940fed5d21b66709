"""One database for all scenarios; each makes its own tables in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sinks.clickhouse.embedded.process import EmbeddedDatabase
from tests.database import embedded_database


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedDatabase]:
    with embedded_database(tmp_path_factory.mktemp("chaos")) as running:
        yield running
