"""The page's server: what it answers, what it refuses, and its headers."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from grafana.dashboards.inspection import boards_in
from grafana.viewer.app import Clock, PageNotBuiltError, make_app, serve
from grafana.viewer.failure import QueryError
from grafana.viewer.frames import Table

Browser = TestClient[web.Request, web.Application]
Query = Callable[[str], Awaitable[Table]]
NOON = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)


async def one(_: str) -> Table:
    return Table(["n"], ["UInt64"], [[1]])


async def broken(_: str) -> Table:
    raise QueryError("error querying the database: Code: 60. DB::Exception: no (UNKNOWN_TABLE)")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A page as the bundler leaves it."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "public").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "assets" / "main-ABCD1234.js").write_text("1;")
    return tmp_path


@asynccontextmanager
async def browser(built: Path, query: Query | None = one, **options: Any) -> AsyncIterator[Browser]:
    app = make_app(query, web_folder=built, **options)
    async with TestClient(TestServer(app)) as client:
        yield client


def question(sql: str = "SELECT 1", ref_id: str = "A", uid: str = "ent-clickhouse") -> dict[str, Any]:
    return {"refId": ref_id, "datasource": {"uid": uid}, "rawSql": sql, "format": 1}


async def ask(client: Browser, *questions: dict[str, Any], **body: Any) -> tuple[int, Any]:
    response = await client.post("/api/ds/query", json={"from": "now-6h", "to": "now", "queries": questions, **body})
    return response.status, await response.json()


async def test_the_page_is_served_at_its_addresses_and_never_kept(built: Path) -> None:
    async with browser(built) as client:
        for path in ("/", "/d/ent-accueil", "/d/ent-accueil/accueil"):
            response = await client.get(path)
            assert response.status == 200
            assert response.headers["Cache-Control"] == "no-cache"


async def test_hashed_files_are_kept_for_ever_and_answers_never(built: Path) -> None:
    async with browser(built) as client:
        assert "immutable" in (await client.get("/assets/main-ABCD1234.js")).headers["Cache-Control"]
        assert (await client.get("/api/search")).headers["Cache-Control"] == "no-store"


async def test_nothing_from_elsewhere_may_be_loaded(built: Path) -> None:
    async with browser(built) as client:
        policy = (await client.get("/")).headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy
    assert "unsafe-eval" not in policy


async def test_dashboards_are_listed_in_the_order_of_their_titles(built: Path) -> None:
    async with browser(built) as client:
        found = await (await client.get("/api/search")).json()
        assert [entry["title"] for entry in found] == sorted(board["title"] for board in boards_in())
        assert found[0]["title"].startswith("0 ")
        board = await (await client.get(found[0]["url"].replace("/d/", "/api/dashboards/uid/"))).json()
        assert board["dashboard"]["uid"] == "ent-accueil"
        assert (await client.get("/api/dashboards/uid/none")).status == 404


@pytest.mark.parametrize("simulated", [False, True])
async def test_the_clock_says_its_time_and_whether_it_is_simulated(built: Path, simulated: bool) -> None:
    async with browser(built, clock=Clock(lambda: NOON, simulated)) as client:
        said = await (await client.get("/api/clock")).json()
    assert said == {"now": "2026-11-20T11:00:00+00:00", "simulated": simulated}


async def test_relative_periods_end_at_the_clock(built: Path) -> None:
    async with browser(built, clock=Clock(lambda: NOON, simulated=True)) as client:
        _, answered = await ask(client, question("SELECT $__toTime"))
    sql = answered["results"]["A"]["frames"][0]["schema"]["meta"]["executedQueryString"]
    assert sql == f"SELECT toDateTime({int(NOON.timestamp())})"


async def test_queries_of_one_request_are_answered_by_their_names(built: Path) -> None:
    async with browser(built) as client:
        status, answered = await ask(client, question(ref_id="A"), question(ref_id="B"))
    assert status == 200
    assert set(answered["results"]) == {"A", "B"}


async def test_a_failed_query_is_told_and_the_status_says_so(built: Path) -> None:
    async with browser(built, broken) as client:
        status, answered = await ask(client, question())
    assert status == 400
    assert "UNKNOWN_TABLE" in answered["results"]["A"]["error"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"queries": []}, 400),
        ({"queries": [{}] * 2}, 400),
        ({"from": "yesterday"}, 400),
        ({"from": "-" + "9" * 14}, 400),
        ({"queries": 5}, 400),
        ({"queries": [{"datasource": {"uid": "ent-clickhouse"}}] * 41}, 400),
        ({"queries": [{"datasource": {"uid": "other"}}]}, 404),
    ],
)
async def test_a_request_that_cannot_be_read_is_refused(built: Path, body: dict[str, Any], status: int) -> None:
    async with browser(built) as client:
        asked = {"from": "now-6h", "to": "now", "queries": [question()], **body}
        response = await client.post("/api/ds/query", json=asked)
        assert response.status == status
        assert (await response.json())["message"]


@pytest.mark.parametrize(("content_type", "status"), [("text/plain", 415), ("application/json", 400)])
async def test_a_body_that_another_site_could_send_is_refused(built: Path, content_type: str, status: int) -> None:
    """A page of another origin can send plain text unasked, and JSON only with our leave."""
    async with browser(built) as client:
        response = await client.post("/api/ds/query", data="[]", headers={"Content-Type": content_type})
        assert response.status == status


async def test_a_name_that_is_not_ours_is_refused(built: Path) -> None:
    async with browser(built, hosts=frozenset({"localhost"})) as client:
        assert (await client.get("/", headers={"Host": "evil.example:80"})).status == 421
        assert (await client.get("/", headers={"Host": "localhost:8080"})).status == 200


async def test_each_reading_is_a_data_source_and_is_asked_by_its_uid(built: Path) -> None:
    async def published(_: str) -> Table:
        return Table(["n"], ["UInt64"], [[5]])

    async with browser(built, published=published) as client:
        names = [source["name"] for source in await (await client.get("/api/datasources")).json()]
        assert names == ["Chiffres exacts", "Chiffres publiés"]
        _, answered = await ask(client, question(ref_id="A"), question(ref_id="B", uid="ent-publie"))
        results = answered["results"]
        assert [results[ref]["frames"][0]["data"]["values"] for ref in "AB"] == [[[1]], [[5]]]


async def test_a_page_of_published_figures_alone_does_not_answer_for_the_exact_ones(built: Path) -> None:
    async with browser(built, None, published=one) as client:
        assert [source["uid"] for source in await (await client.get("/api/datasources")).json()] == ["ent-publie"]
        assert (await ask(client, question()))[0] == 404


async def test_health_is_the_database(built: Path) -> None:
    async with browser(built) as client:
        assert (await client.get("/healthz")).status == 200
    async with browser(built, broken) as client:
        response = await client.get("/healthz")
        assert response.status == 503
        assert "UNKNOWN_TABLE" in (await response.json())["message"]


async def test_answers_are_compressed(built: Path) -> None:
    async def long(_: str) -> Table:
        return Table(["n"], ["UInt64"], [list(range(5000))])

    async with browser(built, long) as client:
        response = await client.post(
            "/api/ds/query",
            data=json.dumps({"queries": [question()]}),
            headers={"Content-Type": "application/json", "Accept-Encoding": "gzip"},
        )
        assert response.headers["Content-Encoding"] == "gzip"


def test_a_page_that_was_not_built_is_told(tmp_path: Path) -> None:
    with pytest.raises(PageNotBuiltError, match="make page"):
        make_app(one, web_folder=tmp_path)


async def test_the_server_listens_on_loopback_and_leaves_the_port(built: Path) -> None:
    runner, address = await serve(one, web_folder=built)
    assert address.startswith("http://127.0.0.1:")
    async with aiohttp.ClientSession() as session:
        assert (await session.get(f"{address}/healthz")).status == 200
        await runner.cleanup()
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(f"{address}/healthz")
