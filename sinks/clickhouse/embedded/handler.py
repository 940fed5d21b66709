"""ClickHouse's HTTP interface over an engine: one connection, its requests one after the other."""

import hmac
import io
import json
import logging
import re
import socket
import time
import uuid
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar
from urllib.parse import urlsplit

from pydantic import SecretStr

from sinks.clickhouse.embedded.bodies import compress, read_body, read_pieces
from sinks.clickhouse.embedded.engine import Engine, Result
from sinks.clickhouse.embedded.gate import admit, settings_for_reader
from sinks.clickhouse.embedded.native import HELLO, hello_block
from sinks.clickhouse.embedded.refusal import Refusal, bad_request, read_only, several_statements
from sinks.clickhouse.embedded.request import Request, read_request, url_parameters
from sinks.clickhouse.sql import names_local_file

log = logging.getLogger(__name__)

DISPLAY_NAME = "ent embedded"
_JSON = "application/json; charset=UTF-8"
_CONTENT_TYPES = {
    "JSON": _JSON,
    "JSONCompact": _JSON,
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "Native": "application/octet-stream",
    "RowBinary": "application/octet-stream",
    "Arrow": "application/vnd.apache.arrow.file",
    "ArrowStream": "application/vnd.apache.arrow.stream",
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
}
_PLAIN = "text/plain; charset=UTF-8"
_UNFIT_FOR_HEADERS = re.compile(r"[^\x20-\x7e]")


@dataclass(frozen=True, slots=True)
class User:
    """Who may ask, and what. `databases` None: all of them, and everything that changes them."""

    name: str
    password: SecretStr
    databases: frozenset[str] | None = None
    limits: Mapping[str, int] | None = None
    """Settings that a reader can only lower, e.g. {"max_execution_time": 30}."""

    @property
    def reads_only(self) -> bool:
        return self.databases is not None


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """What one connection may cost."""

    idle_s: float = 300.0
    """Between two requests of a connection whose credentials were right."""
    unknown_idle_s: float = 10.0
    """The same before that."""
    request_s: float = 60.0
    """From the first byte of a request to its last."""
    answer_s: float = 60.0
    """For the client to take an answer."""
    max_body_bytes: int = 256 * 1024 * 1024
    """After decompression."""
    max_reader_body_bytes: int = 1024 * 1024


