"""Breaks of series in the database: where figures before and after cannot be compared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sinks.clickhouse.client import Client


class BreakKind(StrEnum):
    """What a break says of the figures."""

    RUPTURE = "rupture"
    """From its beginning on, the platform counts otherwise."""
    ERREUR = "erreur"
    """The figures of its span are wrong."""


@dataclass(frozen=True, slots=True)
class SeriesBreak:
    """One break, from `begins` to `ends` (aware; the same moment for a step that stays). `uai` empty: every school.

    Raises `ValueError` for an end before the beginning and for a break without words.
    """

    break_id: str
    begins: datetime
    ends: datetime
    kind: BreakKind
    uai: str
    label: str

    def __post_init__(self) -> None:
        if self.ends < self.begins:
            raise ValueError(f"the break ends {self.ends} before it begins {self.begins}")
        if not self.label.strip():
            raise ValueError("say in a few French words what readers should know of it")


class SeriesBreaks:
    """The breaks of one database. Every method raises `DatabaseFailure`, and may be repeated."""

    def __init__(self, client: Client, database: str) -> None:
        self._client = client
        self._database = database

    def declare(self, found: SeriesBreak, *, withdrawn: bool = False) -> None:
        """Keep a break, or take it back; the last word on its id counts."""
        self._client.command(
            f"INSERT INTO {self._database}.series_breaks "
            "(break_id, begins_at, ends_at, kind, uai, label, withdrawn, version) "
            "SELECT {id:String}, fromUnixTimestamp({begins:Int64}), fromUnixTimestamp({ends:Int64}), {kind:String}, "
            "{uai:String}, {label:String}, {withdrawn:Bool}, toUnixTimestamp64Micro(now64(6))",
            {
                "id": found.break_id,
                "begins": int(found.begins.timestamp()),
                "ends": int(found.ends.timestamp()),
                "kind": found.kind.value,
                "uai": found.uai,
                "label": found.label,
                "withdrawn": withdrawn,
            },
        )

    def all(self) -> list[SeriesBreak]:
        """Those that were declared and not taken back, by their beginning."""
        rows = self._client.query_rows(
            "SELECT break_id, begins_at, ends_at, toString(kind), toString(uai), label "
            f"FROM {self._database}.series_breaks FINAL WHERE NOT withdrawn ORDER BY begins_at, break_id"
        )
        return [
            SeriesBreak(id_, begins, ends, BreakKind(kind), uai, label) for id_, begins, ends, kind, uai, label in rows
        ]
