"""Nothing that was confirmed is lost, whoever is killed."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import ClientError, ClientSession, ClientTimeout

from streams.brokers.jvm import free_ports
from streams.collector.tokens import make_token
from tests.integration.brokers import LiveBroker
from tests.integration.collector.rig import make_topics, stored
from tests.integration.conftest import real_kafka_only

SENDERS = 3
BATCH = 40


class Senders:
    """Clients that send each batch again and again until it is confirmed."""

    def __init__(self, url: str, secret: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        self.confirmed: set[str] = set()
        self.failures = 0
        self.stopping = False

    async def run(self) -> None:
        async with ClientSession(timeout=ClientTimeout(total=8)) as session:
            while not self.stopping:
                batch = [_login() for _ in range(BATCH)]
                while not await self._confirmed(session, batch) and not self.stopping:
                    self.failures += 1
                    await asyncio.sleep(0.05)

    async def _confirmed(self, session: ClientSession, batch: list[dict[str, object]]) -> bool:
        try:
            async with session.post(self._url, json=batch, headers=self._headers) as answer:
                if answer.status != 202:
                    return False
                assert (await answer.json())["accepted"] == BATCH
        except (ClientError, TimeoutError, OSError):
            return False
        self.confirmed.update(str(event["id"]) for event in batch)
        return True

    async def reach(self, more: int) -> None:
        """Return when so many further events are confirmed."""
        wanted = len(self.confirmed) + more
        async with asyncio.timeout(90):
            while len(self.confirmed) < wanted:
                await asyncio.sleep(0.02)


def _login() -> dict[str, object]:
    data = {"uai": ["0689901T"], "profile": "eleve", "user": uuid4().hex}
    event = {"specversion": "1.0", "id": uuid4().hex, "source": "urn:x", "type": "fr.ent.login.v1"}
    return {**event, "time": datetime.now(UTC).isoformat(), "data": data}


@asynccontextmanager
async def _collector(environment: dict[str, str], url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`ent collect` as operators start it, killed on leaving."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "streams", "collect"), env=environment, stderr=subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(90), ClientSession() as session:
            while True:
                try:
                    async with session.post(url) as answer:
                        assert answer.status == 401
                        break
                except ClientError:
                    assert process.returncode is None
                    await asyncio.sleep(0.05)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@real_kafka_only
@pytest.mark.timeout(300)
async def test_nothing_confirmed_is_lost(broker: LiveBroker, tmp_path: Path) -> None:
    """kill -9 of the collector in the midst of requests, kill -9 of Kafka, and a stop in order: all is there."""
    make_topics(broker)
    made = make_token("one", ["*"], None)
    (tmp_path / "tokens.toml").write_text(made.entry)
    (port,) = free_ports(1)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ENT_")},
        "ENT_KAFKA__BOOTSTRAP": broker.bootstrap,
        "ENT_PSEUDONYM_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEF",
        "ENT_EVENT_ID_KEY": "ABCDEFghijklmnopqrstuvwxyz0123456789abcdef",
        "ENT_COLLECTOR__TOKENS_FILE": str(tmp_path / "tokens.toml"),
        "ENT_COLLECTOR__PORT": str(port),
        "ENT_COLLECTOR__KAFKA_TIMEOUT_S": "3",
        "ENT_METRICS_PORT": "0",
    }
    url = f"http://127.0.0.1:{port}/v1/events"
    senders = Senders(url, made.secret)
    async with _collector(environment, url):
        running = [asyncio.create_task(senders.run()) for _ in range(SENDERS)]
        await senders.reach(1_000)
    assert not any(task.done() for task in running)
    async with _collector(environment, url) as process:
        await senders.reach(500)
        with broker.outage():
            await asyncio.sleep(1)
        await senders.reach(500)
        process.terminate()
        assert await process.wait() == 0
    senders.stopping = True
    await asyncio.gather(*running)
    assert senders.failures, "nobody was interrupted, so nothing was proved"
    there = {json.loads(value)["id"] for value in await asyncio.to_thread(lambda: stored(broker)["ent.login.v1"])}
    assert senders.confirmed <= there
