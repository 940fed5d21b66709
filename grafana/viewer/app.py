"""The page's server: the page itself, the dashboards, and what of Grafana's HTTP interface the page asks.

There is no login: it listens on loopback unless told otherwise, and anything wider belongs behind a proxy that has one.
"""

import asyncio
import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from grafana.source import EXACT_UID, SOURCE_TYPE
from grafana.viewer.answer import Query, answer
from grafana.viewer.failure import QueryError
from grafana.viewer.period import Period

log = logging.getLogger(__name__)

WEB = Path(__file__).parent / "web"
DASHBOARDS = Path(__file__).parent.parent / "generated"
EXACT: dict[str, Any] = {"uid": EXACT_UID, "name": "Chiffres exacts", "type": SOURCE_TYPE, "isDefault": True}
PUBLISHED: dict[str, Any] = {"uid": "ent-publie", "name": "Chiffres publiés", "type": SOURCE_TYPE, "isDefault": False}
"""The readings as data sources: Grafana's provisioning has the same uids and names."""

_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'self'"
)
_HASHED_NAME = re.compile(r"/assets/.+-[A-Z0-9]{8}\.\w+")
_MAX_QUERIES = 40
_LAST_ANSWERS_S = 2.0


class PageNotBuiltError(RuntimeError):
    """The page was not built; the text says how."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What `now` is: the machine's clock, or the simulated one of a demonstration."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    simulated: bool = False


class _Page:
    """The handlers, over the readings (uid of the data source to what asks it) and one set of dashboards."""

    def __init__(self, readings: Mapping[str, Query], clock: Clock, web_folder: Path, dashboards: Path) -> None:
        self._readings = readings
        self._sources = [source for source in (EXACT, PUBLISHED) if source["uid"] in readings]
        self._clock = clock
        self._index = web_folder / "index.html"
        self._dashboards = {board["uid"]: board for board in _load(dashboards)}

    async def index(self, _: web.Request) -> web.FileResponse:
        return web.FileResponse(self._index)

    async def clock(self, _: web.Request) -> web.Response:
        return _json({"now": self._clock.now().astimezone(UTC).isoformat(), "simulated": self._clock.simulated})

    async def health(self, _: web.Request) -> web.Response:
        try:
            await asyncio.gather(*(query("SELECT 1") for query in self._readings.values()))
        except QueryError as error:
            return _json({"database": "failing", "message": str(error)}, status=503)
        return _json({"database": "ok"})

    async def search(self, _: web.Request) -> web.Response:
        return _json(
            [
                {
                    "uid": uid,
                    "title": board["title"],
                    "description": board.get("description", ""),
                    "tags": board.get("tags", []),
                    "type": "dash-db",
                    "url": f"/d/{uid}",
                }
                for uid, board in self._dashboards.items()
            ]
        )

    async def dashboard(self, request: web.Request) -> web.Response:
        board = self._dashboards.get(request.match_info["uid"])
        if board is None:
            return _json({"message": "Dashboard not found"}, status=404)
        return _json({"dashboard": board, "meta": {"provisioned": True, "canEdit": False}})

    async def sources(self, _: web.Request) -> web.Response:
        return _json(self._sources)

    async def settings(self, _: web.Request) -> web.Response:
        kind = {"id": SOURCE_TYPE, "name": SOURCE_TYPE, "info": {"logos": {}}, "module": ""}
        sources = {
            source["name"]: {**source, "id": number, "access": "proxy", "jsonData": {}, "readOnly": True, "meta": kind}
            for number, source in enumerate(self._sources, 1)
        }
        return _json({"datasources": sources, "defaultDatasource": self._sources[0]["name"]})

    async def query(self, request: web.Request) -> web.Response:
        """Grafana's `POST /api/ds/query`: 400 if one of the queries failed, with the answers of all."""
        if request.content_type != "application/json":
            return _json({"message": "bad request data: the body must be application/json"}, status=415)
        try:
            body = await request.json()
            period = Period.read(body.get("from", "now-6h"), body.get("to", "now"), self._clock.now())
            queries: list[dict[str, Any]] = body["queries"]
            uids = [query["datasource"]["uid"] for query in queries]
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            return _json({"message": f"bad request data: {error}"}, status=400)
        if not 0 < len(queries) <= _MAX_QUERIES:
            return _json({"message": f"bad request data: 1 to {_MAX_QUERIES} queries, not {len(queries)}"}, status=400)
        if any(uid not in self._readings for uid in uids):
            return _json({"message": "Data source not found", "messageId": "datasource.notFound"}, status=404)
        answers = await asyncio.gather(
            *(answer(self._readings[uid], query, period) for uid, query in zip(uids, queries, strict=True))
        )
        for failed in (each["error"] for each in answers if "error" in each):
            log.warning("a dashboard's query failed: %s", failed)
        results = {str(query.get("refId") or "A"): each for query, each in zip(queries, answers, strict=True)}
        response = _json({"results": results}, status=400 if any("error" in each for each in answers) else 200)
        response.enable_compression()
        return response


