"""The data source: SELECTs of the dashboards to ClickHouse, by a user that may only read."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.exceptions import Error as DriverError

from grafana.viewer.failure import QueryError
from grafana.viewer.frames import Table
from sinks.clickhouse.client import DatabaseSettings

_SERVERS_WORDS = re.compile(r"Code: \d+\. DB::Exception: .*?\([A-Z0-9_]+\)", re.DOTALL)
_TICKS = {"Date*": "int", "DateTime*": "int"}


class Source:
    """Queries that enter `settings.database`, so that dashboards name views without it. One event loop, any task.

    The SQL comes from the browser, as with Grafana: what `settings.user` may read is the limit.
    """

    def __init__(self, settings: DatabaseSettings) -> None:
        self._settings = settings
        self._client: AsyncClient | None = None
        self._connecting = asyncio.Lock()
        self._running: dict[str, asyncio.Task[Table]] = {}

    async def query(self, sql: str) -> Table:
        """The answer to one SELECT. Those that ask the same at the same time share it. Raises `QueryError`."""
        task = self._running.get(sql)
        if task is None:
            task = asyncio.create_task(self._query(sql))
            self._running[sql] = task
            task.add_done_callback(lambda _: self._running.pop(sql, None))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Give up what is running and close the connections."""
        for task in list(self._running.values()):
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _query(self, sql: str) -> Table:
        try:
            client = await self._connected()
            result = await client.query(sql, query_formats=_TICKS, column_oriented=True)
        except DriverError as error:
            said = _SERVERS_WORDS.search(str(error))
            words = said.group() if said else "the database did not answer"
            raise QueryError(f"error querying the database: {words}") from error
        return Table(list(result.column_names), [kind.name for kind in result.column_types], result.result_columns)

    async def _connected(self) -> AsyncClient:
        async with self._connecting:
            if self._client is None:
                self._client = await clickhouse_connect.get_async_client(**_driver_options(self._settings))
        return self._client


def published_of(settings: DatabaseSettings) -> DatabaseSettings:
    """Where the published figures of the same server are."""
    return settings.model_copy(update={"database": f"{settings.database}_public"})


def _driver_options(settings: DatabaseSettings) -> Mapping[str, Any]:
    return {
        "host": settings.host,
        "port": settings.port,
        "username": settings.user,
        "password": settings.password.get_secret_value(),
        "secure": settings.secure,
        "ca_cert": str(settings.ca_file) if settings.secure and settings.ca_file else None,
        "database": settings.database,
        "connect_timeout": settings.connect_timeout_s,
        "send_receive_timeout": settings.request_timeout_s,
        "compress": False if settings.is_local else "lz4",
        "autogenerate_session_id": False,
        "query_limit": 0,
    }
