"""`ent backup` and `ent restore`: the database as a whole."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from sinks.clickhouse.backup import BackupRefused, back_up
from sinks.clickhouse.backup import restore as bring_back
from sinks.clickhouse.client import connect
from streams.commands.as_json import AsJson
from streams.settings import read_database_settings

_Name = Annotated[str, typer.Argument(help="Name of the backup, for example ent-2026-11-22.")]


def backup(name: _Name, as_json: AsJson = False) -> None:
    """Copy the whole database into the folder of backups of the ClickHouse server; workers may go on.

    ent backup ent-2026-11-22
    """
    settings = read_database_settings()
    try:
        back_up(connect(settings), settings.database, name)
    except BackupRefused as error:
        raise typer.BadParameter(str(error)) from None
    told = f"{name} is complete: copy it away from the server's disk"
    typer.echo(json.dumps({"backup": name}) if as_json else told)


def restore(name: _Name, as_json: AsJson = False) -> None:
    """Bring the database back from a backup, into one that is empty; stop the workers before.

    Then let the workers read again from before the backup: docs/operations.md says how.
    """
    settings = read_database_settings()
    try:
        bring_back(connect(settings), settings.database, name)
    except BackupRefused as error:
        raise typer.BadParameter(str(error)) from None
    told = f"{name} is back; let the workers read again from before it was made: docs/operations.md"
    typer.echo(json.dumps({"restored": name}) if as_json else told)
