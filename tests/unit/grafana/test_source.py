"""The data source: what is asked twice at once is asked once, and failures speak in the database's words."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from grafana.viewer.failure import QueryError
from grafana.viewer.source import Source
from sinks.clickhouse.client import DatabaseSettings


class FakeDriver:
    """Counts queries; answers when told to, or fails."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.asked: list[str] = []
        self.may_answer = asyncio.Event()
        self.closed = False
        self._failure = failure

    async def query(self, sql: str, **_: Any) -> Any:
        self.asked.append(sql)
        await self.may_answer.wait()
        if self._failure:
            raise self._failure
        kinds = [SimpleNamespace(name="UInt64")]
        return SimpleNamespace(column_names=("n",), column_types=kinds, result_columns=[[1]])

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> FakeDriver:
    return connected(monkeypatch, FakeDriver())


def connected(monkeypatch: pytest.MonkeyPatch, driver: FakeDriver) -> FakeDriver:
    async def connect(**_: Any) -> FakeDriver:
        return driver

    monkeypatch.setattr("clickhouse_connect.get_async_client", connect)
    return driver


async def test_the_same_question_at_the_same_time_is_asked_once(driver: FakeDriver) -> None:
    source = Source(DatabaseSettings())
    questions = [asyncio.create_task(source.query(sql)) for sql in ("SELECT 1", "SELECT 1", "SELECT 2")]
    await asyncio.sleep(0.01)
    driver.may_answer.set()
    answers = await asyncio.gather(*questions)
    assert sorted(driver.asked) == ["SELECT 1", "SELECT 2"]
    assert [table.columns for table in answers] == [[[1]]] * 3
    await source.query("SELECT 1")
    assert driver.asked.count("SELECT 1") == 2, "an answer is not kept for later"


async def test_one_who_gives_up_does_not_take_the_answer_from_the_others(driver: FakeDriver) -> None:
    source = Source(DatabaseSettings())
    first, second = (asyncio.create_task(source.query("SELECT 1")) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    driver.may_answer.set()
    assert (await second).rows == 1


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (
            DatabaseError(
                "Received ClickHouse exception, code: 60, server response: Code: 60. DB::Exception: Table "
                "ent.x does not exist. (UNKNOWN_TABLE) (version 26) (for url http://10.0.0.1:8123)"
            ),
            "error querying the database: Code: 60. DB::Exception: Table ent.x does not exist. (UNKNOWN_TABLE)",
        ),
        (
            OperationalError("Error Connection refused executing HTTP request attempt 1 (http://10.0.0.1:8123)"),
            "error querying the database: the database did not answer",
        ),
    ],
)
async def test_a_failure_is_told_without_the_database_address(
    monkeypatch: pytest.MonkeyPatch, failure: Exception, words: str
) -> None:
    connected(monkeypatch, FakeDriver(failure)).may_answer.set()
    with pytest.raises(QueryError) as raised:
        await Source(DatabaseSettings()).query("SELECT * FROM x")
    assert str(raised.value) == words


async def test_the_certificates_that_the_settings_name_are_those_that_are_believed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told: dict[str, Any] = {}

    async def connect(**options: Any) -> FakeDriver:
        told.update(options)
        raise OperationalError("not there")

    monkeypatch.setattr("clickhouse_connect.get_async_client", connect)
    with pytest.raises(QueryError):
        await Source(DatabaseSettings(secure=True, ca_file=tmp_path / "ca.pem")).query("SELECT 1")
    assert (told["secure"], told["ca_cert"]) == (True, str(tmp_path / "ca.pem"))


async def test_closing_gives_up_what_is_running(driver: FakeDriver) -> None:
    source = Source(DatabaseSettings())
    running = asyncio.create_task(source.query("SELECT 1"))
    await asyncio.sleep(0.01)
    await source.close()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert driver.closed
