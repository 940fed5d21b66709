"""A fictional city in an embedded database, once for all the tests that look at its dashboards."""

from collections.abc import AsyncIterator, Iterator

import pytest

from grafana.viewer.source import Source
from sinks.clickhouse.client import DatabaseSettings
from tests.database import client_of, embedded_database, settings_of
from tests.grafana_seed import City, make_city, store


@pytest.fixture(scope="session")
def city() -> City:
    return make_city()


@pytest.fixture(scope="session")
def city_database(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseSettings]:
    """How its reader reaches the database that holds the city."""
    with embedded_database(tmp_path_factory.mktemp("city")) as database:
        store(client_of(database), city)
        yield settings_of(database, reader=True)


@pytest.fixture
async def source(city_database: DatabaseSettings) -> AsyncIterator[Source]:
    """The dashboards' reader of the city."""
    reader = Source(city_database)
    yield reader
    await reader.close()
