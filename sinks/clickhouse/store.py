"""The store on ClickHouse, a server or the embedded one: inserts, windows and the ledger."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from sinks.base import LedgerLine, Level, LogStart, Progress, Shipment
from sinks.clickhouse.arrow import to_arrow
from sinks.clickhouse.client import Client
from sinks.clickhouse.windows import FAMILIES, draw_version, passes

_WINDOW_COLUMNS: Final = {
    f"{family}_by_{level}": (level, dimensions) for family, dimensions in FAMILIES.items() for level in Level
}


class ClickHouseStore:
    """A `Store` over one database; threads may share it."""

    def __init__(self, client: Client, database: str) -> None:
        self._client = client
        self._database = database

    def insert(self, shipment: Shipment) -> None:
        """Events first: a dead letter may stand for an event that was refused, never the other way round."""
        for table, frame in (
            ("events", shipment.events),
            ("dead_letters", shipment.dead_letters),
            ("dropped", shipment.dropped),
        ):
            if len(frame):
                self._client.insert_arrow(f"{self._database}.{table}", to_arrow(frame))

    def recompute(self, level: Level, slices: Collection[int]) -> None:
        """One pass for each window family."""
        if not slices:
            return
        write, read = draw_version(self._database)
        self._client.command(write)
        ((version,),) = self._client.query_rows(read)
        for statement in passes(self._database, level, slices):
            self._client.command(statement, {"version": version})

    def open_logs(self, starts: Sequence[LogStart]) -> None:
        """A start that is known already is told again; the earliest counts."""
        if not starts:
            return
        values = ", ".join(
            f"({{topic{i}:String}}, {start.incarnation:d}, {start.partition:d}, {start.first:d}, now64(3))"
            for i, start in enumerate(starts)
        )
        names = {f"topic{i}": start.topic for i, start in enumerate(starts)}
        self._client.command(
            f"INSERT INTO {self._database}.logs (topic, incarnation, partition, first, seen_at) VALUES {values}", names
        )

    def record_progress(self, lines: Sequence[Progress]) -> None:
        """The clock of the database says which line is the last one."""
        if not lines:
            return
        values = ", ".join(
            f"({{topic{i}:String}}, {line.partition:d}, {line.incarnation:d}, "
            f"fromUnixTimestamp64Milli({int(line.complete_through.timestamp() * 1000):d}), {line.lag:d}, now64(6))"
            for i, line in enumerate(lines)
        )
        names = {f"topic{i}": line.topic for i, line in enumerate(lines)}
        columns = "topic, partition, incarnation, complete_through, lag, written_at"
        self._client.command(f"INSERT INTO {self._database}.progress ({columns}) VALUES {values}", names)

    def ledger(self) -> list[LedgerLine]:
        """One line for each partition of each log."""
        columns = ", ".join(LedgerLine.__dataclass_fields__)
        rows = self._client.query_rows(
            f"SELECT {columns} FROM {self._database}.ledger ORDER BY topic, incarnation, partition"
        )
        return [LedgerLine(*row) for row in rows]

    def window(self, table: str) -> Iterable[tuple[Any, ...]]:
        """The cells of one window table."""
        level, dimensions = _WINDOW_COLUMNS[table]
        slice_ = "toInt64(toUInt16(slice))" if level is Level.DAY else "toInt64(toUnixTimestamp(slice))"
        return self._client.query_rows(
            f"SELECT {slice_}, uai, {', '.join(dimensions)}, events, events_once, recipients, "
            f"finalizeAggregation(users) FROM {self._database}.v_{table}"
        )

    def count(self, reason_of: str) -> dict[str, int]:
        """Reason -> records, of `rejected` or `dropped` offsets."""
        rows = self._client.query_rows(
            f"SELECT reason, sum(n) FROM (SELECT reason, bitmapCardinality(groupBitmapMergeState(offsets)) AS n "
            f"FROM {self._database}.positions WHERE outcome = {{outcome:String}} "
            "GROUP BY reason, topic, incarnation, partition, block) GROUP BY reason ORDER BY reason",
            {"outcome": reason_of},
        )
        return {str(reason): int(n) for reason, n in rows}
