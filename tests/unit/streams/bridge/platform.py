"""A stand-in for an entcore platform's list of events: windows, pages with X-HAS-MORE, and its own troubles."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

TOKEN = "Bearer a-platforms-token"


@dataclass
class Platform:
    """What the platform has stored, and how it answers."""

    page: int = 50
    documents: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[int, int]] = field(default_factory=list)
    """Start and duration of each, in milliseconds."""
    failing: int | None = None
    """The status that it answers instead."""
    nonsense: bytes | None = None

    def store(self, count: int, start_ms: int, step_ms: int = 100, user: str = "u") -> None:
        """Some events, one every `step_ms`."""
        for number in range(count):
            document = {"event-type": "LOGIN", "module": "Auth", "date": start_ms + number * step_ms}
            self.documents.append(
                {**document, "userId": f"{user}-{number}", "structures": ["str-1"], "ip": "192.0.2.1"}
            )

    async def list(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != TOKEN:
            return web.Response(status=401)
        if self.failing is not None:
            return web.Response(status=self.failing)
        if self.nonsense is not None:
            return web.Response(body=self.nonsense)
        start, duration = int(request.match_info["start"]), int(request.query["duration"])
        assert request.query["sorted"] == "true"
        wanted = request.query["event-types"].split(",")
        self.requests.append((start, duration))
        found = sorted(
            (one for one in self.documents if start <= one["date"] < start + duration and one["event-type"] in wanted),
            key=lambda one: int(one["date"]),
        )
        headers = {"X-HAS-MORE": "true"} if len(found) > self.page else {}
        return web.Response(body=json.dumps(found[: self.page]).encode(), headers=headers)


@asynccontextmanager
async def serving(platform: Platform) -> AsyncIterator[str]:
    """The platform's address."""
    app = web.Application()
    app.add_routes([web.get("/v2/event/list/events/{start}", platform.list)])
    server = TestServer(app)
    await server.start_server()
    try:
        yield str(server.make_url("/"))
    finally:
        await server.close()
