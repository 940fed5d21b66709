"""Requests to the database's HTTP interface, byte by byte where need be."""

import http.client
import socket
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.message import Message
from urllib.parse import urlencode

from sinks.clickhouse.embedded.process import EmbeddedDatabase


@dataclass(frozen=True)
class Answer:
    """What came back: `code` is ClickHouse's, None for success."""

    status: int
    code: int | None
    body: bytes
    headers: Message

    @property
    def text(self) -> str:
        return self.body.decode()


def credentials(database: EmbeddedDatabase, *, reader: bool = False) -> dict[str, str]:
    """The Authorization header of the owner or the reader."""
    user = database.reader if reader else database.user
    password = (database.reader_password if reader else database.password).get_secret_value()
    return basic(user, password)


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


def ask(
    database: EmbeddedDatabase,
    sql: str | bytes | Iterable[bytes] = b"",
    parameters: Mapping[str, str] | None = None,
    *,
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
    reader: bool = False,
    path: str = "/",
) -> Answer:
    """One request on a connection of its own; `headers` stand before the credentials."""
    connection = http.client.HTTPConnection("127.0.0.1", database.port, timeout=30)
    try:
        body = sql.encode() if isinstance(sql, str) else sql
        url = path + ("?" + urlencode(parameters) if parameters else "")
        connection.request(method, url, body, {**credentials(database, reader=reader), **(headers or {})})
        response = connection.getresponse()
        code = response.headers.get("X-ClickHouse-Exception-Code")
        return Answer(response.status, int(code) if code else None, response.read(), response.headers)
    finally:
        connection.close()


def send_and_hang_up(database: EmbeddedDatabase, request: bytes) -> bytes:
    """Send `request` as it is, say that nothing more comes, and read all that is answered."""
    with socket.create_connection(("127.0.0.1", database.port), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer
