"""What the proxy does to statements, before a database that notes them."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from streams.chaos.proxy import FaultProxy, Statement, Treatment


class Upstream(ThreadingHTTPServer):
    """Answers with what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Echo)
        self.asked: list[bytes] = []


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Upstream

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(body)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Nothing is said."""


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def proxy(upstream: Upstream) -> Iterator[FaultProxy]:
    with FaultProxy(upstream.server_address[1]) as proxy:
        yield proxy


def ask(proxy: FaultProxy, body: bytes, path: str = "/") -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    connection.request("POST", path, body)
    return connection.getresponse()


def test_statements_pass(proxy: FaultProxy) -> None:
    answer = ask(proxy, b"SELECT 1")
    assert (answer.status, answer.read()) == (200, b"SELECT 1")


def test_a_closed_door_refuses_and_opens_again(proxy: FaultProxy, upstream: Upstream) -> None:
    proxy.refuse_connections()
    with pytest.raises(ConnectionRefusedError):
        ask(proxy, b"SELECT 1")
    proxy.accept_connections()
    assert ask(proxy, b"SELECT 2").read() == b"SELECT 2"
    assert upstream.asked == [b"SELECT 2"]


def test_a_refusal_has_the_databases_code_and_asks_nobody(proxy: FaultProxy, upstream: Upstream) -> None:
    proxy.judge = lambda _: Treatment(refusal_code=252)
    answer = ask(proxy, b"INSERT INTO ent.events VALUES (1)")
    assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (500, "252")
    assert b"Code: 252" in answer.read()
    assert upstream.asked == []


def test_a_swallowed_answer_was_done(proxy: FaultProxy, upstream: Upstream) -> None:
    """The time-out after the write: the database has it, and the worker never hears of it."""
    proxy.judge = lambda _: Treatment(swallow_answer=True)
    with pytest.raises(http.client.RemoteDisconnected):
        ask(proxy, b"INSERT INTO ent.events VALUES (1)")
    assert upstream.asked == [b"INSERT INTO ent.events VALUES (1)"]


def test_what_is_held_never_arrives(proxy: FaultProxy, upstream: Upstream) -> None:
    released = threading.Event()
    proxy.judge = lambda _: Treatment(hold_while=lambda: not released.is_set())
    threading.Timer(0.2, released.set).start()
    with pytest.raises(http.client.RemoteDisconnected):
        ask(proxy, b"SELECT 1")
    assert upstream.asked == []


def test_a_moved_clock_moves_statements_and_no_rows(proxy: FaultProxy, upstream: Upstream) -> None:
    proxy.clock_offset_s = -60
    ask(proxy, b"SELECT now64(6)").read()
    ask(proxy, b"INSERT INTO t FORMAT RowBinary\n\x00now").read()
    assert upstream.asked == [b"SELECT (now64(6) + toIntervalSecond(-60))", b"INSERT INTO t FORMAT RowBinary\n\x00now"]


def test_something_may_happen_between_reading_and_writing(proxy: FaultProxy, upstream: Upstream) -> None:
    happened: list[int] = []
    proxy.judge = lambda _: Treatment(between=lambda: happened.append(len(upstream.asked)))
    ask(proxy, b"INSERT INTO t\nSELECT 1").read()
    assert happened == [1]
    assert upstream.asked == [
        b"SELECT 1 FORMAT RowBinary",
        b"INSERT INTO t FORMAT RowBinary\nSELECT 1 FORMAT RowBinary",
    ]


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("INSERT INTO ent.usage_by_minute\nSELECT 1", "usage_by_minute"),
        ("insert into events (a) FORMAT ArrowStream", "events"),
        ("SELECT 1", None),
    ],
)
def test_a_statement_names_the_table_it_writes(text: str, table: str | None) -> None:
    assert Statement(text).inserts_into == table


def test_the_statement_may_be_in_the_url(proxy: FaultProxy) -> None:
    """As the driver sends rows."""
    seen: list[Statement] = []

    def judge(statement: Statement) -> Treatment:
        seen.append(statement)
        return Treatment()

    proxy.judge = judge
    ask(proxy, b"\xff\x00rows", "/?query=INSERT+INTO+ent.events+%28a%29+FORMAT+ArrowStream").read()
    assert [statement.inserts_into for statement in seen] == ["events"]
