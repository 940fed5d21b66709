"""ClickHouse's HTTP interface as its clients use it: statements, parameters, settings, formats, errors."""

import json
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from clickhouse_connect.driver.external import ExternalData

from sinks.clickhouse.embedded.process import EmbeddedDatabase
from tests.integration.database.raw import ask, send_and_hang_up


@pytest.fixture(scope="module", autouse=True)
def ent(database: EmbeddedDatabase) -> None:
    ask(database, "CREATE DATABASE ent")


def test_settings_of_a_request_do_not_reach_the_next(database: EmbeddedDatabase) -> None:
    """Neither after a success, nor after a failure, on the same connection or another."""
    asked = "SELECT getSetting('max_block_size')"
    usual = ask(database, asked).text
    assert ask(database, asked, {"max_block_size": "777"}).text == "777\n"
    assert ask(database, "SELECT nothing", {"max_block_size": "778"}).code == 47
    assert ask(database, "SET max_block_size = 779").status == 200
    assert {ask(database, asked).text for _ in range(20)} == {usual}


def test_the_database_of_a_request_does_not_reach_the_next(database: EmbeddedDatabase) -> None:
    asked = "SELECT currentDatabase()"
    assert ask(database, asked, {"database": "ent"}).text == "ent\n"
    assert ask(database, asked, headers={"X-ClickHouse-Database": "ent"}).text == "ent\n"
    assert ask(database, "USE ent").status == 200
    assert ask(database, asked).text == "default\n"
    assert ask(database, asked, {"database": "missing"}).code == 81


def test_temporary_tables_end_with_their_request(database: EmbeddedDatabase) -> None:
    for _ in range(3):
        assert ask(database, "CREATE TEMPORARY TABLE here (n UInt8)").status == 200
        assert ask(database, "SELECT * FROM here").code == 60


@pytest.mark.parametrize("name", ["a'b", "max_threads = 1, readonly", "MAX", "", "1x", "é"])
def test_what_is_no_name_of_a_setting_is_refused(database: EmbeddedDatabase, name: str) -> None:
    assert ask(database, "SELECT 1", {name: "1"}).code == 115


def test_the_value_of_a_setting_cannot_set_another(database: EmbeddedDatabase) -> None:
    answer = ask(database, "SELECT getSetting('max_threads')", {"log_queries_min_type": "x', max_threads = '7"})
    assert answer.code is not None
    name = "format_csv_null_representation"
    quoted = ask(database, f"SELECT getSetting('{name}')", {name: "a'\\b"})
    assert quoted.text == "a\\'\\\\b\n"


def test_unknown_settings_are_named(database: EmbeddedDatabase) -> None:
    answer = ask(database, "SELECT 1", {"no_such_setting": "1"})
    assert (answer.status, answer.code) == (404, 115)
    assert "no_such_setting" in answer.text


def test_an_answer_that_fails_half_way_is_an_error(database: EmbeddedDatabase) -> None:
    answer = ask(database, "SELECT throwIf(number = 900000) FROM numbers(1000000) SETTINGS max_block_size = 1000")
    assert (answer.status, answer.code) == (500, 395)


def test_one_request_is_one_statement(database: EmbeddedDatabase) -> None:
    assert ask(database, "SELECT 1; SELECT 2").code == 62
    assert ask(database, "SELECT ';' -- ; \n;").text == ";\n"
    assert ask(database, "SELECT 1; DROP DATABASE ent").code == 62
    assert ask(database, "EXISTS DATABASE ent").text == "1\n"


@pytest.mark.parametrize("value", ["plain", "tab\tnewline\nquote'back\\slash", "é 😀", "", "{not:UInt8}", "x" * 20_000])
def test_parameters_arrive_as_they_are_by_url_and_by_form(database: EmbeddedDatabase, value: str) -> None:
    """The driver puts parameters into the URL, and into a form when told to or when they are long."""
    for form in (False, True):
        client = _driver(database, form_encode_query_params=form)
        rows = client.query("SELECT {v:String}, length({v:String})", parameters={"v": value}).result_rows
        assert rows == [(value, len(value.encode()))]
        client.close()


def test_parameters_work_in_inserts(database: EmbeddedDatabase) -> None:
    ask(database, "CREATE TABLE ent.named (n UInt64, name String) ENGINE = MergeTree ORDER BY n")
    ask(database, "INSERT INTO ent.named VALUES ({n:UInt64}, {name:String})", {"param_n": "1", "param_name": "a;b"})
    ask(database, "INSERT INTO ent.named SELECT {n:UInt64}, 'c'", {"param_n": "2"})
    assert ask(database, "SELECT * FROM ent.named ORDER BY n").text == "1\ta;b\n2\tc\n"
    assert ask(database, "SELECT {missing:UInt8}").code == 456


