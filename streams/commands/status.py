"""`ent status`: lag, freshness, rates, ledger and alerts on one screen."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer

from sinks.base import LedgerLine, StoreUnavailable
from sinks.clickhouse import situation
from sinks.clickhouse.client import Client, connect
from sinks.clickhouse.store import ClickHouseStore
from streams.settings import read_database_settings

_CLEAR = "\x1b[H\x1b[2J"
_RATE_MINUTES = 5


@dataclass(frozen=True)
class Status:
    """One look."""

    at: datetime
    partitions: list[situation.Partition]
    flows: list[situation.Flow]
    ledger: list[LedgerLine]
    alerts: list[situation.Standing] | None
    """None: this database has no alerts."""


def status(
    watch: Annotated[bool, typer.Option("--watch", help="Again and again, until Ctrl-C.")] = False,
    every_s: Annotated[float, typer.Option("--every", min=0.2, help="Seconds between two looks.")] = 2.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document a look.")] = False,
) -> None:
    """How far the figures are complete, what comes in, whether the ledger closes, which alerts on schools stand.

    Needs the database alone. Exit 1 if the ledger does not close.
    """
    settings = read_database_settings()
    client = connect(settings)
    while True:
        try:
            found = look(client, settings.database)
        except StoreUnavailable as error:
            if not watch:
                raise
            typer.echo(f"the database is away: {error}", err=True)
        else:
            if watch and not as_json and sys.stdout.isatty():
                typer.echo(_CLEAR, nl=False)
            typer.echo(json.dumps(_document(found)) if as_json else screen(found))
            if not watch:
                raise typer.Exit(0 if all(line.closes for line in found.ledger) else 1)
        time.sleep(every_s)


def look(client: Client, database: str) -> Status:
    """Ask the database; raises `DatabaseFailure`."""
    has_alerts = situation.has_table(client, database, "alert_steps")
    return Status(
        at=datetime.now(UTC),
        partitions=situation.progress(client, database),
        flows=situation.flows(client, database, _RATE_MINUTES),
        ledger=ClickHouseStore(client, database).ledger(),
        alerts=situation.standing_alerts(client, database) if has_alerts else None,
    )


def screen(found: Status) -> str:
    """The status as lines."""
    lines = [f"{found.at:%Y-%m-%d %H:%M:%S} UTC", "", f"{'topic':<24}{'partition':>10}{'complete':>16}{'waiting':>12}"]
    for one in found.partitions:
        age_s = (found.at - one.complete_through).total_seconds()
        lines.append(f"{one.topic:<24}{one.partition:>10}{_age(age_s):>16}{one.lag:>12,}")
    if not found.partitions:
        lines.append("no worker has told of its progress yet")
    lines += ["", f"{'topic':<24}{'events/min':>12}{'rejected/min':>14}   over {_RATE_MINUTES} min"]
    lines += [f"{one.topic:<24}{one.stored_per_min:>12,.1f}{one.rejected_per_min:>14,.1f}" for one in found.flows]
    if not found.flows:
        lines.append("nothing came in")
    consumed, missing = (sum(getattr(line, name) for line in found.ledger) for name in ("consumed", "missing"))
    closes = all(line.closes for line in found.ledger)
    told = "closes" if closes else f"DOES NOT CLOSE: {missing:,} offsets came to no end (ent ledger)"
    lines += ["", f"ledger  {consumed:,} records: {told}"]
    if found.alerts is not None:
        standing = ", ".join(f"{one.alerts} {one.kind}" for one in found.alerts)
        lines.append(f"alerts  {standing or 'none stands'}")
    return "\n".join(lines)


def _age(seconds: float) -> str:
    if seconds < 120:
        return f"{max(seconds, 0):.1f} s ago"
    return f"{seconds / 60:.0f} min ago" if seconds < 7200 else f"{seconds / 3600:.0f} h ago"


def _document(found: Status) -> dict[str, object]:
    told = asdict(found)
    told["at"] = found.at.isoformat()
    told["partitions"] = [
        {**asdict(one), "complete_through": one.complete_through.isoformat()} for one in found.partitions
    ]
    told["closes"] = all(line.closes for line in found.ledger)
    return told
