"""`ent smoke`: asks a Grafana that was just started whether everything that it should show is there."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from streams.commands.as_json import AsJson, print_json


def smoke(
    password_file: Annotated[Path, typer.Option(help="Holds the password.", exists=True, dir_okay=False)],
    url: Annotated[str, typer.Option(help="Where Grafana answers.")] = "http://127.0.0.1:3000",
    user: Annotated[str, typer.Option(help="An administrator of Grafana.")] = "admin",
    log: Annotated[str, typer.Option(help="A file with Grafana's log; - for standard input.")] = "-",
    as_json: AsJson = False,
) -> None:
    """Health, data source, every query of every dashboard, alert rules, the log; exit 1 if anything is wrong."""
    # Needs grafana-foundation-sdk, as `ent dashboards build` does: make install.
    from grafana.smoke import GrafanaAwayError, door
    from grafana.smoke import smoke as look

    found = []
    written = sys.stdin if log == "-" else Path(log).read_text().splitlines()
    try:
        for finding in look(door(url, user, password_file.read_text().strip()), written):
            found.append(finding)
            if not as_json:
                typer.echo(f"WRONG  {finding.what}: {finding.problem}" if finding.problem else f"ok     {finding.what}")
    except GrafanaAwayError as error:
        typer.echo(f"WRONG  {error}", err=True)
        raise typer.Exit(1) from None
    wrong = sum(bool(finding.problem) for finding in found)
    if as_json:
        print_json({"well": not wrong, "findings": [asdict(finding) for finding in found]})
    else:
        typer.echo(f"{len(found)} looked at, {wrong} wrong")
    if wrong:
        raise typer.Exit(1)
