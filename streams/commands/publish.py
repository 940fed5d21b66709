"""`ent publish`: write the figures that viewers may read."""

from __future__ import annotations

import signal
import threading
from datetime import timedelta
from functools import partial
from typing import Annotated

import typer

from sinks.clickhouse.client import connect
from sinks.clickhouse.directory import current_revision
from sinks.clickhouse.publisher import Publisher, published_ago
from streams.clock import Clock
from streams.commands.as_json import AsJson, print_json
from streams.logs import configure_logs
from streams.publication import Publication, rule_of
from streams.settings import read_publication_settings

_LATELY = timedelta(minutes=5)


def publish(
    once: Annotated[bool, typer.Option("--once", help="Write what is due now, and leave.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Say when it was done last; exit 1 if not lately.")] = False,
    as_json: AsJson = False,
) -> None:
    """Publish rounded figures beside the exact ones, at their pace, until SIGTERM; one process is enough.

    Viewers read the database ent_public: no row of fewer than ENT_PUBLICATION__K persons, multiples of 5, a fixed list
    of groupings. The exact figures stay in the database ent.
    """
    settings = read_publication_settings()
    configure_logs(settings.log_level)
    client = connect(settings.database)
    database = settings.database.database
    if check:
        age = published_ago(client, database)
        seconds = None if age is None else round(age.total_seconds())
        if as_json:
            print_json({"published_ago_s": seconds})
        else:
            typer.echo("nothing was published yet" if seconds is None else f"published {seconds} s ago")
        if age is None or age > _LATELY:
            raise typer.Exit(1)
        return
    rule = rule_of(settings.key("event_id_key"), settings.publication.k)
    publication = Publication(
        Publisher(client, database, rule),
        partial(current_revision, client, database),
        Clock().now,
        settings.retention.events_days,
    )
    if once:
        written = publication.publish_due()
        if as_json:
            print_json({"windows": written})
        else:
            typer.echo(f"{written} windows were due and are published")
        return
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    publication.run(stopped)
