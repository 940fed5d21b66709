"""Ids that are planted in events turn up nowhere in what is written, except in the topics of those who sent them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

import pytest
from confluent_kafka import Consumer, Producer
from pydantic import SecretStr

from schemas.pseudonym import Key
from sinks.clickhouse.client import Client
from sinks.clickhouse.publisher import Publisher
from sinks.clickhouse.store import ClickHouseStore
from streams.demo.scene import Child, DemoError, Place, Scene
from streams.publication import Publication, rule_of
from streams.topics import APP_VISIT, DEAD_LETTER, LOGIN, NOTIFICATION

CANARY = "canary-7f3a9c51"
"""Part of every planted id, name and address."""
CONTROL = "0680001A"
"""A school, which may be written: the search has to find it."""


def canonical(kind: str, **data: object) -> dict[str, object]:
    """An event as it should be, with everything in it that should not be."""
    return {
        "specversion": "1.0",
        "id": f"{CANARY}-{kind}-{len(data)}-{time.monotonic_ns()}",
        "source": "urn:ent:one:villefictive",
        "type": f"fr.ent.{kind}.v1",
        "time": datetime.now(UTC).isoformat(),
        "subject": f"{CANARY}-subject",
        "data": {
            "uai": [CONTROL],
            "classes": ["CM2 A"],
            "profile": "eleve",
            "user": f"{CANARY}-user",
            "session": f"{CANARY}-session",
            "displayName": f"{CANARY} Martin",
            "ip": f"10.0.0.1 {CANARY}",
            "userAgent": f"Mozilla/5.0 {CANARY}",
            **data,
        },
    }


def entcore(**more: object) -> dict[str, object]:
    """A login as entcore's event store tells it."""
    return {
        "_id": f"{CANARY}-id",
        "event-type": "LOGIN",
        "module": "Auth",
        "date": int(time.time() * 1000),
        "userId": f"{CANARY}-user",
        "profil": "Student",
        "structures": [CONTROL],
        "ua": f"Mozilla/5.0 {CANARY}",
        "ip": CANARY,
        "login": f"{CANARY}.martin",
        **more,
    }


def records() -> Iterator[tuple[str, bytes]]:
    """Topic and value: good events of each kind, and each way to be refused."""
    app = {"app": "messagerie"}
    good = ((LOGIN, canonical("login")), (APP_VISIT, canonical("app_visit", **app)), (LOGIN, canonical("activation")))
    refused = (
        (LOGIN, canonical("login", profile=CANARY)),
        (LOGIN, canonical("login", user={"id": CANARY})),
        (LOGIN, canonical("login", uai=[CANARY])),
        (LOGIN, canonical("login", classes=f"{CANARY} is no list")),
        (LOGIN, {**canonical("login"), "time": CANARY}),
        (LOGIN, {**canonical("login"), "time": "2031-01-01T00:00:00Z"}),
        (LOGIN, {**canonical("login"), "type": CANARY}),
        (APP_VISIT, canonical("app_visit", app={"name": CANARY})),
        (NOTIFICATION, canonical("notification", app="blog", recipient_count=CANARY)),
        (LOGIN, entcore(date=CANARY)),
        (LOGIN, entcore(profil={"name": CANARY})),
        (LOGIN, {CANARY: CANARY}),
    )
    for topic, document in (*good, (NOTIFICATION, canonical("notification", **app, recipients=[CANARY])), *refused):
        yield topic, json.dumps(document).encode()
    yield LOGIN, json.dumps(entcore()).encode()
    yield LOGIN, f"{CANARY} is not JSON".encode()
    yield LOGIN, b"\xff\xfe" + CANARY.encode()
    yield LOGIN, json.dumps([CANARY]).encode()


def plant(bootstrap: str) -> int:
    """Send every record, with canaries in keys and headers too; how many those were."""
    producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
    sent = list(records())
    for topic, value in sent:
        producer.produce(topic, value, key=CANARY.encode(), headers={"ce_user": CANARY, "traceparent": CANARY})
    producer.flush(10)
    return len(sent)


