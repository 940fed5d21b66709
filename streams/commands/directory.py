"""`ent directory`: check a folder of CSV files, and load it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from schemas.directory import School, SchoolClass
from streams.directory.csv_file import Problem
from streams.directory.folder import DirectoryFolderError, read_folder
from streams.directory.loading import load_directory
from streams.settings import read_settings
from streams.topics import ApiVersion

directory_app = typer.Typer(help="The directory of schools, classes and profiles.", no_args_is_help=True)

_Folder = Annotated[Path, typer.Argument(help="Folder with schools.csv, classes.csv, profiles.csv and accounts.csv.")]
_AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


@directory_app.command()
def check(folder: _Folder, as_json: _AsJson = False) -> None:
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
    as_json: _AsJson = False,
) -> None:
    """Send the directory to Kafka as a new revision; workers put it in force when all of it has arrived.

    Exit 1, with what to mend, where the files are not right; nothing is sent then.
    """
    api_version: ApiVersion = None
    if bootstrap is None:
        kafka = read_settings().kafka
        bootstrap, api_version = kafka.bootstrap, kafka.api_version
    try:
        done = load_directory(folder, bootstrap, api_version=api_version, even_if_unchanged=again)
    except DirectoryFolderError as error:
        _complain(error.problems)
    if as_json:
        typer.echo(json.dumps(asdict(done)))
    elif done.changed:
        typer.echo(
            f"revision {done.revision} sent: {done.schools} descriptions of schools, {done.classes} of classes, "
            f"{done.profiles} profiles; {done.withdrawn} keys withdrawn"
        )
    else:
        typer.echo(f"nothing changed since revision {done.revision}: nothing sent")


def _complain(problems: list[Problem]) -> NoReturn:
    for problem in problems:
        typer.echo(str(problem), err=True)
    raise typer.Exit(1)
