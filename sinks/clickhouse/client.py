"""The door to ClickHouse, a server's or the embedded one's: clickhouse-connect over HTTP."""

import ipaddress
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect import common
from clickhouse_connect.driver.client import Client as Driver
from clickhouse_connect.driver.httputil import get_pool_manager
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from sinks.clickhouse.errors import Misconfigured, Unavailable, from_driver

# The driver logs each failed request with its URL, parameters included; what failed is raised to our callers anyhow.
logging.getLogger("clickhouse_connect").setLevel(logging.ERROR)


# The driver would leave a setting out, or refuse it itself, where the user may not change it: the server shall say so.
common.set_setting("invalid_setting_action", "send")

_INSERT_SETTINGS = {"async_insert": 0, "optimize_on_insert": 0}
"""Rows are stored when the insert is answered: asynchronous inserts are its default since 26.2. What is read with FINAL
need not be merged while it is inserted, too: a third of the cost of an insert."""


class DatabaseSettings(BaseModel):
    """Where the database is and who asks. Read from nowhere: the caller fills it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8123, ge=1, le=65535)
    user: str = "default"
    password: SecretStr = SecretStr("")
    database: str = Field(default="ent", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """The database in which our tables are; statements name it."""
    secure: bool = False
    ca_file: Path | None = None
    """Certificates of who signs the server's, for `secure`; None: the system's."""
    connect_timeout_s: int = Field(default=5, ge=1)
    request_timeout_s: int = Field(default=60, ge=1)
    """For one statement, from its sending to the end of its answer."""

    @property
    def is_local(self) -> bool:
        """Whether the database is on this machine, where compression and proxies only cost time."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


class Client:
    """Statements to one server, from any thread: each thread has a driver of its own, made at its first statement.

    No database is entered: names are written with theirs. Every method raises one of the failures of
    `sinks.clickhouse.errors` and nothing else.
    """

    def __init__(self, settings: DatabaseSettings) -> None:
        self.settings = settings
        self._threads = threading.local()
        # Without a pool of our own the driver would send even loopback through a proxy that the environment names.
        self._ca = str(settings.ca_file) if settings.secure and settings.ca_file else None
        self._pool = get_pool_manager(ca_cert=self._ca) if settings.is_local else None
        compression = None if settings.is_local else "lz4"
        self._arrow = pa.ipc.IpcWriteOptions(compression=compression)
        self._compress = compression or False

    def __repr__(self) -> str:
        return f"Client({self.settings.user}@{self.settings.host}:{self.settings.port})"

    def query_rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows of a SELECT; the server binds `parameters` to `{name:Type}` in `sql`."""
        with _own_failures():
            found = self._driver().query(sql, parameters=dict(parameters or {}))
            return [tuple(row) for row in found.result_rows]

    def query_arrow(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """The same as an Arrow table."""
        with _own_failures():
            return self._driver().query_arrow(sql, parameters=dict(parameters or {}), use_strings=True)

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Run a statement that gives no rows."""
        settings = _INSERT_SETTINGS if sql.lstrip()[:6].upper() == "INSERT" else None
        with _own_failures():
            self._driver().command(sql, parameters=dict(parameters or {}), settings=settings)

    def insert_arrow(self, table: str, rows: Any) -> None:
        """Store a `pyarrow.Table` in the columns of `table` that bear its columns' names, as one Arrow stream."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema, options=self._arrow) as stream:
            stream.write_table(rows)
        with _own_failures():
            self._driver().raw_insert(
                table, rows.column_names, insert_block=sink.getvalue(), settings=_INSERT_SETTINGS, fmt="ArrowStream"
            )

    def answers(self) -> bool:
        """Whether the server can be reached and takes our credentials."""
        try:
            return self.query_rows("SELECT 1") == [(1,)]
        except (Unavailable, Misconfigured):
            return False

    def close(self) -> None:
        """Close this thread's driver, and the connections of all threads to a local database."""
        driver = self._threads.__dict__.pop("driver", None)
        if driver is not None:
            driver.close()
        if self._pool is not None:
            self._pool.clear()

    def _driver(self) -> Driver:
        driver: Driver | None = getattr(self._threads, "driver", None)
        if driver is None:
            settings = self.settings
            driver = clickhouse_connect.get_client(
                host=settings.host,
                port=settings.port,
                username=settings.user,
                password=settings.password.get_secret_value(),
                secure=settings.secure,
                ca_cert=self._ca,
                connect_timeout=settings.connect_timeout_s,
                send_receive_timeout=settings.request_timeout_s,
                compress=self._compress,
                autogenerate_session_id=False,
                show_clickhouse_errors="scrub",
                pool_mgr=self._pool,
                tz_mode="aware",
            )
            self._threads.driver = driver
        return driver


def connect(settings: DatabaseSettings) -> Client:
    """A client for `settings`. Nothing is sent before the first statement, so the database may still be away."""
    return Client(settings)


@contextmanager
def _own_failures() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 (the driver raises several libraries' exceptions; each is classified)
        raise from_driver(error) from None
