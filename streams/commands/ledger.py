"""`ent ledger`: what became of every offset, by day too, and explained where it does not close."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from sinks.base import LedgerLine
from sinks.clickhouse.client import Client, connect
from sinks.clickhouse.ledger import (
    LedgerDay,
    OffsetRange,
    freeze_closed_months,
    read_days,
    read_duplicates,
    read_gaps,
    read_neighbours,
    read_overlaps,
)
from sinks.clickhouse.store import ClickHouseStore
from streams.settings import read_database_settings

ledger_app = typer.Typer(help="What became of every offset.", invoke_without_command=True)

_DAY_COLUMNS = ("day", "first", "next", "consumed", "stored", "duplicate", "rejected", "dropped", "frozen", "late")
_COLUMNS = (
    "topic",
    "incarnation",
    "partition",
    "first",
    "next",
    "consumed",
    "stored",
    "duplicate",
    "rejected",
    "dropped",
    "missing",
)


_AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")]


@ledger_app.callback()
def ledger(
    context: typer.Context,
    as_json: _AsJson = False,
    days: Annotated[bool, typer.Option("--days", help="By day of arrival (Paris) as well.")] = False,
) -> None:
    """Print per partition: consumed = stored + duplicate + rejected + dropped. Exit 1 if it does not close.

    An incarnation is one life of a log: a topic that was created anew has another one. Offsets are missing when they
    lie between the first one read and the last one accounted for and came to no end.
    """
    if context.invoked_subcommand:
        return
    client, database = _database()
    lines = ClickHouseStore(client, database).ledger()
    by_day = read_days(client, database) if days else None
    closes = all(line.closes for line in lines)
    if as_json:
        told: dict[str, Any] = {"closes": closes, "lines": [asdict(line) for line in lines]}
        if by_day is not None:
            told["days"] = [asdict(one) | {"day": one.day.isoformat()} for one in by_day]
        typer.echo(json.dumps(told, indent=2))
    else:
        _print(lines)
        _print_days(by_day or [])
    if not closes:
        raise typer.Exit(1)


@ledger_app.command()
def explain(
    topic: Annotated[str | None, typer.Option(help="Of this topic only.")] = None,
    partition: Annotated[int | None, typer.Option(help="Of this partition only.")] = None,
    duplicates: Annotated[bool, typer.Option("--duplicates", help="The offsets of repeated events as well.")] = False,
    as_json: _AsJson = False,
) -> None:
    """Say which offsets make the difference: those that came to no end, and those that came to two. Exit 1 for gaps.

    Of two ends the ledger counts one, accepted before rejected before dropped: a record that was refused and read again
    after its cause was mended has both. With --duplicates, the offsets whose event stands at another offset.
    """
    client, database = _database()
    gaps, found = read_gaps(client, database), read_overlaps(client, database)
    if duplicates:
        for line in ClickHouseStore(client, database).ledger():
            found += read_duplicates(client, database, line) if line.duplicate else []
    gaps, found = (
        [one for one in ranges if topic in (None, one.topic) and partition in (None, one.partition)]
        for ranges in (gaps, found)
    )
    if as_json:
        typer.echo(json.dumps([asdict(one) | {"count": one.count} for one in (*gaps, *found)], indent=2))
    else:
        for one in (*gaps, *found):
            typer.echo(_explained(client, database, one))
        if not gaps:
            typer.echo("every offset came to an end")
    if gaps:
        raise typer.Exit(1)


@ledger_app.command()
def freeze(as_json: _AsJson = False) -> None:
    """Close the months that ended two days ago or earlier: their days stay as they are when events expire.

    Workers do this by themselves, every hour.
    """
    client, database = _database()
    months = freeze_closed_months(client, database, datetime.now(UTC))
    if as_json:
        typer.echo(json.dumps({"frozen": months}))
    else:
        typer.echo(f"frozen: {', '.join(months)}" if months else "no month waits to be frozen")


def _explained(client: Client, database: str, one: OffsetRange) -> str:
    """A range of offsets in a line, with when its neighbours arrived."""
    beside = read_neighbours(client, database, one)
    when = [
        f"{word} arrived {beside[offset].isoformat()}"
        for word, offset in (("the one before", one.first - 1), ("the one after", one.next))
        if offset in beside
    ]
    place = f"{one.topic}/{one.incarnation}/{one.partition}"
    told = f"{place}: {one.count} offsets, {one.first} to {one.next - 1}: {one.matter}"
    return told + (f" ({', '.join(when)})" if when else "")


def _database() -> tuple[Client, str]:
    settings = read_database_settings()
    return connect(settings), settings.database


def _print_days(days: list[LedgerDay]) -> None:
    for one in days:
        told = "  ".join(f"{name} {getattr(one, name)}" for name in _DAY_COLUMNS if getattr(one, name) is not False)
        typer.echo(f"{one.topic}/{one.incarnation}/{one.partition}  {told}")


def _print(lines: list[LedgerLine]) -> None:
    rows = [tuple(str(getattr(line, name)) for name in _COLUMNS) for line in lines]
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *rows, strict=True)]
    for row in (_COLUMNS, *rows):
        typer.echo("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))
    open_lines = [line for line in lines if not line.closes]
    for line in open_lines:
        typer.echo(f"{line.topic}/{line.partition} does not close: {line.missing} offsets came to no end", err=True)
    if open_lines:
        typer.echo("`ent ledger explain` says which offsets", err=True)
    else:
        typer.echo(
            f"closes: {sum(line.consumed for line in lines)} offsets, every one accounted for"
            if lines
            else "nothing was read yet"
        )
