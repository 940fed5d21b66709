"""How far bridges have read their platforms."""

from __future__ import annotations

from datetime import datetime

from sinks.clickhouse.client import Client


class BridgePositions:
    """The positions in one database. Every method raises `DatabaseFailure` where it does not answer."""

    def __init__(self, client: Client, database: str) -> None:
        self._client = client
        self._table = f"{database}.bridges"

    def read(self, bridge: str) -> datetime | None:
        """Up to when the platform has been read, UTC; None where it never was."""
        rows = self._client.query_rows(
            f"SELECT read_through FROM {self._table} FINAL WHERE bridge = {{bridge:String}}",
            {"bridge": bridge},
        )
        return rows[0][0] if rows else None

    def record(self, bridge: str, read_through: datetime) -> None:
        """Note it, aware, to the millisecond."""
        moment_ms = int(read_through.timestamp() * 1000)
        self._client.command(
            f"INSERT INTO {self._table} (bridge, read_through, recorded_at) "
            f"VALUES ({{bridge:String}}, fromUnixTimestamp64Milli({moment_ms:d}), now64(6))",
            {"bridge": bridge},
        )
