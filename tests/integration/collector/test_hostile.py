"""Clients that mean harm: slow, many, swollen or crooked requests."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
from pathlib import Path

import pytest
from aiohttp import ClientSession
from structlog.testing import capture_logs

from schemas.keyring import MissingKeyError
from streams.collector.admission import Admitter
from tests.integration.brokers import LiveBroker
from tests.integration.collector.rig import Rig, collecting, make_topics

pytestmark = pytest.mark.parametrize("broker", ["embedded"], indirect=True)


@pytest.fixture(autouse=True)
def topics(broker: LiveBroker) -> None:
    make_topics(broker)


async def raw(port: int, *pieces: bytes, pause_s: float = 0.0, patience_s: float = 5.0) -> bytes:
    """What comes back for some bytes, to the connection's end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)
        return await asyncio.wait_for(reader.read(), patience_s)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def serves(rig: Rig) -> None:
    assert (await rig.post(b"[]"))[0] == 202


async def test_a_slow_head_is_cut_off(broker: LiveBroker, tmp_path: Path) -> None:
    """A byte of a header now and then does not hold a connection, be it the first request or a later one."""
    async with collecting(broker, tmp_path, header_timeout_s=1.0) as rig:
        drops = [b"x-drop: 1\r\n"] * 12
        assert await raw(rig.port, b"POST /v1/events HTTP/1.1\r\n", *drops, pause_s=0.1) == b""
        assert await raw(rig.port) == b""
        whole = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
        answered = await raw(rig.port, whole, b"GET /openapi.json HT", pause_s=0.3)
        assert answered.count(b"HTTP/1.1 200") == 1
        await serves(rig)


async def test_a_slow_body_is_cut_off(broker: LiveBroker, tmp_path: Path) -> None:
    """408, and what was reserved for it is given back."""
    async with collecting(broker, tmp_path, body_timeout_s=2.0, max_waiting_bytes=4096) as rig:
        head = (
            f"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {rig.secret}\r\nContent-Length: 4000\r\n\r\n"
        )
        slow = asyncio.create_task(raw(rig.port, head.encode(), b"[", patience_s=20))
        async with asyncio.timeout(20):
            while (await rig.post(b"[" + b" " * 200 + b"]"))[0] != 503:
                assert not slow.done(), "its bytes were never counted"
        assert (await slow).startswith(b"HTTP/1.1 408")
        await serves(rig)


async def test_no_more_connections_than_there_is_room_for(broker: LiveBroker, tmp_path: Path) -> None:
    """Those beyond are closed at once, and the others still serve."""
    async with collecting(broker, tmp_path, max_connections=5) as rig:
        await serves(rig)
        held = [await asyncio.open_connection("127.0.0.1", rig.port) for _ in range(4)]
        assert await raw(rig.port) == b""
        await serves(rig)
        for _, writer in held:
            writer.close()
            await writer.wait_closed()
        await asyncio.sleep(0.1)
        assert b"200 OK" in await raw(rig.port, b"GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")


async def test_a_flood_of_headers_is_refused(broker: LiveBroker, tmp_path: Path) -> None:
    """Too many, and too long ones: 400, and the rest is not read."""
    async with collecting(broker, tmp_path) as rig:
        start = b"POST /v1/events HTTP/1.1\r\nHost: x\r\n"
        many = start + b"".join(b"x-%d: 1\r\n" % number for number in range(5_000)) + b"\r\n"
        long = start + b"x: " + b"a" * 100_000 + b"\r\n\r\n"
        for flood in (many, long, b"POST /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n"):
            assert (await raw(rig.port, flood)).split(b" ")[1] == b"400"
        await serves(rig)