def make_app(
    query: Query | None,
    *,
    published: Query | None = None,
    clock: Clock | None = None,
    web_folder: Path = WEB,
    dashboards: Path = DASHBOARDS,
    hosts: frozenset[str] | None = None,
) -> web.Application:
    """The server as an application, over the exact figures (`query`), the published ones, or both.

    `hosts`: names under which it may be asked, None for any. Raises `PageNotBuiltError` if the page was not built, and
    ValueError without any figures.
    """
    offered = {EXACT["uid"]: query, PUBLISHED["uid"]: published}
    readings = {uid: reading for uid, reading in offered.items() if reading is not None}
    if not readings:
        raise ValueError("a page needs figures to read: the exact ones, the published ones, or both")
    if not (web_folder / "index.html").is_file():
        raise PageNotBuiltError(f"the page is not in {web_folder}: run `make page`")
    page = _Page(readings, clock or Clock(), web_folder, dashboards)
    app = web.Application(middlewares=[_guard(hosts)], client_max_size=1 << 20)
    app.add_routes(
        [
            web.get("/", page.index),
            web.get("/d/{uid}", page.index),
            web.get("/d/{uid}/{slug}", page.index),
            web.get("/healthz", page.health),
            web.get("/api/health", page.health),
            web.get("/api/clock", page.clock),
            web.get("/api/search", page.search),
            web.get("/api/datasources", page.sources),
            web.get("/api/frontend/settings", page.settings),
            web.get("/api/dashboards/uid/{uid}", page.dashboard),
            web.post("/api/ds/query", page.query),
            web.static("/assets", web_folder / "assets"),
            web.static("/public", web_folder / "public"),
        ]
    )
    return app


async def serve(
    query: Query | None,
    *,
    published: Query | None = None,
    clock: Clock | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    web_folder: Path = WEB,
    dashboards: Path = DASHBOARDS,
) -> tuple[web.AppRunner, str]:
    """Start the server; `port` 0 takes a free one. Returns what stops it (`await runner.cleanup()`) and its address."""
    hosts = frozenset({"localhost", "127.0.0.1", "[::1]"}) if _is_loopback(host) else None
    runner = web.AppRunner(
        make_app(query, published=published, clock=clock, hosts=hosts, web_folder=web_folder, dashboards=dashboards),
        access_log=None,
        shutdown_timeout=_LAST_ANSWERS_S,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError:
        await runner.cleanup()
        raise
    bound: int = runner.addresses[0][1]
    return runner, f"http://{f'[{host}]' if ':' in host else host}:{bound}"


def _guard(hosts: frozenset[str] | None) -> Middleware:
    """Sets the headers of every answer; refuses other names for this machine (DNS rebinding) where `hosts` says so."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        name = re.sub(r":\d+$", "", request.host)
        if hosts is not None and name not in hosts:
            return _json({"message": f"this server answers as {', '.join(sorted(hosts))}, not as {name}"}, status=421)
        response = await handler(request)
        response.headers.update(
            {
                "Content-Security-Policy": _POLICY,
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "same-origin",
                "Cache-Control": _caching(request.path),
            }
        )
        return response

    return guard


def _caching(path: str) -> str:
    if _HASHED_NAME.fullmatch(path):
        return "public, max-age=31536000, immutable"
    return "no-store" if path.startswith("/api/") else "no-cache"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _load(folder: Path) -> list[dict[str, Any]]:
    boards = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    return sorted(boards, key=lambda board: str(board["title"]))


def _json(content: object, status: int = 200) -> web.Response:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return web.Response(text=text, content_type="application/json", status=status)
