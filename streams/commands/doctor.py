"""`ent doctor`: look at everything that the service needs, and say what to do about what is not right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sinks.base import StoreMisconfigured, StoreUnavailable
from sinks.clickhouse.client import connect
from sinks.clickhouse.errors import DatabaseFailure
from sinks.clickhouse.migrate import MigrationRefused
from streams.doctor import looks
from streams.doctor.finding import Finding, Look, Verdict, all_of, ok, skipped, wrong
from streams.settings import Settings, SettingsError, read_settings
from streams.topics import TopicError

_MENDABLE = (SettingsError, TopicError, StoreUnavailable, StoreMisconfigured, MigrationRefused, DatabaseFailure)
_NEEDED = ("database", "migrations")
_NEED_TABLES = ("directory", "calendar", "figures")


def doctor(
    grafana: Annotated[str | None, typer.Option(help="Grafana's address, for example http://localhost:3000.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")] = False,
) -> None:
    """Look at everything that the service needs, and say what to do about what is not right.

    Settings, secrets, broker, topics, database, clock, disks, migrations, directory, calendar, figures, ledger, tokens,
    Grafana. Nothing is changed. Exit 1 if anything is wrong; each finding says what to do.
    """
    found: list[Finding] = []
    for finding in _findings(grafana):
        found.append(finding)
        if not as_json:
            typer.echo(str(finding))
    count = sum(finding.verdict is Verdict.WRONG for finding in found)
    if as_json:
        typer.echo(json.dumps({"well": not count, "findings": [asdict(one) for one in found]}, indent=2))
    else:
        typer.echo(f"{count} wrong" if count else "nothing is wrong")
    if count:
        raise typer.Exit(1)


def _findings(grafana: str | None) -> Iterator[Finding]:
    try:
        settings = read_settings()
    except SettingsError as error:
        yield wrong("settings", " ".join(str(error).split()), "set it; docs/settings.md has them all")
        return
    yield ok("settings", "they can be read")
    yield from all_of(_outside(settings, grafana), _MENDABLE)
    usable = True
    for finding in all_of(_database(settings), _MENDABLE):
        usable &= finding.verdict is not Verdict.WRONG or finding.check not in _NEEDED
        yield finding
    if usable:
        yield from all_of(_tables(settings), _MENDABLE)
    else:
        yield from (skipped(name, "see above first") for name in _NEED_TABLES)


def _outside(settings: Settings, grafana: str | None) -> list[tuple[str, Look]]:
    now = looks.now_utc()
    return [
        ("secrets", lambda: looks.look_at_secrets(settings, now)),
        ("broker", lambda: looks.look_at_topics(settings.kafka)),
        ("disk", lambda: looks.look_at_disk(Path.cwd())),
        ("tokens", lambda: looks.look_at_tokens(settings, now.date())),
        ("grafana", lambda: looks.look_at_grafana(grafana)),
    ]


def _database(settings: Settings) -> list[tuple[str, Look]]:
    client = connect(settings.database)
    return [
        ("database", lambda: looks.look_at_server(client, looks.now_utc())),
        ("migrations", lambda: looks.look_at_migrations(client, settings.database.database)),
    ]


def _tables(settings: Settings) -> list[tuple[str, Look]]:
    client, database = connect(settings.database), settings.database.database
    now = looks.now_utc()
    return [
        ("directory", lambda: looks.look_at_directory(client, database)),
        ("calendar", lambda: looks.look_at_calendar(client, database, now.date())),
        ("figures", lambda: looks.look_at_figures(client, database, now)),
    ]
