"""`ent topics`: create the topics, or check them."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from streams.commands.as_json import AsJson
from streams.settings import read_settings
from streams.topics import check_topics, create_topics, specs


def topics(
    check: Annotated[
        bool, typer.Option("--check", help="Create nothing; exit 1 where a topic is not as it should be.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Create the topics that are missing; never change or delete one that is there."""
    kafka = read_settings().kafka
    wanted = specs(event_partitions=kafka.event_partitions)
    if not check:
        create_topics(
            kafka.bootstrap,
            wanted,
            replication=kafka.replication,
            api_version=kafka.api_version,
            security=kafka.security,
        )
    problems = check_topics(kafka.bootstrap, wanted, api_version=kafka.api_version, security=kafka.security)
    if as_json:
        typer.echo(json.dumps({"problems": [asdict(problem) for problem in problems]}, indent=2))
    for problem in problems:
        typer.echo(str(problem), err=True)
    if problems:
        raise typer.Exit(1)
    if not as_json:
        typer.echo("all topics are as they should be")
