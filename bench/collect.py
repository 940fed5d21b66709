"""Events per CPU-second of `ent collect`, and its answers' times at a set pace.

    python bench/collect.py [--kafka embedded|jvm] [--report FILE]

Canonical events of about 400 bytes in batches of 500, over connections that stay open; Kafka runs beside it. The speed
is that of the collector's process alone, by its CPU seconds; the times are those that a client sees at half of it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
from aiohttp import ClientError, ClientSession

from streams.brokers import EmbeddedBroker, JvmBroker
from streams.brokers.jvm import free_ports
from streams.collector.tokens import make_token
from streams.garbage import spare_what_is_there
from streams.topics import EVENT_TOPICS
from tests.fuzz.generate import Generator

BATCH = 500
REQUESTS = 120
WARM_UP = 20
SENDERS = 4
PARTITIONS = 4
PACED_S = 10.0


def bodies(count: int) -> list[bytes]:
    """Batches of fresh events whose times are near."""
    generator = Generator(3)
    generator.start = datetime.now(UTC) - timedelta(hours=2)
    return [b"[" + b",".join(generator.canonical(0) for _ in range(BATCH)) + b"]" for _ in range(count)]


async def send(session: ClientSession, url: str, body: bytes) -> float:
    """Seconds until the answer."""
    begun = time.perf_counter()
    async with session.post(url, data=body) as answer:
        told = await answer.json()
        assert told["accepted"] == BATCH
    return time.perf_counter() - begun


async def measure(url: str, secret: str, process: psutil.Process) -> dict[str, float]:
    """Speed with several senders at once, then answers' times at half of it."""
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    prepared = bodies(REQUESTS)
    spare_what_is_there()  # the client's own pauses are not the collector's
    async with ClientSession(headers=headers) as session:
        await until_it_answers(session, url)
        for body in prepared[:WARM_UP]:
            await send(session, url, body)
        left = iter(prepared)
        before, begun = cpu_s(process), time.perf_counter()

        async def drain() -> None:
            for body in left:
                await send(session, url, body)

        await asyncio.gather(*(drain() for _ in range(SENDERS)))
        events, wall_s = REQUESTS * BATCH, time.perf_counter() - begun
        per_cpu_s = events / (cpu_s(process) - before)
        pause_s = BATCH / (per_cpu_s / 2)
        paced: list[asyncio.Task[float]] = []
        start = time.perf_counter()
        while (at := len(paced) * pause_s) < PACED_S:
            await asyncio.sleep(max(start + at - time.perf_counter(), 0))
            paced.append(asyncio.create_task(send(session, url, prepared[len(paced) % REQUESTS])))
        times = sorted(await asyncio.gather(*paced))
    return {
        "events_per_cpu_s": round(per_cpu_s),
        "events_per_s": round(events / wall_s),
        "paced_events_per_s": round(BATCH / pause_s),
        "p50_ms": round(statistics.median(times) * 1000, 1),
        "p99_ms": round(times[int(len(times) * 0.99)] * 1000, 1),
        "rss_mb": round(process.memory_info().rss / 2**20),
    }


async def until_it_answers(session: ClientSession, url: str) -> None:
    """Wait for the collector's start."""
    while True:
        try:
            async with session.post(url, data=b"[]"):
                return
        except ClientError:
            await asyncio.sleep(0.1)


def cpu_s(process: psutil.Process) -> float:
    """CPU seconds so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> None:
    """Print the figures, and write them if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kafka", choices=["embedded", "jvm"], default="embedded")
    parser.add_argument("--report", type=Path)
    told = parser.parse_args()
    broker = JvmBroker() if told.kafka == "jvm" else EmbeddedBroker()
    made = make_token("bench", ["*"], None)
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory() as folder:
        tokens = Path(folder) / "tokens.toml"
        tokens.write_text(made.entry)
        for topic in EVENT_TOPICS:
            broker.create_topic(topic, PARTITIONS)
        environment = {
            **os.environ,
            "POLARS_MAX_THREADS": "1",
            "ENT_KAFKA__BOOTSTRAP": broker.bootstrap,
            "ENT_PSEUDONYM_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEF",
            "ENT_EVENT_ID_KEY": "ABCDEFghijklmnopqrstuvwxyz0123456789abcdef",
            "ENT_COLLECTOR__TOKENS_FILE": str(tokens),
            "ENT_COLLECTOR__PORT": str(port),
            "ENT_COLLECTOR__RATE_RECORDS_S": "1000000",
            "ENT_METRICS_PORT": "0",
        }
        command = [sys.executable, "-m", "streams", "collect"]
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
            try:
                url = f"http://127.0.0.1:{port}/v1/events"
                report = asyncio.run(measure(url, made.secret, psutil.Process(process.pid)))
            finally:
                process.terminate()
        broker.stop()
    print(json.dumps(report, indent=2))
    if told.report:
        told.report.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
