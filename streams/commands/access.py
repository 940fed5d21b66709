"""`ent access`: who may read what, as data; on ClickHouse and in Grafana."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr, ValidationError

from grafana.audiences import sources
from sinks.clickhouse.access import Audience, wanted
from sinks.clickhouse.access_plan import Step, plan, read_found, read_schools
from sinks.clickhouse.client import Client, connect
from streams.settings import SettingsError, read_database_settings

access_app = typer.Typer(
    help="Roles, row policies and quotas of audiences, and their data sources.", no_args_is_help=True
)
_File = Annotated[Path, typer.Argument(help="TOML file of audiences; examples/access.toml is one.")]
_Passwords = Annotated[
    Path | None, typer.Option("--passwords", help="Folder with a file for each audience, named like it, for new users.")
]


@access_app.command(name="plan")
def show_plan(file: _File, passwords: _Passwords = None) -> None:
    """Say what `apply` would change, a line each. Exit 1 if anything."""
    audiences = read_audiences(file)
    settings = read_database_settings()
    steps = _steps(connect(settings), audiences, passwords, settings.database)
    for line in [*(told for each in audiences if (told := each.gives_away)), *map(str, steps)]:
        typer.echo(line)
    if steps:
        raise typer.Exit(1)
    typer.echo("nothing to change")


@access_app.command()
def apply(file: _File, passwords: _Passwords = None) -> None:
    """Make the server's roles, users, row policies, quotas and profiles those of the file.

    Names that begin with ent_ are ours: what the file no longer has is taken away. The command's user needs
    ACCESS MANAGEMENT on the server.
    """
    audiences = read_audiences(file)
    settings = read_database_settings()
    client = connect(settings)
    for told in (told for each in audiences if (told := each.gives_away)):
        typer.echo(told, err=True)
    steps = _steps(client, audiences, passwords, settings.database)
    for step in steps:
        client.command(step.statement)
        typer.echo(str(step))
    typer.echo(f"{len(steps)} changes")


@access_app.command()
def grafana(
    file: _File,
    host: Annotated[str, typer.Option(help="ClickHouse as Grafana reaches it.")] = "clickhouse",
    port: Annotated[int, typer.Option(help="Its native port.")] = 9000,
    secure: Annotated[bool, typer.Option("--secure", help="TLS to ClickHouse.")] = False,
) -> None:
    """Print a provisioning file with a data source for each audience; put it beside the others.

    A data source is for whom it is meant when its folder or organisation is: give each audience one of its own.
    """
    database = read_database_settings().database
    typer.echo(
        json.dumps(sources(read_audiences(file), host, port, database, secure=secure), ensure_ascii=False, indent=2)
    )


def read_audiences(file: Path) -> list[Audience]:
    """The audiences of a TOML file; SettingsError where it is none or names one twice."""
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"))
        audiences = [Audience.model_validate(each) for each in told.get("audience", [])]
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise SettingsError(f"{file}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    names = [each.name for each in audiences]
    if len(set(names)) != len(names):
        raise SettingsError(f"{file}: two audiences have the same name")
    return audiences


def _steps(client: Client, audiences: list[Audience], folder: Path | None, database: str) -> list[Step]:
    found = read_found(client)
    users = {each.name for each in found if each.kind == "user"}
    passwords = {
        each.name: SecretStr((folder / each.name).read_text().strip())
        for each in audiences
        if folder is not None and each.role not in users and (folder / each.name).exists()
    }
    roles = {each.role for each in audiences}
    return plan(wanted(audiences, read_schools(client, database), passwords, database), found, roles)
