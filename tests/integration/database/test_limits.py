"""What one connection may cost, on a server of this process with small limits and an engine that only counts."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from pydantic import SecretStr

from sinks.clickhouse.embedded.engine import Result
from sinks.clickhouse.embedded.handler import Handler, RequestLimits, User
from sinks.clickhouse.embedded.server import Server
from tests.integration.database.raw import basic

LIMITS = RequestLimits(idle_s=1.0, unknown_idle_s=0.3, request_s=0.5, answer_s=0.5, max_body_bytes=1000)
CREDENTIALS = "Authorization: " + basic("owner", "secret")["Authorization"] + "\r\n"
ASK = f"POST /?query=SELECT HTTP/1.1\r\n{CREDENTIALS}Content-Length: 0\r\n\r\n".encode()


class CountingEngine:
    """Answers every statement at once, with as many bytes as it is told."""

    version, timezone = "0", "UTC"

    def __init__(self) -> None:
        self.answer = b"1\n"
        self.asked = 0

    @contextmanager
    def session(
        self, database: str | None = None, settings: Mapping[str, str] | None = None, *, reading: bool = False
    ) -> Iterator["CountingEngine"]:
        yield self

    def classify(self, sql: str) -> tuple[str, int]:
        return "READ_ONLY", 1

    def query(self, sql: str, output_format: str, parameters: Mapping[str, str]) -> Result:
        self.asked += 1
        return Result(self.answer)


@pytest.fixture
def engine() -> CountingEngine:
    return CountingEngine()


@pytest.fixture
def address(engine: CountingEngine) -> Iterator[tuple[str, int]]:
    """Where the server listens."""
    users = {"owner": User("owner", SecretStr("secret"))}
    handler = type("Bound", (Handler,), {"engine": engine, "users": users, "limits": LIMITS})
    server = Server(("127.0.0.1", 0), handler, max_connections=3)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield "127.0.0.1", int(server.server_address[1])
    server.shutdown()
    thread.join()
    server.server_close()


def read_all(connection: socket.socket) -> bytes:
    """What comes until the other side closes, in whatever way it does."""
    answer = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            answer += piece
    return answer


def test_a_stranger_that_says_nothing_is_dropped(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=5) as connection:
        started = time.monotonic()
        assert read_all(connection) == b""
        assert 0.2 < time.monotonic() - started < 2


def test_who_was_known_may_be_silent_for_longer(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=5) as connection:
        connection.sendall(ASK)
        started = time.monotonic()
        assert read_all(connection).startswith(b"HTTP/1.1 200")
        assert 0.8 < time.monotonic() - started < 3


@pytest.mark.parametrize(
    "begin",
    [b"P", b"POST / HTTP/1.1\r\nX: ", f"POST / HTTP/1.1\r\n{CREDENTIALS}Content-Length: 999\r\n\r\n".encode()],
)
def test_a_request_that_drips_is_dropped(address: tuple[str, int], engine: CountingEngine, begin: bytes) -> None:
    """Each byte comes in time, the whole does not."""
    with socket.create_connection(address, timeout=5) as connection:
        connection.sendall(begin)
        started = time.monotonic()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while time.monotonic() - started < 4:
                time.sleep(0.05)
                connection.sendall(b"x")
        assert time.monotonic() - started < 2
    assert engine.asked == 0


def test_an_answer_that_nobody_takes_is_given_up(address: tuple[str, int], engine: CountingEngine) -> None:
    """And its place is free again."""
    engine.answer = b"x" * 50_000_000
    taken = [socket.create_connection(address, timeout=5) for _ in range(3)]
    for connection in taken:
        connection.sendall(ASK)
    time.sleep(1.5)
    engine.answer = b"1\n"
    with socket.create_connection(address, timeout=5) as connection:
        connection.sendall(ASK)
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    for connection in taken:
        connection.close()


def test_there_are_so_many_connections_and_no_more(address: tuple[str, int]) -> None:
    held = [socket.create_connection(address, timeout=5) for _ in range(3)]
    for connection in held:
        connection.sendall(ASK)
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    with socket.create_connection(address, timeout=5) as connection:
        assert read_all(connection).startswith(b"HTTP/1.1 503")
    held[0].close()
    time.sleep(0.2)
    with socket.create_connection(address, timeout=5) as connection:
        connection.sendall(ASK)
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    for connection in held:
        connection.close()


def test_a_body_is_so_large_and_no_larger(address: tuple[str, int], engine: CountingEngine) -> None:
    def send(size: int) -> bytes:
        head = f"POST / HTTP/1.1\r\n{CREDENTIALS}Connection: close\r\nContent-Length: {size}\r\n\r\n"
        with socket.create_connection(address, timeout=5) as connection:
            connection.sendall(head.encode() + b" " * size)
            return read_all(connection)

    assert send(1000).startswith(b"HTTP/1.1 200")
    assert b"X-ClickHouse-Exception-Code: 307" in send(1001)
    assert engine.asked == 1


def test_requests_of_one_connection_are_answered_in_order(address: tuple[str, int], engine: CountingEngine) -> None:
    with socket.create_connection(address, timeout=5) as connection:
        connection.sendall(ASK * 5 + ASK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert read_all(connection).count(b"HTTP/1.1 200") == 6
    assert engine.asked == 6
