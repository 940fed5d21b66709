"""A backup that is restored into an empty database gives the same figures, and goes on counting."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from sinks.base import Level, LogStart
from sinks.clickhouse.backup import BackupRefused, back_up, restore
from sinks.clickhouse.client import Client
from sinks.clickhouse.errors import DatabaseFailure
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.store import ClickHouseStore
from sinks.clickhouse.windows import FAMILIES
from tests.database import client_of, embedded_database
from tests.rows import DAY, HOUR, MINUTE, TOPIC, event, shipment

SLICES = {Level.MINUTE: MINUTE, Level.HOUR: HOUR, Level.DAY: DAY}


def figures(client: Client) -> dict[str, Any]:
    """Every window, the ledger, the reasons."""
    store = ClickHouseStore(client, "ent")
    windows = {
        f"{family}_by_{level}": sorted(store.window(f"{family}_by_{level}")) for family in FAMILIES for level in Level
    }
    return {**windows, "ledger": store.ledger(), "reasons": store.count("rejected")}


def store_some(client: Client, first: int, count: int) -> None:
    store = ClickHouseStore(client, "ent")
    rejected = [first + count]
    store.insert(shipment([event(n, n) for n in range(first, first + count)], rejected))
    for level, slice_ in SLICES.items():
        store.recompute(level, [slice_])


def test_a_restored_database_is_equal_and_goes_on(tmp_path: Path) -> None:
    """Equal windows, states of distinct users and ledger; a replay changes nothing, and new events count once."""
    with embedded_database(tmp_path / "old") as old:
        client = client_of(old)
        migrate(client, "ent")
        ClickHouseStore(client, "ent").open_logs([LogStart(TOPIC, 1, 0, 0)])
        store_some(client, 0, 50)
        back_up(client, "ent", "ent-2026-11-22")
        before = figures(client)
        store_some(client, 51, 20)
        after = figures(client)
    with embedded_database(tmp_path / "new") as new:
        shutil.copytree(tmp_path / "old" / "backups", tmp_path / "new" / "backups", dirs_exist_ok=True)
        client = client_of(new)
        restore(client, "ent", "ent-2026-11-22")
        assert figures(client) == before
        assert migrate(client, "ent", check=True).pending == []
        store_some(client, 0, 50)
        assert {**figures(client), "ledger": 0} == {**before, "ledger": 0}, "a replay changes no figure"
        store_some(client, 51, 20)
        assert {**figures(client), "ledger": 0} == {**after, "ledger": 0}
        assert all(line.closes for line in ClickHouseStore(client, "ent").ledger())
        with pytest.raises(BackupRefused, match="restore into an empty one"):
            restore(client, "ent", "ent-2026-11-22")
        with pytest.raises(BackupRefused, match="no name of a backup"):
            back_up(client, "ent", "../../etc/passwd")
        with pytest.raises(DatabaseFailure):
            restore(client, "other", "ent-2026-11-22")
