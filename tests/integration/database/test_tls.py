"""HTTPS to the database by settings: through a proxy of the test that speaks TLS before the embedded engine."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from sinks.clickhouse.client import DatabaseSettings, connect
from sinks.clickhouse.embedded.process import EmbeddedDatabase
from sinks.clickhouse.errors import DatabaseFailure
from tests.certificates import Authority, make_authority
from tests.database import settings_of


def _pipe(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            sink.sendall(data)
    except OSError:
        pass  # the other side has gone, which ends both ways
    finally:
        for each in (source, sink):
            each.close()


def _serve(listening: socket.socket, context: ssl.SSLContext, port: int) -> None:
    while True:
        try:
            plain, _ = listening.accept()
        except OSError:
            return
        try:
            client = context.wrap_socket(plain, server_side=True)
        except OSError:
            continue
        server = socket.create_connection(("127.0.0.1", port))
        for pair in ((client, server), (server, client)):
            threading.Thread(target=_pipe, args=pair, daemon=True).start()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path)


@pytest.fixture
def secured(database: EmbeddedDatabase, authority: Authority) -> Iterator[DatabaseSettings]:
    """How to reach the database through TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate, authority.key)
    with socket.create_server(("0.0.0.0", 0)) as listening:
        threading.Thread(target=_serve, args=(listening, context, database.port), daemon=True).start()
        yield settings_of(database).model_copy(
            update={"port": listening.getsockname()[1], "secure": True, "ca_file": authority.ca}
        )


def test_statements_and_inserts_go_through_tls(secured: DatabaseSettings) -> None:
    client = connect(secured)
    client.command("CREATE TABLE IF NOT EXISTS default.tls (n UInt8) ENGINE = Memory")
    client.insert_arrow("default.tls", pa.table({"n": pa.array([1, 2], pa.uint8())}))
    assert client.query_rows("SELECT sum(n) FROM default.tls") == [(3,)]
    client.close()


def test_a_server_that_somebody_else_signed_is_not_spoken_to(secured: DatabaseSettings, tmp_path: Path) -> None:
    other = make_authority(tmp_path / "other", "other")
    with pytest.raises(DatabaseFailure):
        connect(secured.model_copy(update={"ca_file": other.ca})).query_rows("SELECT 1")


def test_a_server_of_another_name_is_not_spoken_to(secured: DatabaseSettings) -> None:
    """The certificate is for 127.0.0.1, and this is another address of the same machine."""
    with pytest.raises(DatabaseFailure):
        connect(secured.model_copy(update={"host": "127.0.0.2"})).query_rows("SELECT 1")
