"""One stage of our path alone. BENCH_MODE: fetch (our transport, batches thrown away), decode, enrich (and group),
serialise, insert (into the database, its own work left out).
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
from confluent_kafka import Consumer

from schemas.formats import decode
from schemas.pseudonym import Key, Pseudonyms
from sinks.base import Shipment
from sinks.clickhouse.arrow import to_arrow
from sinks.clickhouse.client import DatabaseSettings, connect
from streams.batch import Batch
from streams.directory.folder import read_directory_folder
from streams.enrichment import enrich
from streams.pipeline import Keys, Limits, process
from streams.transport import BatchApp, TransportSettings

TOPIC = os.environ["BENCH_TOPIC"]
RECORDS = int(os.environ["BENCH_RECORDS"])
MODE = os.environ["BENCH_MODE"]
_LOAD = 10_000
_SAMPLE = 200_000


def tell(records: int, spent_cpu_s: float) -> None:
    """Print the result: what was done before the stage counts as start-up."""
    start = time.process_time() - spent_cpu_s
    result = {"seen": records, "valid": None, "digest": None, "inserted": None, "start_cpu_s": start}
    os.write(1, f"\nRESULT {json.dumps(result)}\n".encode())
    os._exit(0)


def fetch() -> None:
    """The transport alone."""
    app = BatchApp(
        os.environ["BENCH_GROUP"],
        bootstrap=os.environ["BENCH_BOOTSTRAP"],
        batch_settings=TransportSettings(max_batch_records=5_000),
        datadir=f"{os.environ['BENCH_STATE']}/fetch",
    )
    seen, start_s = 0, 0.0

    async def take(stream) -> None:
        nonlocal seen, start_s
        async for event in stream.noack().events():
            start_s = start_s or time.process_time()
            seen += len(event.value)
            event.ack()
            if seen >= RECORDS:
                tell(seen, time.process_time() - start_s)

    app.agent(app.batch_topic(TOPIC), name="fetch")(take)
    app.main()


def sample() -> list[bytes]:
    """Records of the topic, in memory."""
    consumer = Consumer(
        {
            "bootstrap.servers": os.environ["BENCH_BOOTSTRAP"],
            "group.id": os.environ["BENCH_GROUP"],
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([TOPIC])
    values: list[bytes] = []
    while len(values) < min(_SAMPLE, RECORDS):
        values += [message.value() for message in consumer.consume(_LOAD, 0.2)]
    consumer.close()
    return values


def loads(values: list[bytes]) -> Iterator[Batch]:
    """The values as batches of one partition."""
    now_ms = int(time.time() * 1000)
    for first in range(0, len(values), _LOAD):
        part = values[first : first + _LOAD]
        yield Batch(TOPIC, 0, first, first + len(part), part, [None] * len(part), [now_ms] * len(part), first)


def measure(parts: list, stage: Callable) -> None:
    """Run `stage` over all parts and tell."""
    start_s = time.process_time()
    for part in parts:
        stage(part)
    tell(min(_SAMPLE, RECORDS), time.process_time() - start_s)


def main() -> None:
    """Do what BENCH_MODE says."""
    if MODE == "fetch":
        fetch()
    keys = Keys(Pseudonyms(Key(secrets.token_bytes(32))), Key(secrets.token_bytes(32)))
    directory = read_directory_folder(Path(os.environ["BENCH_DIRECTORY"]))
    batches = list(loads(sample()))
    if MODE == "decode":
        measure([batch.values for batch in batches], lambda values: decode(values, None, keys.event_id))
    if MODE == "enrich":
        minute = pl.col("time").dt.truncate("1m")
        frames = [decode(batch.values, None, keys.event_id).frame for batch in batches]
        measure(frames, lambda frame: enrich(frame, directory).group_by(minute, "uai", "app").len())
    works = [process([batch], directory, keys, {TOPIC: 1}, Limits()).shipment for batch in batches]
    if MODE == "serialise":
        measure(works, _serialise)
    host, port = os.environ["BENCH_SINK"].split(":")
    user, password = os.environ["BENCH_SINK_LOGIN"].split(":")
    client = connect(DatabaseSettings(host=host, port=int(port), user=user, password=password))
    table = os.environ["BENCH_SINK_TABLE"].replace("rows", "events")
    merged = [pl.concat([work.events for work in works[at : at + 6]]) for at in range(0, len(works), 6)]
    measure(merged, lambda events: client.insert_arrow(table, to_arrow(events)))


def _serialise(shipment: Shipment) -> None:
    to_arrow(shipment.events)


if __name__ == "__main__":
    main()