class Handler(BaseHTTPRequestHandler):
    """One connection. `engine`, `users` and `limits` are set on a subclass by `server.serve`."""

    engine: ClassVar[Engine]
    users: ClassVar[Mapping[str, User]]
    limits: ClassVar[RequestLimits]

    protocol_version = "HTTP/1.1"
    server_version = "ClickHouse"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024

    def setup(self) -> None:
        super().setup()
        self._known = False
        self.rfile.close()
        self._incoming = _Incoming(self.connection)
        self._stream = io.BufferedReader(self._incoming, 64 * 1024)
        self.rfile = self._stream

    def handle_one_request(self) -> None:
        """Wait for a request, then give it its time: a client that drips bytes is dropped."""
        try:
            self._incoming.allow(self.limits.idle_s if self._known else self.limits.unknown_idle_s)
            if not self._stream.peek(1):
                self.close_connection = True
                return
            self._incoming.allow(self.limits.request_s)
            super().handle_one_request()
        except (TimeoutError, ConnectionError):
            self.close_connection = True

    def do_GET(self) -> None:
        self._answer(changing=False)

    def do_HEAD(self) -> None:
        self._answer(changing=False)

    def do_POST(self) -> None:
        self._answer(changing=True)

    def handle_expect_100(self) -> bool:
        """Tell a client that waits for it to send its body, now and not with the answer."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name is the base class's)
        """Requests are not logged: a statement may hold what must not be kept."""

    def _answer(self, *, changing: bool) -> None:
        url = urlsplit(self.path)
        self._body_read = False
        try:
            if url.path in ("/ping", "/replicas_status"):
                self._drop_body()
                return self._reply(b"Ok.\n", _PLAIN, {})
            if url.path != "/":
                raise bad_request(f"there is nothing at {url.path}: statements go to /")
            parameters = url_parameters(url.query)
            user = self._user(parameters)
            self._known = True
            max_bytes = self.limits.max_reader_body_bytes if user.reads_only else self.limits.max_body_bytes
            body = self._read_body(max_bytes)
            if not body and "query" not in parameters:
                return self._reply(b"Ok.\n", _PLAIN, {})
            request = read_request(parameters, self.headers, body, changing=changing)
            started = time.monotonic()
            result = self._run(request, user)
            self._reply_result(request, result, time.monotonic() - started)
        except Refusal as refusal:
            self._reply_refusal(refusal)

    def _read_body(self, max_bytes: int) -> bytes:
        self._body_read = True
        try:
            return read_body(self._stream, self.headers, max_bytes)
        except Refusal:
            self.close_connection = True  # where the next request would begin is not known
            raise

    def _drop_body(self) -> None:
        """Take what the client is still sending, so that it comes to read the answer."""
        if self._body_read:
            return
        try:
            for _ in read_pieces(self._stream, self.headers):
                pass
        except Refusal:
            self.close_connection = True

    def _user(self, parameters: Mapping[str, str]) -> User:
        """Whoever the credentials belong to. Raises `Refusal` 516 with the body unread."""
        name = self.headers.get("X-ClickHouse-User") or parameters.get("user") or "default"
        password = self.headers.get("X-ClickHouse-Key") or parameters.get("password") or ""
        scheme, _, credentials = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                name, _, password = b64decode(credentials, validate=True).decode().partition(":")
            except (Base64Error, UnicodeDecodeError):
                name, password = "", ""
        user = self.users.get(name)
        expected = user.password.get_secret_value() if user else ""
        if not hmac.compare_digest(password.encode(), expected.encode()) or user is None:
            raise Refusal(
                516,
                "AUTHENTICATION_FAILED",
                f"{name}: Authentication failed: password is incorrect, or there is no user with such name.",
            )
        return user

    def _run(self, request: Request, user: User) -> Result:
        engine = self.engine
        if names_local_file(request.sql):
            raise Refusal(
                358, "INTO_OUTFILE_NOT_ALLOWED", "INTO OUTFILE and FROM INFILE are for clients, not for servers"
            )
        if HELLO.fullmatch(request.sql) and request.output_format == "Native":
            return Result(hello_block(DISPLAY_NAME, engine.version, engine.timezone, request.client_revision))
        reads_only = request.read_only or user.reads_only
        settings = settings_for_reader(request.settings, user.limits or {}) if reads_only else request.settings
        database = request.database
        if database is None and user.databases is not None:
            database = min(user.databases)
        with engine.session(database, settings, reading=reads_only) as session:
            if reads_only:
                if request.insert is not None:
                    raise read_only("Cannot execute query in readonly mode.")
                admit(session, request.sql, database or "default", user.databases)
            if request.insert is not None:
                return session.insert(request.insert, request.parameters)
            _, count = session.classify(request.sql)
            if count > 1:
                raise several_statements()
            result = session.query(request.sql, request.output_format, request.parameters)
            if count == 0:  # what does not parse was refused by the engine; it takes nothing at all for a success
                raise Refusal(62, "SYNTAX_ERROR", "Empty query")
            return result

    def _reply_result(self, request: Request, result: Result, elapsed_s: float) -> None:
        summary = {
            "read_rows": str(result.read_rows),
            "read_bytes": str(result.read_bytes),
            "written_rows": str(result.written_rows),
            "written_bytes": str(result.written_bytes),
            "total_rows_to_read": "0",
            "result_rows": "0",
            "result_bytes": str(len(result.body)),
            "elapsed_ns": str(int(elapsed_s * 1e9)),
        }
        extra = {
            "X-ClickHouse-Summary": json.dumps(summary),
            "X-ClickHouse-Query-Id": request.query_id or str(uuid.uuid4()),
        }
        if request.insert is None:
            extra["X-ClickHouse-Format"] = request.output_format
        body = result.body
        if body and request.compressed:
            body, encoding = compress(body, self.headers.get("Accept-Encoding", ""))
            if encoding:
                extra["Content-Encoding"] = encoding
        self._reply(body, _CONTENT_TYPES.get(request.output_format, _PLAIN), extra)

    def _reply_refusal(self, refusal: Refusal) -> None:
        log.debug("refused: code %d (%s)", refusal.code, refusal.name)
        self._drop_body()
        body = refusal.text(self.engine.version).encode()
        self._reply(body, _PLAIN, {"X-ClickHouse-Exception-Code": str(refusal.code)}, refusal.status)

    def _reply(self, body: bytes, content_type: str, extra: Mapping[str, str], status: int = 200) -> None:
        self.connection.settimeout(self.limits.answer_s)
        self.send_response(status)
        headers = {
            "Content-Type": content_type,
            "Content-Length": str(len(body)),
            "X-ClickHouse-Server-Display-Name": DISPLAY_NAME,
            "X-ClickHouse-Timezone": self.engine.timezone,
            **({"Connection": "close"} if self.close_connection else {}),
            **extra,
        }
        for name, value in headers.items():
            self.send_header(name, _UNFIT_FOR_HEADERS.sub("?", value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()


class _Incoming(io.RawIOBase):
    """A socket's bytes until a deadline, however slowly they drip."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._deadline = 0.0

    def allow(self, seconds: float) -> None:
        """Set the deadline anew."""
        self._deadline = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request took too long")
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)
