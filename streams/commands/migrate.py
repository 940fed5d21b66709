"""`ent migrate`: bring the database's tables up to date."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from sinks.clickhouse.catalogue import write_applications
from sinks.clickhouse.client import connect
from sinks.clickhouse.migrate import migrate as apply_migrations
from streams.settings import read_database_settings


def migrate(
    check: Annotated[bool, typer.Option("--check", help="Only say what is missing; exit 1 if anything is.")] = False,
) -> None:
    """Create or update the tables. May be repeated, may run twice at once, may be cut and run again."""
    settings = read_database_settings()
    client = connect(settings)
    report = apply_migrations(client, settings.database, check=check)
    if not check:
        write_applications(client, settings.database, int(time.time()))
    for line in report.lines():
        typer.echo(line)
    if check and report.pending:
        raise typer.Exit(1)
