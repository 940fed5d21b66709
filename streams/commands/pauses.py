"""`ent pauses`: partitions that a storm of rejects has paused, and the word to go on."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict, replace
from typing import Annotated

import typer
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from sinks.clickhouse.client import connect
from sinks.clickhouse.pauses import read_pauses, write_pause
from streams.settings import KafkaSettings, read_database_settings, read_lane_settings
from streams.topics import TopicError

pauses_app = typer.Typer(help="Partitions that are paused because nearly all of them is refused.", no_args_is_help=True)


_AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]


@pauses_app.command("list")
def list_pauses(as_json: _AsJson = False) -> None:
    """Print the partitions that are paused, where, since when and what was seen. Exit 1 if there are any."""
    settings = read_database_settings()
    held = [pause for pause in read_pauses(connect(settings), settings.database) if pause.holds]
    if as_json:
        typer.echo(json.dumps([asdict(pause) | {"at": pause.at.isoformat()} for pause in held], indent=2))
    else:
        for pause in held:
            since = pause.at.strftime("%Y-%m-%d %H:%M:%S UTC")
            typer.echo(f"{pause.topic}/{pause.partition} at offset {pause.offset} since {since}: {pause.reason}")
        if not held:
            typer.echo("no partition is paused")
    if held:
        raise typer.Exit(1)


@pauses_app.command()
def resume(
    topic: Annotated[str, typer.Argument(help="The topic.")],
    partition: Annotated[int, typer.Argument(help="The partition.")],
    through: Annotated[
        int | None, typer.Option(help="Let rejects through below this offset; by default all that the log holds now.")
    ] = None,
    as_json: _AsJson = False,
) -> None:
    """Let a paused partition go on: what is refused up to there becomes dead letters, and is not judged again.

    Behind that offset a storm pauses it anew. Mend the cause first, where it can be mended here (a format, a setting).
    """
    settings = read_lane_settings()
    client, database = connect(settings.database), settings.database.database
    held = [
        pause
        for pause in read_pauses(client, database)
        if pause.holds and (pause.topic, pause.partition) == (topic, partition)
    ]
    if not held:
        typer.echo(f"ent: {topic}/{partition} is not paused", err=True)
        raise typer.Exit(1)
    end = through if through is not None else _log_end(settings.kafka, topic, partition)
    for pause in held:
        write_pause(client, database, replace(pause, allowed_through=max(end, pause.offset + 1)))
    if as_json:
        typer.echo(json.dumps({"topic": topic, "partition": partition, "allowed_through": end}))
        return
    typer.echo(f"{topic}/{partition} goes on within seconds; rejects are let through below offset {end}")


def _log_end(kafka: KafkaSettings, topic: str, partition: int) -> int:
    tp = TopicPartition(topic, partition)
    try:
        consumer = KafkaConsumer(
            bootstrap_servers=kafka.bootstrap.split(","), api_version=kafka.api_version, **kafka.security.options()
        )
        with closing(consumer):
            return int(consumer.end_offsets([tp])[tp])
    except KafkaError as error:
        raise TopicError(f"Kafka at {kafka.bootstrap} does not say where {topic} ends ({error})") from error
