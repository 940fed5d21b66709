"""The client: what it stores and reads, and which failure it makes of what goes wrong."""

import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import uuid4

import pyarrow as pa
import pytest
from pydantic import SecretStr, ValidationError

from sinks.clickhouse.client import Client, DatabaseSettings, connect
from sinks.clickhouse.embedded.process import EmbeddedDatabase
from sinks.clickhouse.errors import DatabaseFailure, Misconfigured, RowsRefused, Unavailable
from tests.database import client_of, settings_of

NOON = datetime(2026, 3, 2, 11, 0, 0, 123000, tzinfo=UTC)


@pytest.fixture(scope="module")
def client(database: EmbeddedDatabase) -> Client:
    client = client_of(database)
    client.command("CREATE DATABASE ent")
    client.command(
        "CREATE TABLE ent.typed (id FixedString(16), at DateTime64(3, 'UTC'), school LowCardinality(String), "
        "n UInt64, schools Array(LowCardinality(String)), flag Bool, CONSTRAINT small CHECK n < 1000000) "
        "ENGINE = MergeTree ORDER BY n"
    )
    return client


def typed(count: int, *, n: int = 0) -> pa.Table:
    """Rows in the types that the worker sends."""
    return pa.table(
        {
            "id": pa.array([uuid4().bytes for _ in range(count)], pa.binary(16)),
            "at": pa.array([NOON] * count, pa.timestamp("ms", "UTC")),
            "school": pa.array([f"068{i % 7:04}A" for i in range(count)]).dictionary_encode(),
            "n": pa.array(range(n, n + count), pa.uint64()),
            "schools": pa.array([["a", "é"]] * count, pa.list_(pa.string())),
            "flag": pa.array([True] * count),
        }
    )


def test_arrow_rows_arrive_as_they_are(client: Client) -> None:
    rows = typed(1000)
    client.insert_arrow("ent.typed", rows)
    found = client.query_rows("SELECT id, at, school, n, schools, flag FROM ent.typed ORDER BY n LIMIT 1")
    assert found == [(rows["id"][0].as_py(), NOON, "0680000A", 0, ["a", "é"], True)]
    assert client.query_rows("SELECT count() FROM ent.typed") == [(1000,)]


def test_compressed_arrow_rows_arrive_too(database: EmbeddedDatabase, client: Client) -> None:
    """What a client of a server that is not on this machine sends."""
    client.command("CREATE TABLE ent.far AS ent.typed")
    far = connect(settings_of(database).model_copy(update={"host": "localhost"}))
    far._arrow = pa.ipc.IpcWriteOptions(compression="lz4")
    far.insert_arrow("ent.far", typed(5000))
    assert far.query_rows("SELECT count(), sum(n) FROM ent.far") == [(5000, 12497500)]


def test_columns_are_found_by_name_and_the_rest_gets_its_default(client: Client) -> None:
    client.command("CREATE TABLE ent.some (a UInt64, b String DEFAULT 'none', c UInt8) ENGINE = MergeTree ORDER BY a")
    client.insert_arrow("ent.some", pa.table({"c": pa.array([3], pa.uint8()), "a": pa.array([1], pa.uint64())}))
    assert client.query_rows("SELECT a, b, c FROM ent.some") == [(1, "none", 3)]


def test_times_are_aware(client: Client) -> None:
    ((now, at),) = client.query_rows("SELECT now(), {at:DateTime64(3, 'UTC')}", {"at": NOON})
    assert now.utcoffset() is not None
    assert at == NOON


@pytest.mark.parametrize(
    "rows",
    [
        pa.table({"n": pa.array(["not a number"]), "school": pa.array(["x"])}),
        pa.table({"n": pa.array([2_000_000], pa.uint64())}),
    ],
    ids=["type", "constraint"],
)
def test_rows_that_can_never_be_stored_are_refused_without_being_quoted(client: Client, rows: pa.Table) -> None:
    with pytest.raises(RowsRefused) as caught:
        client.insert_arrow("ent.typed", rows)
    assert "not a number" not in str(caught.value)
    assert "2000000" not in str(caught.value)


