"""`ent ledger`: what became of every offset."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from sinks.base import LedgerLine
from sinks.clickhouse.client import connect
from sinks.clickhouse.store import ClickHouseStore
from streams.settings import read_database_settings

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


def ledger(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")] = False,
) -> None:
    """Print per partition: consumed = stored + duplicate + rejected + dropped. Exit 1 if it does not close.

    An incarnation is one life of a log: a topic that was created anew has another one. Offsets are missing when they
    lie between the first one read and the last one accounted for and came to no end.
    """
    settings = read_database_settings()
    lines = ClickHouseStore(connect(settings), settings.database).ledger()
    closes = all(line.closes for line in lines)
    if as_json:
        typer.echo(json.dumps({"closes": closes, "lines": [asdict(line) for line in lines]}, indent=2))
    else:
        _print(lines)
    if not closes:
        raise typer.Exit(1)


def _print(lines: list[LedgerLine]) -> None:
    rows = [tuple(str(getattr(line, name)) for name in _COLUMNS) for line in lines]
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *rows, strict=True)]
    for row in (_COLUMNS, *rows):
        typer.echo("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))
    open_lines = [line for line in lines if not line.closes]
    for line in open_lines:
        typer.echo(f"{line.topic}/{line.partition} does not close: {line.missing} offsets came to no end", err=True)
    if not open_lines:
        typer.echo(
            f"closes: {sum(line.consumed for line in lines)} offsets, every one accounted for"
            if lines
            else "nothing was read yet"
        )
