"""The collector's HTTP: who asks, how much, and the answer once Kafka has confirmed."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import time
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Final

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from schemas.keyring import MissingKeyError
from streams.collector import metrics
from streams.collector.admission import Admission, Admitter
from streams.collector.bodies import BodyError, decompress, records_of
from streams.collector.guard import Guard
from streams.collector.openapi import PATH, document
from streams.collector.outbox import Outbox, OutboxUnavailableError
from streams.collector.rate import Allowance
from streams.collector.settings import CollectorSettings
from streams.collector.tokens import Token, Tokens, TokensError
from streams.settings import SettingsError

_log = structlog.get_logger(__name__)

_UNHEARD: Final = logging.getLogger("streams.collector.malformed_requests")
"""aiohttp quotes in it what it cannot read, tokens included; the metrics of a proxy tell more."""
_UNHEARD.disabled = True
NOBODY: Final = "-"
"""The platform of a request without a valid token, in metrics."""
_WHO_ARE_YOU: Final = "a valid token is needed, as `Authorization: Bearer …`"
_BUSY_RETRY_S: Final = 1
_AWAY_RETRY_S: Final = 5
_TOKENS_INTERVAL_S: Final = 1.0
_MAX_HEADERS: Final = 64
_LINGERING_S: Final = 2.0
_SHUTDOWN_S: Final = 30.0
_BACKLOG: Final = 512
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Collector:
    """Answers platforms. See `serving`."""

    def __init__(
        self,
        settings: CollectorSettings,
        tokens: Tokens,
        admitter: Admitter,
        outbox: Outbox,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._tokens = tokens
        self._admitter = admitter
        self._outbox = outbox
        self._now = now
        self._allowance = Allowance(settings.rate_records_s, time.monotonic)
        self._waiting_bytes = 0
        self._openapi = json.dumps(document(), ensure_ascii=False).encode()

    def routes(self) -> list[web.RouteDef]:
        """What is served; everything else is not found."""
        return [web.post(PATH, self._collect), web.get("/openapi.json", self._describe)]

    def ready(self) -> str | None:
        """Why events cannot be taken at the moment; None: they can."""
        return self._outbox.trouble

    async def follow_tokens(self) -> None:
        """Read the tokens again whenever their file changes; never ends."""
        while True:
            await asyncio.sleep(_TOKENS_INTERVAL_S)
            try:
                if self._tokens.refresh():
                    _log.info("tokens_read", platforms=sorted(self._tokens.platforms))
            except TokensError as error:
                metrics.TOKENS_FAILURES.inc()
                _log.error(
                    "tokens_not_read", error=str(error), advice="the last good ones stay in force; mend the file"
                )

    async def _describe(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._openapi, content_type="application/json")

    async def _collect(self, request: web.Request) -> web.Response:
        begun = time.perf_counter()
        token = self._token_of(request)
        platform = token.platform if token else NOBODY
        response = await self._answer(request, token) if token else _problem(401, _WHO_ARE_YOU)
        metrics.REQUESTS.labels(platform, str(response.status)).inc()
        metrics.REQUEST_SECONDS.observe(time.perf_counter() - begun)
        return response

    def _token_of(self, request: web.Request) -> Token | None:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        return self._tokens.find(secret.strip(), self._now()) if scheme.lower() == "bearer" and secret else None

    async def _answer(self, request: web.Request, token: Token) -> web.Response:
        settings = self._settings
        wait_s = self._allowance.wait_s(token.platform)
        if wait_s:
            return _later(429, f"more than {settings.rate_records_s:g} records per second over time", wait_s)
        length = settings.max_body_bytes if request.content_length is None else request.content_length
        if length > settings.max_body_bytes:
            return _problem(413, f"a body has {settings.max_body_bytes} bytes at most: send smaller batches")
        if self._waiting_bytes + length > settings.max_waiting_bytes:
            return _later(503, "too much is in work", _BUSY_RETRY_S)
        with self._reserved(length):
            try:
                body = await _read(request, settings.max_body_bytes, settings.body_timeout_s)
                admission = self._admit(body, request, token)
                await self._outbox.send(admission.events)
            except BodyError as error:
                return _problem(error.status, str(error))
            except MissingKeyError as error:
                _log.error("pseudonym_key_missing", advice=str(error))
                return _later(503, "the collector cannot make pseudonyms at the moment", _AWAY_RETRY_S)
            except OutboxUnavailableError as error:
                return _later(503, f"{error}: send the same again", _AWAY_RETRY_S)
        return _result(admission, token.platform)

    def _admit(self, body: bytes, request: web.Request, token: Token) -> Admission:
        settings = self._settings
        decoded = decompress(body, request.headers.get("Content-Encoding", ""), settings.max_decoded_bytes)
        records = records_of(decoded, request.headers.get("Content-Type", ""), request.headers, settings.max_records)
        self._allowance.take(token.platform, len(records.values))
        return self._admitter.admit(records, token.scope, self._now())

    @contextmanager
    def _reserved(self, length: int) -> Iterator[None]:
        self._waiting_bytes += length
        metrics.WAITING_BYTES.set(self._waiting_bytes)
        try:
            yield
        finally:
            self._waiting_bytes -= length
            metrics.WAITING_BYTES.set(self._waiting_bytes)


async def _read(request: web.Request, max_bytes: int, timeout_s: float) -> bytes:
    """The body as it was sent; BodyError where it is too large, too slow or broken off."""
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(timeout_s):
            async for piece in request.content.iter_any():
                size += len(piece)
                if size > max_bytes:
                    raise BodyError(413, f"a body has {max_bytes} bytes at most: send smaller batches")
                pieces.append(piece)
    except TimeoutError:
        raise BodyError(408, f"the body did not come within {timeout_s:g} s") from None
    except (HttpProcessingError, web.RequestPayloadError):
        raise BodyError(400, "the body was not transferred as HTTP says") from None
    return b"".join(pieces)


def _result(admission: Admission, platform: str) -> web.Response:
    accepted, refused, ignored = len(admission.events), len(admission.refused), len(admission.ignored)
    for outcome, count in (("accepted", accepted), ("refused", refused), ("ignored", ignored)):
        metrics.RECORDS.labels(platform, outcome).inc(count)
    reasons = Counter(one.reason for one in admission.refused)
    for reason, count in reasons.items():
        metrics.REFUSED.labels(platform, reason).inc(count)
    if reasons:
        _log.info("records_refused", platform=platform, reasons=dict(reasons), accepted=accepted)
    status = 202 if not refused else 207 if accepted or ignored else 422
    told = {
        "accepted": accepted,
        "ignored": [{"index": index, "reason": why.value} for index, why in admission.ignored],
        "refused": [{"index": one.index, "reason": one.reason, "message": one.message} for one in admission.refused],
    }
    return web.json_response(told, status=status)


def _problem(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    challenge = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return web.json_response({"error": message}, status=status, headers={**challenge, **(headers or {})})


def _later(status: int, message: str, wait_s: int) -> web.Response:
    return _problem(status, f"{message}; try again in {wait_s} s", {"Retry-After": str(wait_s)})


def tls_context(settings: CollectorSettings) -> ssl.SSLContext | None:
    """TLS 1.2 or later under the certificate of the settings; None without one. SettingsError where it is unusable."""
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"ENT_COLLECTOR__TLS_CERTIFICATE and …__TLS_KEY cannot be used: {error}") from None
    return context


@asynccontextmanager
async def serving(collector: Collector, settings: CollectorSettings) -> AsyncIterator[int]:
    """Serve on the address of the settings; gives the port. On leaving, requests in work are answered first.

    SettingsError where the address or the certificate cannot be used.
    """
    context = tls_context(settings)
    app = web.Application(middlewares=[_marked])
    app.add_routes(collector.routes())
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=_UNHEARD,
        auto_decompress=False,
        max_headers=_MAX_HEADERS,
        lingering_time=_LINGERING_S,
        shutdown_timeout=_SHUTDOWN_S,
    )
    await runner.setup()
    assert runner.server is not None
    guard = app[_GUARD] = Guard(runner.server, settings.max_connections, settings.header_timeout_s)
    try:
        address = settings.host, settings.port
        server = await asyncio.get_running_loop().create_server(guard, *address, ssl=context, backlog=_BACKLOG)
    except OSError as error:
        await runner.cleanup()
        raise SettingsError(f"ENT_COLLECTOR__HOST and …__PORT: {error.strerror or error}") from None
    following = asyncio.create_task(collector.follow_tokens())
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        following.cancel()
        server.close()
        await runner.cleanup()


_GUARD: Final = web.AppKey("guard", Guard)


@web.middleware
async def _marked(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell the guard that a whole head has come, and when its request is over; tell of a defect without its message."""
    guard, transport = request.app[_GUARD], request.transport
    guard.begin(transport)
    metrics.CONNECTIONS.set(guard.connections)
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception as error:  # noqa: BLE001 (aiohttp would log its message, which may quote what was sent)
        last = traceback.extract_tb(error.__traceback__)[-1]
        _log.error("request_failed", error=type(error).__name__, file=last.filename, line=last.lineno)
        return _problem(500, "a defect of the collector: the operator finds it in the logs")
    finally:
        guard.finish(transport)
