"""The option `--json` of commands, and what it prints."""

from __future__ import annotations

import json
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


def print_json(told: object) -> None:
    """One document on standard output; moments and days as text."""
    typer.echo(json.dumps(told, default=str, ensure_ascii=False, indent=2))
