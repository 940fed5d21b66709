"""`ent access`: who may read what, as data; on ClickHouse and in Grafana."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr, ValidationError

from grafana.audiences import Reached, providers, sources
from sinks.clickhouse.access import Audience, wanted
from sinks.clickhouse.access_plan import Step, plan, read_found, read_schools
from sinks.clickhouse.client import Client, connect
from streams.commands.as_json import AsJson, print_json
from streams.settings import SettingsError, read_database_settings

access_app = typer.Typer(
    help="Roles, row policies and quotas of audiences, and their data sources.", no_args_is_help=True
)
_File = Annotated[Path, typer.Argument(help="TOML file of audiences; examples/access.toml is one.")]
_Passwords = Annotated[
    Path | None, typer.Option("--passwords", help="Folder with a file for each audience, named like it, for new users.")
]


@access_app.command(name="plan")
def show_plan(file: _File, passwords: _Passwords = None, as_json: AsJson = False) -> None:
    """Say what `apply` would change, a line each. Exit 1 if anything."""
    audiences = read_audiences(file)
    settings = read_database_settings()
    steps = _steps(connect(settings), audiences, passwords, settings.database)
    opened = [told for each in audiences if (told := each.gives_away)]
    if as_json:
        print_json({"opened": opened, "changes": list(map(_told, steps))})
    else:
        for line in [*opened, *map(str, steps)] if steps else [*opened, "nothing to change"]:
            typer.echo(line)
    if steps:
        raise typer.Exit(1)


@access_app.command()
def apply(file: _File, passwords: _Passwords = None, as_json: AsJson = False) -> None:
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
        if not as_json:
            typer.echo(str(step))
    if as_json:
        print_json({"changes": list(map(_told, steps))})
    else:
        typer.echo(f"{len(steps)} changes")


@access_app.command()
def grafana(
    file: _File,
    host: Annotated[str, typer.Option(help="ClickHouse as Grafana reaches it.")] = "clickhouse",
    port: Annotated[int, typer.Option(help="Its native port.")] = 9000,
    secure: Annotated[bool, typer.Option("--secure", help="TLS to ClickHouse.")] = False,
    into: Annotated[
        Path | None, typer.Option(help="Grafana's folder of provisioning: write the files there, if they are not so.")
    ] = None,
    dashboards: Annotated[str, typer.Option(help="Where Grafana finds the dashboards.")] = "/etc/grafana/dashboards",
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 where a file is not so.")] = False,
) -> None:
    """Print, or write, Grafana's provisioning: a data source for each audience, and its organisation's dashboards.

    Readers of one organisation may ask each of its data sources anything: give every audience an organisation of its
    own. Make them first, in Grafana (Administration, Organisations), and note their ids in the file.
    """
    audiences = read_audiences(file)
    reached = Reached(host, port, read_database_settings().database, secure)
    documents = {"datasources": sources(audiences, reached), "dashboards": providers(audiences, dashboards)}
    if into is None:
        print_json(documents)
        return
    stale = _stale(into, documents)
    for path, text in stale.items():
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        typer.echo(f"{'not as it should be' if check else 'written'}: {path}")
    if check and stale:
        raise typer.Exit(1)
    if not stale:
        typer.echo("nothing to change")


def _stale(folder: Path, documents: dict[str, dict[str, Any]]) -> dict[Path, str]:
    """The files that are not there or other than they should be, and what should stand in them. JSON is YAML."""
    texts = {
        folder / kind / "audiences.yaml": json.dumps(document, ensure_ascii=False, indent=2) + "\n"
        for kind, document in documents.items()
    }
    return {path: text for path, text in texts.items() if not path.exists() or path.read_text("utf-8") != text}


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
    shared = [each.organisation for each in audiences if each.organisation is not None]
    if len(set(shared)) != len(shared):
        raise SettingsError(
            f"{file}: two audiences have the same organisation: each would read the other's data source"
        )
    return audiences


def _told(step: Step) -> dict[str, str]:
    """Without its statement, which holds the hash of a new user's password."""
    return {"sign": step.sign, "what": step.what}


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