async def test_what_is_malformed_is_not_logged(
    broker: LiveBroker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The server would quote the line that it cannot read, be it a token."""
    async with collecting(broker, tmp_path) as rig:
        for line in (b"Authorization : Bearer canary", b"Authorization: Bearer canary\x00", b"canary"):
            answer = await raw(rig.port, b"POST /v1/events HTTP/1.1\r\nHost: x\r\n" + line + b"\r\n\r\n")
            assert answer.split(b" ")[1] == b"400"
    assert "canary" not in caplog.text


async def test_a_defect_of_ours_is_told_without_what_was_sent(
    broker: LiveBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500, the kind of error and its place; its message could quote the record."""

    def fail(*_: object) -> None:
        raise KeyError("canary")

    async with collecting(broker, tmp_path) as rig:
        monkeypatch.setattr(Admitter, "admit", fail)
        with capture_logs() as logs:
            status, answer = await rig.post(b"[]")
        monkeypatch.undo()
        await serves(rig)
    assert status == 500
    assert [(line["event"], line["error"]) for line in logs] == [("request_failed", "KeyError")]
    assert "canary" not in json.dumps([answer, logs])


async def test_without_the_key_of_the_year_nothing_is_taken(
    broker: LiveBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503, so that platforms send the same again when the operator has added it; the log says what to add."""

    def keyless(*_: object) -> None:
        raise MissingKeyError("there is no pseudonym key for the school year 2027-2028")

    async with collecting(broker, tmp_path) as rig:
        monkeypatch.setattr(Admitter, "admit", keyless)
        with capture_logs() as logs:
            status, _ = await rig.post(b"[]")
    assert status == 503
    assert "2027-2028" in logs[0]["advice"]


@pytest.mark.parametrize(
    "path",
    [
        "/../tokens.toml",
        "/..%2ftokens.toml",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/v1/events/../../etc/passwd",
        "//v1/events",
        "/v1/events/",
        "/v1/events%00",
        "/v1%2fevents",
        "/V1/EVENTS",
        "/metrics",
        "/static/../v1/events",
        "http://other.example/etc/passwd",
        "*",
    ],
)
async def test_there_is_nothing_else_to_find(broker: LiveBroker, tmp_path: Path, path: str) -> None:
    """No path leads to a file, to the metrics, or to the collector by another name."""
    async with collecting(broker, tmp_path) as rig:
        token = f"Authorization: Bearer {rig.secret}"
        for method in ("GET", "POST", "OPTIONS"):
            request = (
                f"{method} {path} HTTP/1.1\r\nHost: x\r\n{token}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            answer = await raw(rig.port, request.encode())
            assert answer.split(b" ")[1] in {b"400", b"404", b"405"}, (method, answer)
            assert rig.tokens.read_bytes() not in answer


async def test_a_smuggled_second_request_is_none(broker: LiveBroker, tmp_path: Path) -> None:
    """Two lengths, or a length and chunks: refused, as RFC 9112 (6.3) says."""
    async with collecting(broker, tmp_path) as rig:
        for both in (
            b"Content-Length: 2\r\nContent-Length: 4\r\n",
            b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        ):
            answer = await raw(rig.port, b"POST /v1/events HTTP/1.1\r\nHost: x\r\n" + both + b"\r\n[]")
            assert answer.split(b" ")[1] == b"400"


async def test_tls_of_the_settings_is_spoken(broker: LiveBroker, tmp_path: Path) -> None:
    """Under the certificate that is set, from TLS 1.2 on; plain HTTP is not answered."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    made = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert await made.wait() == 0
    trusting = ssl.create_default_context(cafile=str(certificate))
    async with collecting(broker, tmp_path, tls_certificate=certificate, tls_key=key) as rig, ClientSession() as client:
        url = f"https://localhost:{rig.port}/v1/events"
        headers = {"Authorization": f"Bearer {rig.secret}", "Content-Type": "application/json"}
        async with client.post(url, data=b"[]", headers=headers, ssl=trusting) as answer:
            assert (answer.status, json.loads(await answer.read())["accepted"]) == (202, 0)
        assert not (await raw(rig.port, b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")).startswith(b"HTTP")
        old = ssl.create_default_context(cafile=str(certificate))
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError, OSError)):
            await asyncio.open_connection("localhost", rig.port, ssl=old)