def wait_until_stored(store: ClickHouseStore, planted: int) -> int:
    """Return the number of refused records when all that was planted is accounted for."""
    end_s = time.monotonic() + 60
    while sum(line.consumed for line in store.ledger()) < planted:
        assert time.monotonic() < end_s, "the worker did not take what was planted"
        time.sleep(0.2)
    return sum(line.rejected for line in store.ledger())


def read_topic(bootstrap: str, topic: str, records: int) -> bytes:
    """Keys, values and headers of the first `records` records."""
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "canaries", "auto.offset.reset": "earliest", "log_level": 0}
    )
    consumer.subscribe([topic])
    read: list[bytes] = []
    end_s = time.monotonic() + 30
    while len(read) < records and time.monotonic() < end_s:
        message = consumer.poll(0.5)
        if message is not None and message.error() is None:
            read.append(b"%r %r %r" % (message.key(), message.value(), message.headers()))
    consumer.close()
    assert len(read) >= records
    return b"\n".join(read)


def read_tables(client: Client) -> dict[str, str]:
    """Every row of every table of ours, as text; states by their bytes."""
    columns: dict[str, list[str]] = {}
    for database, table, name, kind in client.query_rows(
        "SELECT c.database, c.table, c.name, c.type FROM system.columns AS c "
        "JOIN system.tables AS t ON t.database = c.database AND t.name = c.table "
        "WHERE c.database IN ('ent', 'ent_public', 'default') AND t.engine LIKE '%MergeTree'"
    ):
        shown = f"CAST(`{name}` AS String)" if kind.startswith("AggregateFunction") else f"toString(`{name}`)"
        columns.setdefault(f"{database}.{table}", []).append(shown)
    return {
        table: "\n".join(str(row) for row in client.query_rows(f"SELECT {', '.join(shown)} FROM {table}"))
        for table, shown in columns.items()
    }


def read_files(folder: Path) -> dict[str, bytes]:
    """Logs and database files, byte by byte."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def watch(worker: Child) -> None:
    """Look after a worker for a minute; raises DemoError when it ends."""
    end_s = time.monotonic() + 60
    while time.monotonic() < end_s:
        worker.check()
        time.sleep(0.2)


@pytest.mark.timeout(180)
def test_no_planted_id_is_written_anywhere(tmp_path: Path) -> None:
    """Tables, dead letters and their topic, metrics, logs, the last words of a worker that dies at work."""
    place = Place(tmp_path)
    with Scene(place, worker_settings={"ENT_PACE__PATIENCE_S": "2", "ENT_LOG_LEVEL": "DEBUG"}) as scene:
        worker = scene.start_worker()
        planted = plant(scene.bootstrap)
        rejected = wait_until_stored(ClickHouseStore(scene.client, "ent"), planted)
        assert rejected >= 12
        rule = rule_of(Key(SecretStr("a key for the publication of canaries 0123")), 5)
        Publication(Publisher(scene.client, "ent", rule), lambda: None, lambda: datetime.now(UTC)).publish_due()
        with urlopen(f"http://127.0.0.1:{scene.metrics_port}/metrics", timeout=5) as answer:
            metrics = answer.read()
        letters = read_topic(scene.bootstrap, DEAD_LETTER, rejected)

        scene.database.kill()
        plant(scene.bootstrap)
        with pytest.raises(DemoError, match="status 70"):
            watch(worker)
        scene.database.start()
        tables = read_tables(scene.client)
        files = read_files(tmp_path)

    written = {"the dead letters' topic": letters, "metrics": metrics, **files}
    written |= {table: text.encode() for table, text in tables.items()}
    forms = [CANARY.encode(), CANARY.encode().hex().encode(), CANARY.encode().hex().upper().encode()]
    assert [place for place, text in written.items() if any(form in text for form in forms)] == []
    assert b"worker_stopped" in files["worker.log"]
    assert CONTROL.encode() in letters
    assert [table for table in ("events", "dead_letters") if CONTROL not in tables[f"ent.{table}"]] == []
