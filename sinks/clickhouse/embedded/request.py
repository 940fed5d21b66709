"""What one request of ClickHouse's HTTP interface asks for: statement, data, parameters, settings, format, database."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qsl

from sinks.clickhouse.embedded.engine import Insert
from sinks.clickhouse.embedded.refusal import Refusal, bad_request
from sinks.clickhouse.sql import UnfinishedSql, insert_head

_OF_THE_INTERFACE = frozenset(
    {
        "add_http_cors_header", "buffer_size", "cancel_http_readonly_queries_on_client_close",
        "client_protocol_version", "compress", "database", "decompress", "default_format", "enable_http_compression",
        "http_headers_progress_interval_ms", "http_response_buffer_size", "http_zlib_compression_level", "log_comment",
        "password", "query", "query_id", "quota_key", "readonly", "role", "send_progress_in_http_headers",
        "session_check", "session_id", "session_timeout", "stacktrace", "user", "wait_end_of_query",
    }
)  # fmt: skip
"""URL parameters that are not settings of the session. What is not built here (roles, progress) asks for nothing."""

_NOT_SERVED = {
    "compress": "compressed blocks (compress=1) are not written here: set enable_http_compression=1",
    "decompress": "compressed blocks (decompress=1) are not read here: send a Content-Encoding",
    "session_id": "sessions are not kept here: leave session_id out",
}
_FORMAT_CLAUSE = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
_MAX_PARAMETERS = 1000


@dataclass(frozen=True, slots=True)
class Request:
    """One statement with all that came with it."""

    sql: str
    insert: Insert | None
    output_format: str
    database: str | None
    query_id: str | None
    read_only: bool
    compressed: bool
    client_revision: int
    settings: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)


def url_parameters(query: str) -> dict[str, str]:
    """The parameters of a URL; the last of a name wins. Raises `Refusal` for too many."""
    try:
        return dict(parse_qsl(query, keep_blank_values=True, max_num_fields=_MAX_PARAMETERS))
    except ValueError as error:
        raise bad_request(f"the URL's parameters cannot be read: {error}") from error


def read_request(parameters: Mapping[str, str], headers: Message, body: bytes, *, changing: bool) -> Request:
    """Put a request together from its URL, headers and body.

    `changing` says whether the method may change something (POST). Raises `Refusal` for what is not served here.
    """
    content_type = headers.get("Content-Type", "")
    if content_type.startswith("multipart/form-data"):
        parameters = {**parameters, **_form(content_type, body)}
        body = b""
    for name, reason in _NOT_SERVED.items():
        if parameters.get(name, "0") not in ("", "0"):
            raise Refusal(48, "NOT_IMPLEMENTED", reason)
    query = parameters.get("query", "").encode()
    insert = _insert(query, body)
    sql = insert.target if insert else _text(query + (b"\n" if query and body else b"") + body)
    default_format = parameters.get("default_format") or headers.get("X-ClickHouse-Format") or "TabSeparated"
    clause = _FORMAT_CLAUSE.search(sql) if insert is None else None
    return Request(
        sql=sql,
        insert=insert,
        output_format=clause.group(1) if clause else default_format,
        database=parameters.get("database") or headers.get("X-ClickHouse-Database"),
        query_id=parameters.get("query_id"),
        read_only=not changing or parameters.get("readonly", "0") not in ("", "0"),
        compressed=parameters.get("enable_http_compression", "0") == "1",
        client_revision=_number(parameters.get("client_protocol_version", "0")),
        settings={k: v for k, v in parameters.items() if k not in _OF_THE_INTERFACE and not k.startswith("param_")},
        parameters={k.removeprefix("param_"): v for k, v in parameters.items() if k.startswith("param_")},
    )


def _insert(query: bytes, body: bytes) -> Insert | None:
    """The INSERT of a request whose data follows its text, in the body or after the statement."""
    try:
        head = insert_head(query or body)
    except UnfinishedSql:
        return None
    if head is None:
        return None
    data = (query[head.data_start :] + body) if query else body[head.data_start :]
    return Insert(head.target, head.settings, head.format, data)


def _form(content_type: str, body: bytes) -> dict[str, str]:
    """The fields of a multipart form."""
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    fields: dict[str, str] = {}
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        if part.get_filename() is not None:
            raise Refusal(48, "NOT_IMPLEMENTED", "external tables are not read here")
        if isinstance(name, str):
            payload = part.get_payload(decode=True)
            fields[name] = _text(payload if isinstance(payload, bytes) else b"")
    return fields


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise bad_request(f"the statement is not UTF-8: {error.reason} at byte {error.start}") from error


def _number(value: str) -> int:
    return int(value) if value.isascii() and value.isdigit() else 0
