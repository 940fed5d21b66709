"""A collector in this process, on a broker of the tests, and what it put on Kafka."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, TCPConnector
from kafka import KafkaConsumer, TopicPartition

from schemas.formats import FORMATS
from schemas.pseudonym import Key, Pseudonyms
from streams.collector.admission import Admitter
from streams.collector.outbox import Outbox
from streams.collector.service import Collector, serving
from streams.collector.settings import CollectorSettings
from streams.collector.tokens import Tokens, make_token
from streams.pipeline import Limits
from streams.topics import EVENT_TOPICS
from tests.integration.brokers import LiveBroker

KEY = Key(bytes(range(32)))
ADMITTER = Admitter(Pseudonyms(KEY), Key(bytes(range(1, 33))), FORMATS, Limits())
PARTITIONS = 2


@dataclass
class Rig:
    """A collector, a session that has a token, and the file of tokens."""

    port: int
    session: ClientSession
    secret: str
    tokens: Path
    collector: Collector

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/events"

    async def post(self, body: bytes, kind: str = "application/json", **headers: str) -> tuple[int, Any]:
        """Status and document of the answer."""
        told = {"Content-Type": kind, "Authorization": f"Bearer {self.secret}"}
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.post(self.url, data=body, headers=told) as answer:
            return answer.status, json.loads(await answer.read())


@asynccontextmanager
async def collecting(
    broker: LiveBroker, folder: Path, schools: list[str] | None = None, **settings: Any
) -> AsyncIterator[Rig]:
    """A running collector; its topics must be there."""
    made = make_token("one", schools or ["*"], None)
    file = folder / "tokens.toml"
    file.write_text(made.entry)
    told = CollectorSettings(port=0, tokens_file=file, **settings)
    async with Outbox(broker.bootstrap, told.kafka_timeout_s) as outbox:
        collector = Collector(told, Tokens(file), ADMITTER, outbox)
        async with serving(collector, told) as port, ClientSession(connector=TCPConnector(limit=0)) as session:
            yield Rig(port, session, made.secret, file, collector)


def make_topics(broker: LiveBroker) -> None:
    """The event topics, unless an earlier test made them."""
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap.split(","), api_version=broker.api_version)
    try:
        present = consumer.topics()
    finally:
        consumer.close()
    for topic in EVENT_TOPICS:
        if topic not in present:
            broker.create_topic(topic, PARTITIONS)


def stored(broker: LiveBroker) -> dict[str, list[bytes]]:
    """The values on every event topic."""
    consumer = KafkaConsumer(
        bootstrap_servers=broker.bootstrap.split(","), api_version=broker.api_version, enable_auto_commit=False
    )
    found: dict[str, list[bytes]] = {topic: [] for topic in EVENT_TOPICS}
    try:
        places = [TopicPartition(topic, number) for topic in EVENT_TOPICS for number in range(PARTITIONS)]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ends = consumer.end_offsets(places)
        while any(consumer.position(place) < ends[place] for place in places):
            for place, records in consumer.poll(timeout_ms=200, max_records=20_000).items():
                found[place.topic] += [record.value for record in records]
    finally:
        consumer.close()
    return found
