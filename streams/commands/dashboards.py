"""`ent dashboards`: build the JSON that Grafana and the page read, check it, and mark where series break."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import uuid4
from zoneinfo import ZoneInfo

import typer

from grafana.viewer.answer import Query
from grafana.viewer.source import Source, published_of
from sinks.clickhouse.client import DatabaseSettings, connect
from sinks.clickhouse.series_breaks import BreakKind, SeriesBreak, SeriesBreaks
from streams.commands.as_json import AsJson, print_json
from streams.settings import read_database_settings

dashboards_app = typer.Typer(help="The dashboards: build, check, mark breaks.", no_args_is_help=True)

_PARIS: Final = ZoneInfo("Europe/Paris")
_MOMENT_FORMATS: Final = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]


@dashboards_app.command()
def build(as_json: AsJson = False) -> None:
    """Write grafana/generated anew from the Python; needs grafana-foundation-sdk (make install)."""
    from grafana.dashboards import build as write

    written = [str(path) for path in write()]
    if as_json:
        print_json(written)
        return
    for path in written:
        typer.echo(path)


@dashboards_app.command()
def check(
    at: Annotated[datetime | None, typer.Option(help="The moment that now stands for, in UTC; now by default.")] = None,
    published: Annotated[bool, typer.Option("--published", help="Of the published figures too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run every query of dashboards and alert rules on the database and say what is wrong; exit 1 if anything is."""
    from grafana.dashboards import check as inspect
    from grafana.dashboards import check_published, check_rules, stale

    problems = [f"{name} is stale: run `ent dashboards build`" for name in stale()]
    now = at.replace(tzinfo=UTC) if at else datetime.now(UTC)
    exact = read_database_settings()
    problems += asyncio.run(_inspect(exact, (inspect, check_rules), now))
    if published:
        problems += asyncio.run(_inspect(published_of(exact), (check_published,), now))
    if as_json:
        print_json({"problems": problems})
    else:
        for problem in problems:
            typer.echo(problem, err=True)
    if problems:
        raise typer.Exit(1)
    if not as_json:
        typer.echo("every query answers, every panel and every alert rule is in order")


@dashboards_app.command()
def mark(
    label: Annotated[str, typer.Argument(help="What readers should know, in a few French words. No names.")],
    start: Annotated[datetime, typer.Option("--from", formats=_MOMENT_FORMATS, help="In Paris.")],
    end: Annotated[
        datetime | None, typer.Option("--to", formats=_MOMENT_FORMATS, help="In Paris; without it, a step that stays.")
    ] = None,
    kind: Annotated[BreakKind, typer.Option(help="rupture: counts otherwise from then on; erreur: is wrong.")] = (
        BreakKind.RUPTURE
    ),
    school: Annotated[str, typer.Option(help="UAI; every school by default.")] = "",
    withdraw: Annotated[str, typer.Option(help="Take back the break of this id, given with the same words.")] = "",
    as_json: AsJson = False,
) -> None:
    """Mark a break of the series on every chart that crosses it. Prints the break's id."""
    begins, ends = start.replace(tzinfo=_PARIS), (end or start).replace(tzinfo=_PARIS)
    try:
        found = SeriesBreak(withdraw or str(uuid4()), begins, ends, kind, school, label)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    _breaks().declare(found, withdrawn=bool(withdraw))
    if as_json:
        print_json({"break": found.break_id})
    else:
        typer.echo(found.break_id)


@dashboards_app.command()
def marks(as_json: AsJson = False) -> None:
    """The breaks of the series that charts draw."""
    breaks = _breaks().all()
    if as_json:
        print_json([asdict(found) for found in breaks])
        return
    for found in breaks:
        span = f"{found.begins.astimezone(_PARIS):%Y-%m-%d %H:%M} to {found.ends.astimezone(_PARIS):%Y-%m-%d %H:%M}"
        typer.echo(f"{found.break_id}  {span}  {found.kind}  {found.uai or 'every school'}  {found.label}")


def _breaks() -> SeriesBreaks:
    settings = read_database_settings()
    return SeriesBreaks(connect(settings), settings.database)


async def _inspect(
    database: DatabaseSettings, inspections: Sequence[Callable[[Query, datetime], Awaitable[list[str]]]], now: datetime
) -> list[str]:
    source = Source(database)
    try:
        return [problem for inspect in inspections for problem in await inspect(source.query, now)]
    finally:
        await source.close()