@pytest.mark.parametrize(
    ("sql", "code", "advice"),
    [
        ("SELECT * FROM ent.missing", 60, "ent migrate"),
        ("SELECT * FROM missing.rows", 81, "ent migrate"),
        ("SELECT missing FROM ent.typed", 47, "ent migrate"),
        ("SELEC 1", 62, "26.3 or later"),
        ("SELECT count() FROM numbers(10) SETTINGS no_such_thing = 1", 115, "26.3 or later"),
    ],
)
def test_what_someone_must_put_right_says_how(client: Client, sql: str, code: int, advice: str) -> None:
    with pytest.raises(Misconfigured, match=advice) as caught:
        client.query_rows(sql)
    assert caught.value.code == code


def test_a_busy_database_is_waited_for(client: Client) -> None:
    for sql, code in (
        ("SELECT count() FROM numbers(100000000000) SETTINGS max_execution_time = 1", 159),
        ("SELECT length(groupArray(number)) FROM numbers(100000000) SETTINGS max_memory_usage = 10000000", 241),
    ):
        with pytest.raises(Unavailable) as caught:
            client.query_rows(sql)
        assert caught.value.code == code


def test_a_wrong_password_stops_and_shows_no_password(database: EmbeddedDatabase) -> None:
    settings = settings_of(database).model_copy(update={"password": SecretStr("not-the-password")})
    client = connect(settings)
    with pytest.raises(Misconfigured, match="ENT_DATABASE__PASSWORD") as caught:
        client.command("SELECT 1")
    assert caught.value.code == 516
    for shown in (repr(client), repr(settings), str(caught.value), repr(caught.value)):
        assert "not-the-password" not in shown
    assert caught.value.__cause__ is None
    assert not client.answers()


def test_a_reader_that_writes_is_told(database: EmbeddedDatabase, client: Client) -> None:
    reader = client_of(database, reader=True)
    with pytest.raises(Misconfigured, match="only read"):
        reader.command("DROP TABLE ent.typed")
    with pytest.raises(Misconfigured, match="only read"):
        reader.insert_arrow("ent.typed", typed(1))


def test_a_database_that_is_away_is_unavailable(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody listens; or somebody does and never answers. The driver's own log, which holds the URL, stays silent."""
    caplog.set_level(logging.DEBUG)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        with pytest.raises(Unavailable, match="does not take connections"):
            connect(DatabaseSettings(port=port)).query_rows("SELECT {secret:String}", {"secret": "s3cr3t"})
        silent.listen()
        with pytest.raises(Unavailable, match="does not answer in time"):
            connect(DatabaseSettings(port=port, request_timeout_s=1)).query_rows("SELECT 1")
        assert not connect(DatabaseSettings(port=port, request_timeout_s=1)).answers()
    assert "s3cr3t" not in caplog.text


def test_it_goes_on_when_the_database_is_back(database: EmbeddedDatabase, client: Client) -> None:
    assert client.answers()
    database.kill()
    with pytest.raises(Unavailable):
        client.insert_arrow("ent.typed", typed(1))
    database.start()
    assert client.query_rows("SELECT 1") == [(1,)]


def test_threads_share_a_client(client: Client) -> None:
    """Each with a driver of its own: a driver is not made for two threads at once."""
    barrier = threading.Barrier(4)
    drivers = set()

    def one(n: int) -> list[tuple[int]]:
        barrier.wait()
        drivers.add(id(client._driver()))
        return client.query_rows("SELECT {n:UInt32}", {"n": n})

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(4))) == [[(n,)] for n in range(4)]
    assert len(drivers) == 4


def test_no_proxy_stands_before_loopback(database: EmbeddedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert client_of(database).query_rows("SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    "wrong",
    [{"port": 0}, {"port": 70000}, {"database": "ent; DROP"}, {"connect_timeout_s": 0}, {"pasword": "typo"}],
)
def test_settings_that_cannot_be_right_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DatabaseSettings.model_validate(wrong)


def test_which_hosts_are_this_machine() -> None:
    local = {host: DatabaseSettings(host=host).is_local for host in ("localhost", "127.0.0.1", "::1", "10.0.0.1", "db")}
    assert local == {"localhost": True, "127.0.0.1": True, "::1": True, "10.0.0.1": False, "db": False}


def test_every_failure_is_one_of_ours(client: Client) -> None:
    """Whatever is thrown at it, callers have one family to catch."""
    for act in (
        lambda: client.query_rows("SELECT {n:UInt8}", {"n": object()}),
        lambda: client.command(""),
        lambda: client.insert_arrow("ent.no such", typed(1)),
    ):
        with pytest.raises(DatabaseFailure):
            act()