def test_inserted_data_may_follow_the_statement_or_come_in_the_body(database: EmbeddedDatabase) -> None:
    ask(database, "CREATE TABLE ent.placed (n UInt64, s String) ENGINE = MergeTree ORDER BY n")
    ask(database, "INSERT INTO ent.placed FORMAT CSV\n1,a\n2,FORMAT TSV\n")
    ask(database, "INSERT INTO ent.placed (s, n) SETTINGS max_threads = 1 FORMAT TSV\nb\t3\n")
    ask(database, b"4\tc\n", {"query": "INSERT INTO ent.placed FORMAT TabSeparated"})
    ask(database, "(5, 'd;'), (6, 'e')", {"query": "INSERT INTO ent.placed VALUES"})
    ask(database, 'INSERT /* FORMAT CSV */ INTO `ent`.placed FORMAT JSONEachRow {"n": 7, "s": "SELECT"}')
    counted = ask(database, "SELECT groupArray(n), groupArray(s) FROM (SELECT * FROM ent.placed ORDER BY n)").text
    assert counted == "[1,2,3,4,5,6,7]\t['a','FORMAT TSV','b','c','d;','e','SELECT']\n"
    assert ask(database, "INSERT INTO ent.missing FORMAT CSV\n1\n").code == 60
    assert ask(database, "INSERT INTO ent.placed FORMAT Nonsense\n1\n").code == 73


@pytest.mark.parametrize("form", ["body", "values", "select"])
@pytest.mark.parametrize(
    ("table", "code"),
    [
        ("(n UInt64, CONSTRAINT small CHECK n < 7) ENGINE = MergeTree ORDER BY n", 469),
        ("(n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS parts_to_throw_insert = 1, parts_to_delay_insert = 1", 252),
        ("(n UInt64) ENGINE = MergeTree ORDER BY n PARTITION BY n", 252),
        ("(n UInt64) ENGINE = Null", 395),
    ],
    ids=["constraint", "parts", "partitions", "view"],
)
def test_rows_that_the_table_refuses_are_not_confirmed(
    database: EmbeddedDatabase, table: str, code: int, form: str
) -> None:
    """Refused not by the reader of the format but where rows are stored: chDB's streaming insert says nothing then."""
    ask(database, f"CREATE TABLE ent.refusing {table}")
    try:
        ask(database, "SYSTEM STOP MERGES ent.refusing")
        ask(database, "INSERT INTO ent.refusing VALUES (1)")
        before = ask(database, "SELECT count() FROM ent.refusing").text
        ask(
            database,
            "CREATE MATERIALIZED VIEW ent.of_refusing ENGINE = MergeTree ORDER BY n AS "
            "SELECT n, throwIf(n > 100) AS thrown FROM ent.refusing",
        )
        rows, insert = list(range(5, 205)), "INSERT INTO ent.refusing"
        answer = {
            "body": lambda: ask(database, "\n".join(map(str, rows)), {"query": f"{insert} FORMAT TSV"}),
            "values": lambda: ask(database, f"{insert} VALUES " + ",".join(f"({n})" for n in rows)),
            "select": lambda: ask(database, f"{insert} SELECT number + 5 FROM numbers(200)"),
        }[form]()
        assert answer.code == code, answer.text
        assert ask(database, "SELECT count() FROM ent.refusing").text == before
    finally:
        ask(database, "DROP TABLE IF EXISTS ent.of_refusing")
        ask(database, "DROP TABLE ent.refusing")


def test_an_insert_says_how_many_rows_it_wrote(database: EmbeddedDatabase) -> None:
    ask(database, "CREATE TABLE ent.counted (n UInt64) ENGINE = MergeTree ORDER BY n")
    answer = ask(database, b"1\n2\n3\n", {"query": "INSERT INTO ent.counted FORMAT TSV", "query_id": "mine"})
    assert json.loads(answer.headers["X-ClickHouse-Summary"])["written_rows"] == "3"
    assert answer.headers["X-ClickHouse-Query-Id"] == "mine"


def test_what_a_client_calls_its_statement_cannot_add_headers(database: EmbeddedDatabase) -> None:
    answer = ask(database, "SELECT 1", {"query_id": "é\r\nX-Added: 1 😀"})
    assert answer.headers["X-ClickHouse-Query-Id"] == "???X-Added: 1 ?"
    assert "X-Added" not in answer.headers


def test_small_inserts_are_there_when_they_are_answered(database: EmbeddedDatabase) -> None:
    """Whatever ClickHouse's own default for asynchronous inserts is."""
    ask(database, "CREATE TABLE ent.at_once (n UInt64) ENGINE = MergeTree ORDER BY n")
    for n in range(1, 6):
        ask(database, b"1\n", {"query": "INSERT INTO ent.at_once FORMAT TSV"})
        assert ask(database, "SELECT count() FROM ent.at_once").text == f"{n}\n"


def test_get_reads_and_does_not_change(database: EmbeddedDatabase) -> None:
    assert ask(database, parameters={"query": "SELECT 1"}, method="GET").text == "1\n"
    assert ask(database, parameters={"query": "DROP DATABASE ent"}, method="GET").code == 164
    head = ask(database, parameters={"query": "SELECT 1"}, method="HEAD")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", "2")


