"""`ent dashboards`: build the JSON that Grafana and the page read, and check it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated

import typer

from grafana.viewer.answer import Query
from grafana.viewer.source import Source
from streams.settings import read_database_settings

dashboards_app = typer.Typer(help="The dashboards: build their JSON, check their queries.", no_args_is_help=True)


@dashboards_app.command()
def build() -> None:
    """Write grafana/generated anew from the Python; needs grafana-foundation-sdk (make install)."""
    from grafana.dashboards import build as write

    for path in write():
        typer.echo(path)


@dashboards_app.command()
def check(
    at: Annotated[datetime | None, typer.Option(help="The moment that now stands for, in UTC; now by default.")] = None,
) -> None:
    """Run every query of every dashboard on the database and say what is wrong; exit 1 if anything is."""
    from grafana.dashboards import check as inspect
    from grafana.dashboards import stale

    problems = [f"{name} is stale: run `ent dashboards build`" for name in stale()]
    problems += asyncio.run(_inspect(inspect, at.replace(tzinfo=UTC) if at else datetime.now(UTC)))
    for problem in problems:
        typer.echo(problem, err=True)
    if problems:
        raise typer.Exit(1)
    typer.echo("every query answers, every panel is in order")


async def _inspect(inspect: Callable[[Query, datetime], Awaitable[list[str]]], now: datetime) -> list[str]:
    source = Source(read_database_settings())
    try:
        return await inspect(source.query, now)
    finally:
        await source.close()
