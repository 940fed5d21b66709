"""A fictional city in an embedded database, once for all the tests that look at its dashboards."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Final

import pytest

from grafana.viewer.source import Source, published_of
from sinks.clickhouse.client import Client, DatabaseSettings
from sinks.clickhouse.embedded.process import EmbeddedDatabase
from sinks.clickhouse.publication import Rule
from sinks.clickhouse.publisher import Publisher
from streams.publication import due
from tests.database import client_of, embedded_database, settings_of
from tests.e2e.chromium import running_chromium
from tests.grafana_seed import NOW, TODAY, City, make_city, store
from tests.requirements import need

PUBLISHED_DAYS: Final = 8
_K: Final = 5


@pytest.fixture(scope="session")
def browser() -> Iterator[int]:
    """The port of a Chromium; each test opens tabs of its own."""
    need("browser")
    with running_chromium() as port:
        yield port


@pytest.fixture(scope="session")
def city() -> City:
    return make_city()


@pytest.fixture(scope="session")
def stored_city(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedDatabase]:
    with embedded_database(tmp_path_factory.mktemp("city")) as database:
        store(client_of(database), city)
        yield database


@pytest.fixture(scope="session")
def city_owner(stored_city: EmbeddedDatabase) -> Client:
    return client_of(stored_city)


@pytest.fixture(scope="session")
def city_database(stored_city: EmbeddedDatabase) -> DatabaseSettings:
    """How its reader reaches the database that holds the city."""
    return settings_of(stored_city, reader=True)


@pytest.fixture(scope="session")
def published(city_database: DatabaseSettings, city_owner: Client) -> DatabaseSettings:
    """How its reader reaches the published figures of the city: of its last two weeks."""
    publisher = Publisher(city_owner, city_database.database, Rule(_K, (1, 2)))
    publisher.publish_names()
    publisher.publish_progress()
    days = [TODAY - timedelta(days=n) for n in range(PUBLISHED_DAYS)]
    for each in due(NOW, days, {}, _K):
        publisher.publish(each.grain, each.start, each.stage, each.tick)
    return published_of(city_database)


@pytest.fixture
async def source(city_database: DatabaseSettings) -> AsyncIterator[Source]:
    """The dashboards' reader of the city."""
    reader = Source(city_database)
    yield reader
    await reader.close()