def test_readonly_of_a_request_is_honoured(database: EmbeddedDatabase) -> None:
    for value in ("1", "2"):
        assert ask(database, "CREATE TABLE ent.never (n UInt8) ENGINE = Log", {"readonly": value}).code == 164
        assert ask(database, b"1\n", {"query": "INSERT INTO ent.named FORMAT TSV", "readonly": value}).code == 164
        assert ask(database, "SELECT file('/etc/hostname')", {"readonly": value}).code == 497
        assert ask(database, "SELECT count() FROM system.processes", {"readonly": value}).text == "1\n"
    assert ask(database, "SELECT getSetting('readonly')").text == "0\n"


def test_it_says_that_it_is_there_without_credentials(database: EmbeddedDatabase) -> None:
    for path in ("/ping", "/replicas_status"):
        assert ask(database, path=path, method="GET", headers={"Authorization": ""}).body == b"Ok.\n"
    assert ask(database, method="GET").body == b"Ok.\n"
    assert ask(database, path="/other", method="GET").code == 36


def test_formats_are_named_in_the_answer(database: EmbeddedDatabase) -> None:
    asked = ask(database, "SELECT 1 AS one", {"default_format": "JSONCompact"})
    assert json.loads(asked.body)["data"] == [[1]]
    assert asked.headers["X-ClickHouse-Format"] == "JSONCompact"
    assert ask(database, "SELECT 1 FORMAT CSV", {"default_format": "JSON"}).headers["X-ClickHouse-Format"] == "CSV"
    assert ask(database, "SELECT 1", {"default_format": "DataFrame"}).code == 73
    assert ask(database, "SELECT 1 FORMAT arrowtable").code == 73


def test_times_are_utc_wherever_the_machine_stands(database: EmbeddedDatabase) -> None:
    answer = ask(database, "SELECT timezone(), toString(toDateTime(0))")
    assert answer.text == "UTC\t1970-01-01 00:00:00\n"
    assert answer.headers["X-ClickHouse-Timezone"] == "UTC"


def test_no_statement_opens_a_file_as_a_client_would(database: EmbeddedDatabase, tmp_path: Path) -> None:
    """The engine is a client too, and would write and read the files that the statement names."""
    target = tmp_path / "out"
    assert ask(database, f"SELECT 1 INTO/**/OUTFILE '{target}'").code == 358
    assert not target.exists()
    target.write_text("1\n")
    assert ask(database, f"INSERT INTO ent.named (n) FROM INFILE '{target}' FORMAT CSV").code == 358
    assert ask(database, "SELECT 'INTO OUTFILE', 1 AS outfile").text == "INTO OUTFILE\t1\n"


def test_what_is_not_served_says_so(database: EmbeddedDatabase) -> None:
    for name in ("compress", "decompress", "session_id"):
        assert ask(database, "SELECT 1", {name: "1"}).code == 48
        assert ask(database, "SELECT 1", {name: "0"}).text == "1\n"
    client = _driver(database)
    external = ExternalData(file_name="x", data=b"1\n", fmt="TSV", structure="n UInt8")
    with pytest.raises(DatabaseError, match="external tables") as caught:
        client.query("SELECT * FROM x", external_data=external)
    assert caught.value.code == 48


def test_an_empty_statement_is_an_error(database: EmbeddedDatabase) -> None:
    for sql in (" ", ";", "-- nothing"):
        assert ask(database, sql).code == 62


def test_broken_http_is_refused(database: EmbeddedDatabase) -> None:
    assert b" 400 " in send_and_hang_up(database, b"\x16\x03\x01 hello\r\n\r\n")
    assert b" 431 " in send_and_hang_up(database, b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n")
    assert b" 414 " in send_and_hang_up(database, b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n")
    assert b" 501 " in send_and_hang_up(database, b"DELETE / HTTP/1.1\r\n\r\n")
    assert b"Code: 36" in send_and_hang_up(database, b"POST /x HTTP/1.1\r\nContent-Length: -1\r\n\r\n")


def test_a_client_that_waits_for_leave_to_send_its_body_gets_it(database: EmbeddedDatabase) -> None:
    answer = send_and_hang_up(
        database, b"POST /ping HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"
    )
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


def test_clickhouse_go_learns_the_revision_it_must_decode(database: EmbeddedDatabase) -> None:
    """Grafana's data source opens so; its later blocks come without block information, as of revision 0."""
    hello = "SELECT displayName(), version(), revision(), timezone()"
    parameters = {"default_format": "Native", "client_protocol_version": "54460"}
    block = ask(database, hello, parameters).body
    assert block[:11] == b"\x01\x00\x02\xff\xff\xff\xff\x00\x04\x01\x0d"  # block information, 4 columns, 1 row
    assert b"revision()\x06UInt32\x00\x00\x00\x00\x00" in block
    assert ask(database, "SELECT 1 AS x", parameters).body == b"\x01\x01\x01x\x05UInt8\x01"


def _driver(database: EmbeddedDatabase, **options: Any) -> clickhouse_connect.driver.Client:
    return clickhouse_connect.get_client(
        host="127.0.0.1",
        port=database.port,
        username=database.user,
        password=database.password.get_secret_value(),
        autogenerate_session_id=False,
        **options,
    )
