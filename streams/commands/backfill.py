"""`ent backfill`: history from files, on a lane of its own."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from sinks.clickhouse.backfills import read_backfill, write_backfill
from sinks.clickhouse.client import connect
from streams.backfill.files import digest
from streams.backfill.sending import Sending, Sent, Step
from streams.commands.as_json import AsJson, print_json
from streams.group_position import GroupPosition
from streams.incarnation import identify
from streams.producer import open_producer
from streams.settings import LaneSettings, read_lane_settings
from streams.topics import BACKFILL, Lane

_TELL_EVERY_S = 10.0


def backfill(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="NDJSON, plain, .gz or .zst.")],
    ahead: Annotated[
        int, typer.Option(min=1, help="Records that may be sent and not be in the windows yet; then it waits.")
    ] = 500_000,
    again: Annotated[bool, typer.Option("--again", help="From the first line, also where a file was sent before.")] = (
        False
    ),
    as_json: AsJson = False,
) -> None:
    """Send files of events, canonical or a platform's, one JSON document a line; a worker of the lane takes them in.

    Start that worker with ENT_KAFKA__LANE=backfill. A run that was cut goes on where it was; a file that was sent is
    not sent again, and if it is (--again), no figure changes: an event counts once. What is refused becomes a dead
    letter, as with live events.
    """
    settings = read_lane_settings()
    kafka, client, database = settings.kafka, connect(settings.database), settings.database.database
    incarnation = identify(kafka.bootstrap, [BACKFILL], kafka.log_identity, kafka.security)[BACKFILL]

    def remember(path: Path, of: str, sent: Sent) -> None:
        write_backfill(client, database, of, incarnation, name=path.name, lines=sent.lines, finished=sent.finished)

    with (
        open_producer(kafka.bootstrap, api_version=kafka.api_version, security=kafka.security) as producer,
        closing(_distance(settings, producer.partitions(BACKFILL))) as distance,
    ):
        sending = Sending(producer, distance, ahead, remember)
        lines: dict[str, int] = {}
        for path in files:
            of = digest(path)
            before = Sent(0, finished=False) if again else Sent(*read_backfill(client, database, of, incarnation))
            if before.finished:
                _say(f"{path}: its {before.lines} lines were sent before; --again sends them again")
            else:
                before = _follow(path, sending.send(path, of, before), before)
            lines[str(path)] = before.lines
    if as_json:
        print_json(lines)


def _distance(settings: LaneSettings, partitions: int) -> GroupPosition:
    kafka = settings.kafka
    group = Lane.BACKFILL.group(kafka.group)
    return GroupPosition(kafka.bootstrap, group, [BACKFILL], partitions, kafka.api_version, kafka.security)


def _follow(path: Path, steps: Iterator[Step], before: Sent) -> Sent:
    """Show how far it is: people see every step, logs one now and then and the last. Returns what was sent in all."""
    size, told_s = path.stat().st_size, time.monotonic()
    if before.lines:
        _say(f"{path}: going on after line {before.lines}")
    sent = before
    for step in steps:
        sent = step.sent
        text = f"{path}: {step.sent.lines} lines, {step.read_bytes / max(size, 1):.0%}"
        if step.waiting:
            text += f", waiting for the backfill worker: {step.waiting} records behind"
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{text}\x1b[K")
        elif step.sent.finished or time.monotonic() > told_s + _TELL_EVERY_S:
            _say(text)
            told_s = time.monotonic()
    if sys.stderr.isatty():
        sys.stderr.write("\n")
    return sent


def _say(text: str) -> None:
    typer.echo(text, err=True)
