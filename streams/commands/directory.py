"""`ent directory`: check a folder of CSV files, load it, and look again at what it did not know before."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from schemas.directory import School, SchoolClass
from sinks.clickhouse.client import connect
from sinks.clickhouse.directory import current_revision, read_directory
from sinks.clickhouse.named_events import ClickHouseNamedEvents
from sinks.clickhouse.store import ClickHouseStore
from streams.commands.as_json import AsJson
from streams.commands.directory_sources import PARIS, MaxLoss, import_sources, told
from streams.directory.csv_file import Problem
from streams.directory.difference import MAX_LOSS_SHARE, TooManyLostError
from streams.directory.folder import DirectoryFolderError, read_folder
from streams.directory.loading import load_directory, preview_directory
from streams.directory.reenrichment import Reenriched, reenrich_since
from streams.directory.snapshot import Directory
from streams.kafka_security import KafkaSecurity
from streams.settings import SettingsError, read_database_settings, read_kafka_security, read_keys, read_settings
from streams.topics import ApiVersion

directory_app = typer.Typer(help="The directory of schools, classes and profiles.", no_args_is_help=True)

_Folder = Annotated[Path, typer.Argument(help="Folder with schools.csv, classes.csv, profiles.csv and accounts.csv.")]


@directory_app.command()
def check(folder: _Folder, as_json: AsJson = False) -> None:
    """Say what is wrong in the files, line by line. Exit 1 if anything is."""
    found = read_folder(folder)
    counts = {"schools": len(found.records[School.topic]), "classes": len(found.records[SchoolClass.topic])}
    if as_json:
        typer.echo(json.dumps({**counts, "problems": [asdict(problem) for problem in found.problems]}, indent=2))
    if found.problems:
        _complain(found.problems)
    if not as_json:
        typer.echo(f"nothing to mend: {counts['schools']} descriptions of schools, {counts['classes']} of classes")


@directory_app.command()
def load(
    folder: _Folder,
    bootstrap: Annotated[
        str | None, typer.Option(help="Kafka as host:port,…; by default ENT_KAFKA__BOOTSTRAP.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also where nothing changed, for a database that has lost it.")
    ] = False,
    max_loss: MaxLoss = MAX_LOSS_SHARE,
    as_json: AsJson = False,
) -> None:
    """Send the directory to Kafka as a new revision; workers put it in force when all of it has arrived.

    Exit 1, with what to mend, where the files are not right; nothing is sent then.
    """
    bootstrap, api_version, security = _broker(bootstrap)
    try:
        done = load_directory(
            folder,
            bootstrap,
            api_version=api_version,
            security=security,
            even_if_unchanged=again,
            max_loss_share=max_loss,
        )
    except DirectoryFolderError as error:
        _complain(error.problems)
    except TooManyLostError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps(asdict(done)))
    elif done.changed:
        typer.echo(
            f"revision {done.revision} sent: {done.schools} descriptions of schools, {done.classes} of classes, "
            f"{done.profiles} profiles; {done.withdrawn} keys withdrawn"
        )
    else:
        typer.echo(f"nothing changed since revision {done.revision}: nothing sent")


@directory_app.command()
def reenrich(
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="First day of the events to look at, UTC.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look again at events whose school or class was not known, with the directory that is in force now.

    Their rows and all windows follow. It may be repeated, cut and run again: the second time nothing changes.
    """
    settings = read_database_settings()
    client, database = connect(settings), settings.database
    revision = current_revision(client, database)
    if revision is None:
        typer.echo("ent: there is no directory yet: load one with `ent directory load`", err=True)
        raise typer.Exit(2)
    _, key = read_keys()
    if key is None:
        raise SettingsError("ENT_EVENT_ID_KEY is not set: classes are found again by it, as by the worker")
    known = Directory(revision, read_directory(client, database, revision))
    events, store = ClickHouseNamedEvents(client, database), ClickHouseStore(client, database)
    done: list[Reenriched] = []
    for one in reenrich_since(since.date(), events, store, known, key, dry_run=dry_run):
        done.append(one)
        typer.echo(f"{one.day}: {one.looked_at} looked at, {one.changed} changed", err=True)
    total = {name: sum(getattr(one, name) for one in done) for name in ("looked_at", "changed", "unmapped")}
    if as_json:
        typer.echo(json.dumps({"revision": revision, **total}))
    else:
        would = "would change" if dry_run else "changed"
        typer.echo(
            f"{total['changed']} of {total['looked_at']} events {would} by revision {revision}; "
            f"{total['unmapped']} still name a school or class that it does not know"
        )


@directory_app.command()
def preview(
    folder: _Folder,
    bootstrap: Annotated[
        str | None, typer.Option(help="Kafka as host:port,…; by default ENT_KAFKA__BOOTSTRAP.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a load would change today in the directory that Kafka holds; nothing is sent."""
    bootstrap, api_version, security = _broker(bootstrap)
    try:
        today = datetime.now(PARIS).date()
        difference = preview_directory(folder, bootstrap, today, api_version=api_version, security=security)
    except DirectoryFolderError as error:
        _complain(error.problems)
    typer.echo(json.dumps(asdict(difference), indent=2) if as_json else told(difference))


def _broker(bootstrap: str | None) -> tuple[str, ApiVersion, KafkaSecurity]:
    if bootstrap is not None:
        return bootstrap, None, read_kafka_security()
    kafka = read_settings().kafka
    return kafka.bootstrap, kafka.api_version, kafka.security


directory_app.command("import")(import_sources)


def _complain(problems: list[Problem]) -> NoReturn:
    for problem in problems:
        typer.echo(str(problem), err=True)
    raise typer.Exit(1)
