"""A proxy before the database's HTTP interface that does to statements what a network or a server may do to them.

It stands between one worker and the database. The database refuses, is slow, or writes and never says so; for the
worker it is the database that does it.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

_HOST: Final = "127.0.0.1"
_UPSTREAM_TIMEOUT_S: Final = 120.0
_ACCEPT_POLL_S: Final = 0.1
_HOLD_POLL_S: Final = 0.05
_STATEMENT_BYTES: Final = 4096
"""Enough of a body to know its statement; what follows may be rows."""
_NOT_RELAYED: Final = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}
_CLOCK: Final = re.compile(rb"now64\((\d)\)")
_INSERT_HEAD: Final = re.compile(r"INSERT\s+INTO\s+(?:\w+\.)?(\w+)", re.IGNORECASE)


@dataclass(frozen=True)
class Statement:
    """One request as the worker sent it."""

    text: str
    """The statement, and perhaps the first bytes of its rows."""

    @property
    def inserts_into(self) -> str | None:
        """The table that it writes to, without its database; None for what does not insert."""
        found = _INSERT_HEAD.match(self.text.lstrip())
        return found[1] if found else None


@dataclass(frozen=True)
class Treatment:
    """What is done to a statement. The default lets it pass as it is."""

    refusal_code: int | None = None
    """Answer with this error of ClickHouse's, without asking the database."""
    delay_s: float = 0.0
    """Wait before passing it on."""
    swallow_answer: bool = False
    """Let the database do it, and close the connection without an answer."""
    hold_while: Callable[[], bool] | None = None
    """Neither pass nor refuse it while this is true; then drop the connection."""
    between: Callable[[], None] | None = None
    """Of an INSERT … SELECT: called after it has read and before it writes."""


PASS: Final = Treatment()
Judge = Callable[[Statement], Treatment]


class FaultProxy:
    """Listens on a free port of loopback and passes requests on to the database on `upstream_port`.

    `judge` says what is done to each statement and may be replaced at any time; `refuse_connections` closes the door.
    """

    def __init__(self, upstream_port: int) -> None:
        self.upstream_port = upstream_port
        self.judge: Judge = lambda _: PASS
        self.clock_offset_s = 0
        """By how much the database's clock is wrong, as this worker sees it."""
        self._closed = False
        self._clients: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._door = _listen(0)
        self.port: int = self._door.getsockname()[1]
        threading.Thread(target=self._accept, name=f"proxy-{self.port}", daemon=True).start()

    def refuse_connections(self) -> None:
        """From now on: connection refused; the connections there are break."""
        with self._lock:
            _shut(self._door)  # closing alone would let in one more, while a thread waits at it
            self._break_all()

    def accept_connections(self) -> None:
        """Take connections again, on the same port."""
        with self._lock:
            if self._door.fileno() < 0:
                self._door = _listen(self.port)

    def break_connections(self) -> None:
        """Break the connections there are; new ones are taken."""
        with self._lock:
            self._break_all()

    def close(self) -> None:
        """Stop for good."""
        self._closed = True
        self.refuse_connections()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _break_all(self) -> None:
        for client in self._clients:
            _shut(client)
        self._clients.clear()

    def _accept(self) -> None:
        while not self._closed:
            door = self._door
            try:
                client, address = door.accept()
            except OSError:  # closed, or nobody came
                time.sleep(_ACCEPT_POLL_S if door.fileno() < 0 else 0)
                continue
            client.settimeout(None)
            with self._lock:
                if door.fileno() < 0:
                    client.close()
                    continue
                self._clients.add(client)
            threading.Thread(target=self._serve, args=(client, address), daemon=True).start()

    def _serve(self, client: socket.socket, address: tuple[str, int]) -> None:
        try:
            _Relay(client, address, self)
        except OSError:
            pass  # the worker or a fault broke the connection: the worker says so itself
        finally:
            with self._lock:
                self._clients.discard(client)
            _shut(client)


class _Relay(BaseHTTPRequestHandler):
    """One connection of the worker."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, client: socket.socket, address: tuple[str, int], proxy: FaultProxy) -> None:
        self._proxy = proxy
        self._upstream: http.client.HTTPConnection | None = None
        super().__init__(client, address, proxy)  # type: ignore[arg-type]  # the server is only kept

    def do_GET(self) -> None:
        self._relay()

    def do_POST(self) -> None:
        self._relay()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name is the base class's)
        """Statements are not logged."""

    def _relay(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        treatment = self._proxy.judge(_statement(self.path, body))
        if treatment.hold_while is not None:
            while treatment.hold_while():
                time.sleep(_HOLD_POLL_S)
            self.close_connection = True
            return
        if treatment.refusal_code is not None:
            self._refuse(treatment.refusal_code)
            return
        time.sleep(treatment.delay_s)
        if self._proxy.clock_offset_s:
            body = _move_clock(body, self._proxy.clock_offset_s)
        try:
            if treatment.between is not None:
                body = self._read_apart(body, treatment.between)
            status, headers, answer = self._ask(body)
        except (OSError, http.client.HTTPException):
            self.close_connection = True  # as the database did to us
            return
        if treatment.swallow_answer:
            self.close_connection = True
            return
        self._answer(status, headers, answer)

    def _read_apart(self, body: bytes, between: Callable[[], None]) -> bytes:
        """The same insert with its rows in it, which are read now."""
        head, select = body.split(b"\n", 1)
        status, _, rows = self._ask(select + b" FORMAT RowBinary")
        if status != HTTPStatus.OK:
            raise http.client.HTTPException(f"the statement could not be read apart: {rows[:200]!r}")
        between()
        return head + b" FORMAT RowBinary\n" + rows

    def _ask(self, body: bytes) -> tuple[int, Message, bytes]:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _NOT_RELAYED}
        upstream = http.client.HTTPConnection(_HOST, self._proxy.upstream_port, timeout=_UPSTREAM_TIMEOUT_S)
        try:
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            upstream.close()

    def _refuse(self, code: int) -> None:
        text = f"Code: {code}. DB::Exception: injected by the fault proxy. (INJECTED)\n"
        headers = Message()
        headers["X-ClickHouse-Exception-Code"] = str(code)
        self._answer(500, headers, text.encode())

    def _answer(self, status: int, headers: Message, body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in _NOT_RELAYED:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _listen(port: int) -> socket.socket:
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.bind((_HOST, port))
    door.listen(64)
    door.settimeout(_ACCEPT_POLL_S)
    return door


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side was faster
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def _statement(path: str, body: bytes) -> Statement:
    named = parse_qs(urlsplit(path).query).get("query", [""])[0]
    return Statement(f"{named}\n{body[:_STATEMENT_BYTES].decode(errors='replace')}".strip())


def _move_clock(body: bytes, seconds: int) -> bytes:
    """The same statement under a clock that is `seconds` ahead; rows are left as they are."""
    if b"now64(" not in body[:_STATEMENT_BYTES]:
        return body
    return _CLOCK.sub(rb"(now64(\1) + toIntervalSecond(%d))" % seconds, body)
