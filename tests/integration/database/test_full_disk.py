"""The embedded database on a small disk that is full again and again: what it confirmed is there, and can be read."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from sinks.clickhouse.embedded.process import EmbeddedDatabase
from sinks.clickhouse.errors import Unavailable
from streams.chaos.disk import SmallDisk
from tests.database import client_of

WRITERS, ROUNDS, ROWS = 3, 4, 2_000
BETWEEN_S, FULL_S = 0.25, 0.15
PAUSE_S = 0.02


def write(database: EmbeddedDatabase, writer: int, confirmed: set[int], stop: threading.Event) -> None:
    """Insert block after block, each until it is confirmed."""
    client = client_of(database)
    block = writer * 1_000_000
    while not stop.is_set():
        try:
            client.command(
                f"INSERT INTO full.rows (block, n, filler) SELECT {block}, number, toString(rand64()) "
                f"FROM numbers({ROWS})"
            )
        except Unavailable:
            time.sleep(PAUSE_S)
            continue
        confirmed.add(block)
        block += 1


def test_what_was_confirmed_is_there_however_often_the_disk_was_full(tmp_path: Path) -> None:
    """Merges and inserts run all the time; a materialized view has what its table has."""
    with SmallDisk(tmp_path / "disk", tmp_path / "kept") as disk:
        if not disk.mounted:
            pytest.skip("no file system may be mounted here: run as root")
        with EmbeddedDatabase(tmp_path / "disk", log=tmp_path / "database.log") as database:
            client = client_of(database)
            for statement in (
                "CREATE DATABASE full",
                "CREATE TABLE full.rows (block UInt32, n UInt32, filler String) ENGINE = MergeTree ORDER BY (block, n)",
                "CREATE TABLE full.seen (block UInt32, n UInt32) ENGINE = MergeTree ORDER BY (block, n)",
                "CREATE MATERIALIZED VIEW full.seeing TO full.seen AS SELECT block, n FROM full.rows",
            ):
                client.command(statement)
            confirmed: set[int] = set()
            stop = threading.Event()
            writers = [
                threading.Thread(target=write, args=(database, number, confirmed, stop)) for number in range(WRITERS)
            ]
            for writer in writers:
                writer.start()
            for _ in range(ROUNDS):
                time.sleep(BETWEEN_S)
                disk.fill()
                time.sleep(FULL_S)
                disk.free()
            time.sleep(BETWEEN_S)
            stop.set()
            for writer in writers:
                writer.join()
            assert len(confirmed) > ROUNDS
            for table in ("rows", "seen"):
                whole = client.query_rows(f"SELECT block FROM full.{table} GROUP BY block HAVING uniqExact(n) = {ROWS}")
                assert confirmed <= {int(block) for (block,) in whole}
