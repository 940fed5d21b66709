"""`ent privacy`: how long what is kept, whether that is so, and the erasure of a person."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated

import typer

from sinks.clickhouse.client import connect
from sinks.clickhouse.erasure import erase as erase_persons
from sinks.clickhouse.retention import apply_retention, check_retention, retentions
from streams.commands.as_json import AsJson, print_json
from streams.erasure import persons_of
from streams.school_keys import missing_next_key
from streams.settings import SettingsError, read_keys, read_publication_settings, read_retention_settings
from streams.windows import days_of

_SETTLE_S = 30.0
"""Workers look at the list every two seconds; a batch that they hold is stored by then."""

privacy_app = typer.Typer(help="Retention and erasure.", no_args_is_help=True)


@privacy_app.command()
def apply(as_json: AsJson = False) -> None:
    """Give every table the limit that it should have, as its TTL; `ent migrate` does it too."""
    settings = read_retention_settings()
    wanted = retentions(settings.database.database, settings.retention)
    changed = apply_retention(connect(settings.database), wanted)
    if as_json:
        print_json([asdict(each) | {"changed": each.table in changed} for each in wanted])
        return
    for each in wanted:
        state = "changed" if each.table in changed else "as it was"
        typer.echo(f"{state:10} {each.table}: {each.days} days ({each.why})")


@privacy_app.command()
def check(as_json: AsJson = False) -> None:
    """Say what is kept longer than it may be, and which key is missing soon. Exit 1 if anything is."""
    settings = read_retention_settings()
    wanted = retentions(settings.database.database, settings.retention)
    problems = check_retention(connect(settings.database), wanted)
    keyring, _ = read_keys()
    advice = missing_next_key(keyring, datetime.now(UTC)) if keyring else None
    found = [*problems, *([advice] if advice else [])]
    if as_json:
        print_json({"tables": len(wanted), "problems": found})
    else:
        for line in found or [f"{len(wanted)} tables keep what they may, and no longer"]:
            typer.echo(line)
    if found:
        raise typer.Exit(1)


@privacy_app.command()
def erase(
    user_from_stdin: Annotated[
        bool, typer.Option("--user-from-stdin", help="Read the person's ids, one a line, as the platform sends them.")
    ] = False,
    settle_s: Annotated[float, typer.Option(help="Seconds to wait for what workers already hold.")] = _SETTLE_S,
) -> None:
    """Erase a person from events, dead letters and windows, keep them out from now on, and print a receipt.

    Ids come on standard input, so that they are in no list of processes and no history. The keys of the school years
    have to be at hand (ENT_PSEUDONYM_KEY_FILE). It may be repeated; the receipt names nobody.

        ent privacy erase --user-from-stdin < person.txt
    """
    if not user_from_stdin:
        raise SettingsError("give the person's ids on standard input, one a line, with --user-from-stdin")
    ids = [line.strip() for line in sys.stdin if line.strip()]
    if not ids:
        raise SettingsError("standard input held no id: give the person's ids, one a line")
    settings = read_publication_settings()
    keep = timedelta(days=settings.retention.events_days)
    receipt = erase_persons(
        connect(settings.database),
        settings.database.database,
        persons_of(settings.keyring(), ids, datetime.now(UTC), keep),
        days_of,
        settle=partial(time.sleep, settle_s),
        tell=partial(typer.echo, err=True),
    )
    print_json(asdict(receipt))
