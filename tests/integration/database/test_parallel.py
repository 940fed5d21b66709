"""Many at once: statements run side by side, and none sees another's settings, answers or failures."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sinks.clickhouse.embedded.process import EmbeddedDatabase
from tests.integration.database.raw import ask


def test_a_short_statement_does_not_wait_for_a_long_one(database: EmbeddedDatabase) -> None:
    sleeping = threading.Thread(target=ask, args=(database, "SELECT sleep(2)"))
    sleeping.start()
    time.sleep(0.2)
    started = time.monotonic()
    assert ask(database, "SELECT 1").text == "1\n"
    assert time.monotonic() - started < 1.5
    assert sleeping.is_alive()
    sleeping.join()


def test_sleepers_sleep_side_by_side(database: EmbeddedDatabase) -> None:
    started = time.monotonic()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: ask(database, "SELECT sleep(1)").text, range(6)))
    assert answers == ["0\n"] * 6
    assert time.monotonic() - started < 4


def test_each_gets_its_own_answer_under_its_own_settings(database: EmbeddedDatabase) -> None:
    """Eight clients, with failures among them."""

    def one(n: int) -> bool:
        size = str(1000 + n)
        sql = "SELECT {n:UInt32}, getSetting('max_block_size')"
        if n % 5 == 0:
            return ask(database, sql + ", nothing", {"max_block_size": size, "param_n": str(n)}).code == 47
        if n % 5 == 1:
            return ask(database, sql, {"param_n": str(n)}).text == f"{n}\t65409\n"
        return ask(database, sql, {"max_block_size": size, "param_n": str(n)}).text == f"{n}\t{size}\n"

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(one, range(400)))


@pytest.mark.timeout(120)
def test_inserts_and_queries_side_by_side_lose_nothing(database: EmbeddedDatabase) -> None:
    """Writers and readers of one table: what was confirmed is seen at once, and in the end all of it."""
    ask(database, "CREATE TABLE crowd (w UInt8, n UInt64) ENGINE = MergeTree ORDER BY (w, n)")
    rows, inserts = 5000, 12

    def write(writer: int) -> None:
        for step in range(inserts):
            data = b"".join(b"%d\t%d\n" % (writer, step * rows + n) for n in range(rows))
            assert ask(database, data, {"query": "INSERT INTO crowd FORMAT TSV"}).status == 200
            seen = ask(database, "SELECT count() FROM crowd WHERE w = {w:UInt8}", {"param_w": str(writer)})
            assert int(seen.text) == (step + 1) * rows

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    found = ask(database, "SELECT w, count(), uniqExact(n) FROM crowd GROUP BY w ORDER BY w").text
    assert found == "".join(f"{writer}\t{rows * inserts}\t{rows * inserts}\n" for writer in range(4))


def test_it_lives_through_statements_that_want_too_much_memory(database: EmbeddedDatabase) -> None:
    greedy = "SELECT length(groupArray(number)) FROM numbers(1000000000)"
    with ThreadPoolExecutor(3) as pool:
        codes = list(pool.map(lambda _: ask(database, greedy).code, range(3)))
    assert codes == [241] * 3
    assert ask(database, "SELECT 1").text == "1\n"
