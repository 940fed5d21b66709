"""Alerts in the database: their steps, what was told, what operators said, and the scores of every pass.

Everything is added and nothing changed, under keys that are the same for whoever writes: a repeated call does nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from typing import Any, Final

import polars as pl

from sinks.clickhouse.arrow import to_arrow
from sinks.clickhouse.client import Client

_MOMENT: Final = pl.Datetime("ms", "UTC")
ENDED: Final = ("sent", "withheld", "given_up")
"""Outcomes after which nothing more is told."""


@dataclass(frozen=True)
class StepRow:
    """A line of `alert_steps`."""

    alert_id: str
    step: int
    what: str
    at: datetime
    kind: str
    topic: str
    uai: str
    profile: str
    since: datetime
    level: int
    observed: float | None
    expected: float | None
    evidence: float
    limit: float
    title: str
    text: str
    details: str


@dataclass(frozen=True)
class AlertRow:
    """An alert as `v_alerts` has it."""

    alert_id: str
    kind: str
    topic: str
    uai: str
    profile: str
    level: int
    title: str
    text: str
    observed: float | None
    expected: float | None
    evidence: float
    limit: float
    since: datetime
    opened_at: datetime
    resolved_at: datetime | None
    open: bool
    steps: int
    details: str
    acknowledged: bool


@dataclass(frozen=True)
class Delivery:
    """A line of `alert_deliveries`."""

    alert_id: str
    step: int
    channel: str
    outcome: str
    attempts: int
    error: str
    at: datetime


@dataclass(frozen=True)
class Mute:
    """A line of `alert_mutes` that was not taken back."""

    mute_id: str
    uai: str
    kind: str
    starts: datetime
    ends: datetime
    note: str

    def covers(self, step: StepRow) -> bool:
        """Whether a step is not to be told on account of it."""
        return self.uai in {"", step.uai} and self.kind in {"", step.kind} and self.starts <= step.at < self.ends


@dataclass(frozen=True)
class Label:
    """A line of `alert_labels`."""

    label_id: str
    alert_id: str
    uai: str
    starts: datetime
    ends: datetime
    verdict: str
    note: str
    at: datetime


_STEPS: Final[dict[str, Any]] = {
    "alert_id": pl.String,
    "step": pl.UInt16,
    "what": pl.String,
    "at": _MOMENT,
    "kind": pl.String,
    "topic": pl.String,
    "uai": pl.String,
    "profile": pl.String,
    "since": _MOMENT,
    "level": pl.UInt8,
    "observed": pl.Float64,
    "expected": pl.Float64,
    "evidence": pl.Float64,
    "limit": pl.Float64,
    "title": pl.String,
    "text": pl.String,
    "details": pl.String,
}
HEALTH: Final[dict[str, Any]] = {
    "at": _MOMENT,
    "uai": pl.String,
    "profile": pl.String,
    "observed": pl.Float64,
    "expected": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "day_observed": pl.Float64,
    "day_expected": pl.Float64,
    "evidence": pl.Float64,
    "limit": pl.Float64,
    "test": pl.String,
    "severity": pl.Float64,
    "information": pl.Float64,
    "references": pl.UInt16,
    "state": pl.String,
}
"""The columns of `school_health`."""


class AlertTables:
    """The alerts of one database. Every method raises `DatabaseFailure`."""

    def __init__(self, client: Client, database: str) -> None:
        self._client = client
        self._database = database

    def add_steps(self, steps: Sequence[StepRow]) -> None:
        """All of a pass in one insert: either all of them are there, or none."""
        if steps:
            self._insert("alert_steps", pl.DataFrame([astuple(step) for step in steps], schema=_STEPS, orient="row"))

    def add_health(self, scores: pl.DataFrame) -> None:
        """The scores of a pass, with the columns of HEALTH."""
        if len(scores):
            self._insert("school_health", scores)

    def alerts(self, since: datetime | None = None) -> list[AlertRow]:
        """Those that are open, and those that were resolved or told since a moment; None: all. The latest first."""
        columns = ", ".join(
            f"toString({each.name})" if each.name in {"kind", "uai", "profile"} else each.name
            for each in fields(AlertRow)
        )
        asked = "" if since is None else f"WHERE open OR resolved_at >= toDateTime({int(since.timestamp())})"
        rows = self._client.query_rows(
            f"SELECT {columns} FROM {self._database}.v_alerts {asked} ORDER BY opened_at DESC"
        )
        return [AlertRow(*row) for row in rows]

    def last_judged(self) -> datetime | None:
        """Up to when schools were judged; None: never."""
        rows = self._client.query_rows(f"SELECT max(at), count() FROM {self._database}.school_health")
        return rows[0][0] if rows and rows[0][1] else None

    def steps(self, alert_id: str) -> list[StepRow]:
        """The life of one alert; its id may be shortened as long as it is clear."""
        return self._steps("startsWith(alert_id, {id:String})", {"id": alert_id})

    def untold(self, channels: Sequence[str], since: datetime) -> list[tuple[StepRow, str, int]]:
        """Steps since a moment that are still to be told, with channel and attempts so far; the oldest first."""
        steps = self._steps(f"at >= toDateTime({int(since.timestamp())})", {})
        rows = self._client.query_rows(
            f"SELECT alert_id, step, toString(channel), toString(outcome), attempts "
            f"FROM {self._database}.alert_deliveries FINAL"
        )
        told = {(alert_id, step, channel): (outcome, attempts) for alert_id, step, channel, outcome, attempts in rows}
        waiting = []
        for step in steps:
            for channel in channels:
                outcome, attempts = told.get((step.alert_id, step.step, channel), ("", 0))
                if outcome not in ENDED:
                    waiting.append((step, channel, int(attempts)))
        return waiting

    def note_delivery(self, delivery: Delivery) -> None:
        """Remember what became of a message; the last word counts."""
        self._add(
            "alert_deliveries",
            "alert_id, step, channel, outcome, attempts, error, at, version",
            "{id:String}, {step:UInt16}, {channel:String}, {outcome:String}, {attempts:UInt16}, {error:String}, "
            "fromUnixTimestamp({at:Int64}), toUnixTimestamp64Micro(now64(6))",
            {
                "id": delivery.alert_id,
                "step": delivery.step,
                "channel": delivery.channel,
                "outcome": delivery.outcome,
                "attempts": delivery.attempts,
                "error": delivery.error,
                "at": int(delivery.at.timestamp()),
            },
        )

    def mute(self, mute: Mute, *, withdrawn: bool = False) -> None:
        """Tell nobody of some alerts for a time, or take that back."""
        self._add(
            "alert_mutes",
            "mute_id, uai, kind, starts, ends, note, withdrawn, version",
            "{id:String}, {uai:String}, {kind:String}, fromUnixTimestamp({starts:Int64}), "
            "fromUnixTimestamp({ends:Int64}), {note:String}, {withdrawn:Bool}, toUnixTimestamp64Micro(now64(6))",
            {
                "id": mute.mute_id,
                "uai": mute.uai,
                "kind": mute.kind,
                "starts": int(mute.starts.timestamp()),
                "ends": int(mute.ends.timestamp()),
                "note": mute.note,
                "withdrawn": withdrawn,
            },
        )

    def mutes(self) -> list[Mute]:
        """Those that were not taken back."""
        rows = self._client.query_rows(
            "SELECT mute_id, toString(uai), toString(kind), starts, ends, note "
            f"FROM {self._database}.alert_mutes FINAL WHERE NOT withdrawn ORDER BY starts, mute_id"
        )
        return [Mute(*row) for row in rows]

    def acknowledge(self, alert_id: str, note: str, at: datetime) -> None:
        """Somebody looks after it: nobody is told of it again before it is resolved."""
        self._add(
            "alert_acks",
            "alert_id, note, at",
            "{id:String}, {note:String}, fromUnixTimestamp({at:Int64})",
            {"id": alert_id, "note": note, "at": int(at.timestamp())},
        )

    def acknowledged(self) -> set[str]:
        """The ids of the alerts that somebody looks after."""
        return {
            str(id_) for (id_,) in self._client.query_rows(f"SELECT alert_id FROM {self._database}.alert_acks FINAL")
        }

    def label(self, label: Label) -> None:
        """Keep what an operator knows of an alert or an incident."""
        self._add(
            "alert_labels",
            "label_id, alert_id, uai, starts, ends, verdict, note, at",
            "{id:String}, {alert:String}, {uai:String}, fromUnixTimestamp({starts:Int64}), "
            "fromUnixTimestamp({ends:Int64}), {verdict:String}, {note:String}, fromUnixTimestamp({at:Int64})",
            {
                "id": label.label_id,
                "alert": label.alert_id,
                "uai": label.uai,
                "starts": int(label.starts.timestamp()),
                "ends": int(label.ends.timestamp()),
                "verdict": label.verdict,
                "note": label.note,
                "at": int(label.at.timestamp()),
            },
        )

    def _steps(self, where: str, parameters: Mapping[str, Any]) -> list[StepRow]:
        texts = {"what", "kind", "uai", "profile"}
        columns = ", ".join(f"toString({name})" if name in texts else f"`{name}`" for name in _STEPS)
        rows = self._client.query_rows(
            f"SELECT {columns} FROM {self._database}.v_alert_steps WHERE {where} ORDER BY at, alert_id, step",
            parameters,
        )
        return [StepRow(*row) for row in rows]

    def _add(self, table: str, columns: str, values: str, parameters: Mapping[str, Any]) -> None:
        self._client.command(f"INSERT INTO {self._database}.{table} ({columns}) SELECT {values}", parameters)

    def _insert(self, table: str, frame: pl.DataFrame) -> None:
        self._client.insert_arrow(f"{self._database}.{table}", to_arrow(frame))
