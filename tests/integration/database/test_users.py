"""Who may ask and what: a wrong password gets nothing, the reader reads its databases and nothing else."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from sinks.clickhouse.embedded.process import EmbeddedDatabase
from tests.database import client_of
from tests.integration.database.raw import ask, basic, send_and_hang_up

SECRET = "what the reader must not see"


@pytest.fixture(scope="module", autouse=True)
def tables(database: EmbeddedDatabase) -> None:
    for name in ("ent", "private"):
        ask(database, f"CREATE DATABASE {name}")
        ask(database, f"CREATE TABLE {name}.rows (n UInt64, s String) ENGINE = ReplacingMergeTree ORDER BY n")
    ask(database, f"INSERT INTO private.rows VALUES (1, '{SECRET}')")
    ask(database, "INSERT INTO ent.rows SELECT number, toString(number) FROM numbers(10)")
    ask(database, "CREATE VIEW ent.seen AS SELECT count() AS n FROM private.rows")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file.csv"
    path.write_text(SECRET)
    return path


@pytest.mark.parametrize(
    ("user", "password"), [("default", ""), ("default", "wrong"), ("nobody", "x"), ("", ""), ("é", "é")]
)
def test_wrong_credentials_get_nothing(database: EmbeddedDatabase, user: str, password: str) -> None:
    for headers in (
        basic(user, password),
        {
            "Authorization": "",
            "X-ClickHouse-User": user.encode().decode("latin1"),
            "X-ClickHouse-Key": password.encode().decode("latin1"),
        },
        {"Authorization": "Basic !"},
        {"Authorization": "Bearer x"},
    ):
        answer = ask(database, "SELECT 1", headers=headers)
        assert (answer.status, answer.code) == (403, 516)


def test_credentials_may_come_in_headers_or_in_the_url(database: EmbeddedDatabase) -> None:
    password = database.password.get_secret_value()
    no_header = {"Authorization": ""}
    headers = {**no_header, "X-ClickHouse-User": database.user, "X-ClickHouse-Key": password}
    assert ask(database, "SELECT 1", headers=headers).text == "1\n"
    assert ask(database, "SELECT 1", {"user": database.user, "password": password}, headers=no_header).text == "1\n"
    assert ask(database, "SELECT 1", {"password": password}, headers=no_header).text == "1\n"


def test_a_refused_client_reads_why_although_it_was_sending(database: EmbeddedDatabase) -> None:
    """The body of a stranger is taken and dropped, so that the answer is not lost in a reset connection."""
    request = b"POST /?query=SELECT+1 HTTP/1.1\r\nContent-Length: 8000000\r\n\r\n" + b"x" * 8_000_000
    assert b"X-ClickHouse-Exception-Code: 516" in send_and_hang_up(database, request)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count() FROM ent.rows",
        "SELECT n FROM seen",
        "WITH few AS (SELECT n FROM rows WHERE n IN (1, 2)) SELECT a.n FROM few AS a JOIN rows AS b ON a.n = b.n",
        "SELECT sum(n) OVER (ORDER BY n), toStartOfDay(now()) FROM ent.rows FINAL LIMIT 1 BY n",
        "SELECT * FROM (SELECT 1 UNION ALL SELECT 2) ORDER BY 1",
        "SELECT number FROM numbers(3)",
        "SELECT n FROM ent.rows WHERE n IN ent.seen OR s IN ('a')",
        "SELECT format('{} {}', 'a', 'b'), arrayMap(x -> x + 1, [1])",
        "SELECT {n:UInt8} FORMAT JSON",
        "SELECT name FROM system.tables WHERE database = 'ent'",
        "SELECT name, value, readonly FROM system.settings LIMIT 10000",
        "SHOW TABLES",
        "SHOW TABLES FROM ent",
        "SHOW COLUMNS FROM rows",
        "DESCRIBE TABLE ent.rows",
        'DESC TABLE "ent"."rows" FORMAT JSON',
        "DESC rows",
    ],
)
def test_the_reader_reads(database: EmbeddedDatabase, sql: str) -> None:
    for method in ("GET", "POST"):
        answer = ask(database, parameters={"query": sql, "param_n": "1"}, method=method, reader=True)
        assert answer.status == 200, answer.text


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO ent.rows VALUES (11, '')",
        "INSERT INTO ent.rows FORMAT TSV\n11\tx\n",
        "INSERT INTO ent.rows SELECT 11, ''",
        "INSERT INTO FUNCTION null('n UInt8') SELECT 1",
        "CREATE TABLE ent.mine (n UInt8) ENGINE = Log",
        "CREATE TEMPORARY TABLE mine (n UInt8)",
        "CREATE FUNCTION mine AS x -> x",
        "ALTER TABLE ent.rows DELETE WHERE 1",
        "DELETE FROM ent.rows WHERE 1",
        "OPTIMIZE TABLE ent.rows FINAL",
        "TRUNCATE TABLE ent.rows",
        "DROP TABLE ent.rows",
        "DETACH TABLE ent.rows",
        "RENAME TABLE ent.rows TO ent.other",
        "SYSTEM SHUTDOWN",
        "SYSTEM FLUSH LOGS",
        "KILL QUERY WHERE 1",
        "SET readonly = 0",
        "USE private",
        "BACKUP TABLE ent.rows TO File('x')",
        "EXPLAIN SELECT 1",
        "SHOW CREATE TABLE ent.rows",
        "SHOW PROCESSLIST",
        "CHECK TABLE ent.rows",
        "SELECT 1; DROP TABLE ent.rows",
        "SELECT 1 SETTINGS readonly = 0",
        "SELECT 1 SETTINGS max_execution_time = 1000",
    ],
)
def test_the_reader_changes_nothing(database: EmbeddedDatabase, sql: str) -> None:
    answer = ask(database, sql, reader=True)
    assert answer.code in (62, 164, 497), answer.text
    assert ask(database, "SELECT count() FROM ent.rows").text == "10\n"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM private.rows",
        "SELECT * FROM `private`.`rows`",
        "SELECT n FROM ent.rows WHERE n IN private.rows",
        "SELECT n FROM ent.rows WHERE n NOT IN (private.rows)",
        "SELECT n FROM ent.rows WHERE n GLOBAL IN private.rows",
        "SELECT (SELECT any(s) FROM private.rows)",
        "SELECT * FROM ent.rows JOIN private.rows USING n",
        "WITH x AS (SELECT * FROM private.rows) SELECT * FROM x",
        "SELECT * FROM view(SELECT * FROM private.rows)",
        "SELECT * FROM merge('private', '.*')",
        "SELECT * FROM merge(REGEXP('.*'), 'rows')",
        "SELECT * FROM remote('127.0.0.1', 'private', 'rows')",
        "SELECT * FROM cluster('default', 'private', 'rows')",
        "SELECT * FROM loop('private', 'rows') LIMIT 1",
        "SELECT * FROM mergeTreeIndex('private', 'rows')",
        "SELECT * FROM eval('SELECT * FROM private.rows')",
        "SELECT * FROM dictionary('private.d')",
        "SELECT dictGet('private.d', 'a', 1)",
        "SELECT dictGet(concat('private', '.d'), 'a', 1)",
        "SELECT joinGet('private.rows', 's', 1)",
        "SELECT * FROM {t:Identifier}",
        "SELECT * FROM system.processes",
        "SELECT n FROM ent.rows WHERE s IN system.processes",
        "SELECT * FROM system.parts",
        "SELECT * FROM information_schema.tables",
        "DESCRIBE TABLE private.rows",
        "DESCRIBE (SELECT * FROM private.rows)",
        "SHOW TABLES FROM private",
        "SHOW COLUMNS FROM rows FROM private",
    ],
)
def test_the_reader_sees_its_databases_only(database: EmbeddedDatabase, sql: str) -> None:
    answer = ask(database, sql, {"param_t": "private.rows"}, reader=True)
    assert answer.code in (62, 497), answer.text
    assert SECRET not in answer.text


def test_the_reader_cannot_begin_in_another_database(database: EmbeddedDatabase) -> None:
    for name in ("private", "system", "default", "information_schema"):
        assert ask(database, "SELECT * FROM rows", {"database": name}, reader=True).code == 497


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM file('{file}', 'LineAsString')",
        "SELECT file('{file}')",
        "SELECT FILE('{file}')",
        "SELECT `file`('{file}')",
        "SELECT \"fi\\x6ce\"('{file}')",
        "SELECT file/**/('{file}') FORMAT RawBLOB",
        "SELECT 1 IN file('{file}')",
        "SELECT 1 WHERE file('{file}') != ''",
        "SELECT 1 ORDER BY file('{file}')",
        "SELECT 1 LIMIT length(file('{file}'))",
        "SELECT 1 QUALIFY file('{file}') != ''",
        "SELECT arrayMap(x -> file(x), ['{file}'])",
        "SELECT * APPLY(file) FROM (SELECT '{file}' AS x)",
        "SELECT * APPLY(x -> file(x)) FROM (SELECT '{file}' AS x)",
        "SELECT * REPLACE(file(x) AS x) FROM (SELECT '{file}' AS x)",
        "SELECT n FROM ent.rows ORDER BY n WITH FILL INTERPOLATE (s AS file('{file}'))",
        "SELECT sum(n) OVER w FROM ent.rows WINDOW w AS (PARTITION BY file('{file}'))",
        "WITH file('{file}') AS x SELECT x",
        "SELECT * FROM '{file}'",
        "SELECT * FROM `{file}`",
        "SELECT * FROM default.`{file}`",
        "SELECT * FROM fileCluster('default', '{file}')",
        "SELECT * FROM filesystem('{file}')",
        "SELECT * FROM sqlite('{file}', 't')",
        "SELECT * FROM executable('cat {file}', 'TSV', 's String')",
        "SELECT * FROM python(file)",
        "DESCRIBE file('{file}')",
        "DESCRIBE TABLE file('{file}')",
        "SELECT 1 INTO OUTFILE '{file}.out'",
        "SELECT 1 INTO OUTFILE '{file}.out' APPEND",
    ],
)
def test_the_reader_reaches_no_file(database: EmbeddedDatabase, file: Path, sql: str) -> None:
    """Although the engine itself would open it: for the owner the first forms of it do."""
    answer = ask(database, sql.replace("{file}", str(file)), reader=True)
    assert answer.code is not None
    assert SECRET not in answer.text
    assert list(file.parent.iterdir()) == [file]


def test_the_owner_could_read_the_file(database: EmbeddedDatabase, file: Path) -> None:
    """Or the tests above would show nothing."""
    assert ask(database, f"SELECT file('{file}')").text == SECRET + "\n"


@pytest.mark.parametrize(
    "name", ["format_template_row", "output_format_schema", "readonly", "dialect", "allow_ddl", "log_comment_x"]
)
def test_the_reader_sets_no_setting_that_could_do_harm(database: EmbeddedDatabase, file: Path, name: str) -> None:
    answer = ask(database, "SELECT getSetting('readonly')", {name: str(file) if "format" in name else "0"}, reader=True)
    assert answer.code == 164 or answer.text == "1\n"
    assert list(file.parent.iterdir()) == [file]


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """An HTTP server and the paths it was asked for."""
    asked: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"1\n")

        do_POST = do_HEAD = do_GET  # noqa: N815 (the base class looks for these)

        def log_message(self, *args: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_reader_reaches_no_other_host(database: EmbeddedDatabase, listener: tuple[str, list[str]]) -> None:
    host, asked = listener
    for sql in (
        f"SELECT * FROM url('http://{host}/url', 'TSV', 'n UInt8')",
        f"SELECT * FROM urlCluster('default', 'http://{host}/cluster', 'TSV', 'n UInt8')",
        f"SELECT * FROM s3('http://{host}/bucket/key', 'TSV', 'n UInt8')",
        f"SELECT * FROM hdfs('hdfs://{host}/x', 'TSV', 'n UInt8')",
        f"SELECT * FROM mysql('{host}', 'a', 'b', 'c', 'd')",
        f"SELECT * FROM remote('{host}', 'system', 'one')",
        f"SELECT * FROM icebergS3('http://{host}/bucket/ice')",
        f"DESCRIBE url('http://{host}/describe')",
        f"SELECT aiGenerate('http://{host}/ai')",
    ):
        assert ask(database, sql, reader=True).code is not None, sql
    assert asked == []
    ask(database, f"SELECT * FROM url('http://{host}/owner', 'TSV', 'n UInt8')")
    assert "/owner" in asked


def test_the_reader_s_statements_end(database: EmbeddedDatabase) -> None:
    """Time, memory and rows are limited; the request may lower the limits and not raise them."""
    limit = "SELECT getSetting('max_execution_time')"
    assert [
        ask(database, limit, {"max_execution_time": asked}, reader=True).text
        for asked in ("5", "30", "3000", "0", "-1")
    ] == ["5\n", "30\n", "30\n", "30\n", "30\n"]
    started = time.monotonic()
    endless = "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))"
    assert ask(database, endless, {"max_execution_time": "1"}, reader=True).code == 159
    assert time.monotonic() - started < 5
    assert ask(database, "SELECT number FROM numbers(2000000)", reader=True).code == 396
    assert ask(database, "SELECT groupArray(number) FROM numbers(100000000)", reader=True).code == 241
    assert ask(database, "SELECT '" + "x" * 1024 * 1024 + "'", reader=True).code == 307


@pytest.mark.parametrize("depth", [100, 900, 5000])
def test_a_reader_s_deep_statement_is_answered(database: EmbeddedDatabase, depth: int) -> None:
    """With its result or a refusal, not with a connection that breaks."""
    for sql in (
        "SELECT " + "(" * depth + "1" + ")" * depth,
        "SELECT " + "[" * depth + "1" + "]" * depth,
        "SELECT " + "not " * depth + "1",
        "SELECT * FROM (" * depth + "SELECT 1" + ")" * depth,
    ):
        answer = ask(database, sql, reader=True)
        assert answer.status == 200 or answer.code is not None
    assert ask(database, "SELECT 1", reader=True).text == "1\n"


def test_readers_leave_places_to_the_owner(database: EmbeddedDatabase) -> None:
    """However many statements of readers run or wait, the owner's is served at once."""
    slow = "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))"
    crowd = [
        threading.Thread(
            target=ask, args=(database, slow, {"max_execution_time": "10", "max_threads": "1"}), kwargs={"reader": True}
        )
        for _ in range(10)
    ]
    for one in crowd:
        one.start()
    time.sleep(0.5)
    started = time.monotonic()
    assert ask(database, "SELECT 1").text == "1\n"
    assert time.monotonic() - started < 2
    while any(one.is_alive() for one in crowd):
        ask(database, "KILL QUERY WHERE query LIKE '%sipHash64%' AND query NOT LIKE 'KILL%' ASYNC")
        time.sleep(0.1)


def test_the_reader_works_with_the_driver(database: EmbeddedDatabase) -> None:
    client = client_of(database, reader=True)
    assert client.query_rows("SELECT count() FROM ent.rows WHERE n < {n:UInt8}", {"n": 5}) == [(5,)]
