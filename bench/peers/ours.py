"""Our own path for J1, without a database: the worker's transport, decoding, checks, enrichment, pseudonyms and dead
letters, with minutes counted in memory where the worker stores rows. J2 is the worker itself.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import secrets
import time
from collections import Counter
from pathlib import Path

import polars as pl
from digest import Window, digest

from schemas.pseudonym import Key, Pseudonyms
from sinks.base import Shipment
from streams.batch import Batch
from streams.directory.folder import read_directory_folder
from streams.intake import Intake
from streams.pipeline import Keys, Limits, process
from streams.transport import BatchApp, TransportSettings
from streams.windows import Pace, Windows

TOPIC = os.environ["BENCH_TOPIC"]
RECORDS = int(os.environ["BENCH_RECORDS"])


class Minutes:
    """Counts what the worker would store."""

    def __init__(self) -> None:
        self.seen = self.valid = 0
        self.start_cpu_s: float | None = None
        self._counts: Counter[Window] = Counter()

    def keep(self, shipment: Shipment) -> Shipment:
        """Count the events of a shipment, and see its dead letters."""
        minute = pl.col("event_time").dt.truncate("1m").dt.epoch("s").alias("minute")
        counts = shipment.events.group_by(minute, "uai", "app").len()
        for at_s, uai, app, number in counts.iter_rows():
            self._counts[at_s, uai, app] += number
        self.valid += len(shipment.events)
        self.seen += len(shipment.events) + len(shipment.dead_letters)
        if self.seen >= RECORDS:
            self._tell()
        return shipment

    def _tell(self) -> None:
        result = {"seen": self.seen, "valid": self.valid, "digest": digest(self._counts), "inserted": None}
        os.write(1, f"\nRESULT {json.dumps({**result, 'start_cpu_s': self.start_cpu_s})}\n".encode())
        os._exit(0)


def main() -> None:
    """Read the topic to its end."""
    keys = Keys(Pseudonyms(Key(secrets.token_bytes(32))), Key(secrets.token_bytes(32)))
    directory = read_directory_folder(Path(os.environ["BENCH_DIRECTORY"]))
    minutes = Minutes()
    windows = Windows(recompute=lambda *_: None, pace=Pace(), hurried=lambda: False)

    async def begin(_: Batch) -> None:
        if minutes.start_cpu_s is None:
            minutes.start_cpu_s = time.process_time()

    async def publish(_: Shipment) -> None:
        """J1 has no topic for dead letters; they are made and counted."""

    intake = Intake(
        process=lambda batches: process(batches, directory, keys, {TOPIC: 1}, Limits()),
        store=minutes.keep,
        publish=publish,
        windows=windows,
        begin=begin,
    )
    settings = TransportSettings(max_batch_records=5_000)
    app = BatchApp(
        os.environ["BENCH_GROUP"], bootstrap=os.environ["BENCH_BOOTSTRAP"], batch_settings=settings,
        datadir=f"{os.environ['BENCH_STATE']}/ours",
    )  # fmt: skip

    async def take(stream) -> None:
        async for event in stream.noack().events():
            await intake.take(event)

    app.agent(app.batch_topic(TOPIC, maxsize=2), name="ours")(take)

    async def start() -> None:
        app.stages = [asyncio.create_task(stage) for stage in (intake.run_work(), intake.run_store(), windows.run())]

    app.task(start)
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    app.main()


if __name__ == "__main__":
    main()
