"""Dead letters on their topic: every one of them, whole, whatever the batches."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import polars as pl
import pytest
from confluent_kafka import Consumer

from schemas.row import DEAD_LETTER_ROW
from streams import dead_letter_topic
from streams.dead_letter_topic import DeadLetterTopic
from tests.integration.brokers import LiveBroker

_PARTITIONS = 3


def letters(count: int, payload: str) -> pl.DataFrame:
    """Of five partitions, one after the other."""
    at = datetime(2026, 11, 20, 8, tzinfo=UTC)
    given = {"topic": "ent.login.v1", "incarnation": 1, "arrived_at": at, "reason": "not_json", "payload": payload}
    blank = {name: 0 if dtype.is_numeric() else "" for name, dtype in DEAD_LETTER_ROW.items()}
    rows = [blank | given | {"partition": n % 5, "offset": n} for n in range(count)]
    frame = pl.DataFrame({name: [row[name] for row in rows] for name in DEAD_LETTER_ROW}, strict=False)
    return frame.select(pl.col(name).cast(dtype) for name, dtype in DEAD_LETTER_ROW.items())


@pytest.mark.parametrize("payload", ["{}", "x" * 3_000, "x" * 400_000], ids=["small", "many batches", "over a batch"])
async def test_every_letter_arrives_once_with_its_place_as_key(
    broker: LiveBroker, name: str, payload: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letter_topic, "DEAD_LETTER", name)
    broker.create_topic(name, _PARTITIONS)
    sent = letters(3 if len(payload) > 100_000 else 500, payload)
    topic = DeadLetterTopic(broker.bootstrap, patience_s=20)
    await topic.publish(sent)
    await topic.close()
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": name, "auto.offset.reset": "earliest"})
    consumer.subscribe([name])
    found: dict[bytes | None, tuple[int | None, str]] = {}
    end_s = time.monotonic() + 20
    read = 0
    while read < len(sent) and time.monotonic() < end_s:
        message = consumer.poll(0.5)
        if message is not None and message.error() is None:
            read += 1
            found[message.key()] = (message.partition(), json.loads(message.value() or b"{}")["payload"])
    consumer.close()
    assert read == len(sent)
    assert found == {f"ent.login.v1/1/{n % 5}/{n}".encode(): (n % 5 % _PARTITIONS, payload) for n in range(len(sent))}
