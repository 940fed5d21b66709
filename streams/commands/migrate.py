"""`ent migrate`: bring the database's tables up to date."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import Annotated

import typer

from sinks.clickhouse.catalogue import write_applications
from sinks.clickhouse.client import connect
from sinks.clickhouse.migrate import migrate as apply_migrations
from sinks.clickhouse.retention import apply_retention, retentions
from streams.settings import read_retention_settings


def migrate(
    check: Annotated[bool, typer.Option("--check", help="Only say what is missing; exit 1 if anything is.")] = False,
    cluster: Annotated[
        str | None,
        typer.Option(help="Replicated tables on all machines of this ClickHouse cluster; one node without it."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")] = False,
) -> None:
    """Create or update the tables, and their limits of retention.

    May be repeated, may run twice at once, may be cut and run again.
    """
    read = read_retention_settings()
    settings = read.database
    client = connect(settings)
    report = apply_migrations(client, settings.database, check=check, cluster=cluster)
    if not check:
        write_applications(client, settings.database, int(time.time()))
        apply_retention(client, retentions(settings.database, read.retention))
    for line in [json.dumps(asdict(report), indent=2)] if as_json else report.lines():
        typer.echo(line)
    if check and report.pending:
        raise typer.Exit(1)
