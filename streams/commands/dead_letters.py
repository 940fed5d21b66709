"""`ent dead-letters`: look at what was refused, count it, and replay it once its cause is mended."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from schemas.reason import Reason
from sinks.clickhouse.client import Client, connect
from sinks.clickhouse.dead_letters import By, Letter, Place, Selection, State, count_letters, read_letters
from streams.mending.mender import Mender
from streams.mending.replay import Verdict
from streams.producer import open_producer
from streams.settings import read_database_settings, read_keys, read_settings

dead_letters_app = typer.Typer(help="What was refused: look at it, count it, replay it.", no_args_is_help=True)

_PARIS = ZoneInfo("Europe/Paris")
_KEPT = timedelta(days=400)
"""Dead letters are never kept longer: a platform's name has one pseudonym in each school year of that time."""
_AT_ONCE = 1_000
_MOMENT = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]

_Reasons = Annotated[list[Reason] | None, typer.Option("--reason", help="Of this reason; may be repeated.")]
_Schools = Annotated[list[str] | None, typer.Option("--school", help="That name this UAI; may be repeated.")]
_Topics = Annotated[list[str] | None, typer.Option("--topic", help="Of this topic; may be repeated.")]
_Platforms = Annotated[
    list[str] | None,
    typer.Option("--platform", help="Of this format, or (with ENT_PSEUDONYM_KEY) of this CloudEvents source."),
]
_Since = Annotated[datetime | None, typer.Option(formats=_MOMENT, help="Arrived then or later, time of Paris.")]
_Until = Annotated[datetime | None, typer.Option(formats=_MOMENT, help="Arrived before, time of Paris.")]
_States = Annotated[list[State] | None, typer.Option("--state", help="open, sent or mended; may be repeated.")]
_AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]


@dead_letters_app.command("list")
def list_letters(
    reason: _Reasons = None,
    school: _Schools = None,
    topic: _Topics = None,
    platform: _Platforms = None,
    since: _Since = None,
    until: _Until = None,
    state: _States = None,
    limit: Annotated[int, typer.Option(min=1, help="So many at most.")] = 50,
    as_json: _AsJson = False,
) -> None:
    """Print dead letters, one a line: place, arrival, reason, school, format, state and message."""
    client, database = _database()
    selection = _selection(reason, school, topic, platform, since, until, state)
    for letter in read_letters(client, database, selection, limit):
        if as_json:
            _print_json(_told(letter))
        else:
            arrived = letter.arrived_at.astimezone(_PARIS).strftime("%Y-%m-%d %H:%M:%S")
            typer.echo(
                f"{letter.place}  {arrived}  {letter.reason}  {letter.school or '-'}  {letter.format}  "
                f"{letter.state}  {letter.message}"
            )


@dead_letters_app.command()
def show(
    place: Annotated[
        str, typer.Argument(help="Where it stood, as `list` prints it: topic/incarnation/partition/offset.")
    ],
) -> None:
    """Print all that is kept of one dead letter as JSON, with the event that it became."""
    client, database = _database()
    found = read_letters(client, database, Selection(place=_place(place)), 1)
    if not found:
        typer.echo(f"ent: no dead letter stands at {place}", err=True)
        raise typer.Exit(1)
    typer.echo(json.dumps(_told(found[0]), indent=2, ensure_ascii=False))


@dead_letters_app.command()
def stats(
    by: Annotated[
        list[By] | None, typer.Option(help="What to count by; may be repeated. By default the reason.")
    ] = None,
    reason: _Reasons = None,
    school: _Schools = None,
    topic: _Topics = None,
    platform: _Platforms = None,
    since: _Since = None,
    until: _Until = None,
    as_json: _AsJson = False,
) -> None:
    """Count dead letters: how many are open, sent and mended."""
    client, database = _database()
    columns = by or [By.REASON]
    names = [*(str(one) for one in columns), *(str(state) for state in State)]
    counted = count_letters(client, database, _selection(reason, school, topic, platform, since, until, None), columns)
    if as_json:
        typer.echo(json.dumps([dict(zip(names, row, strict=True)) for row in counted], indent=2, ensure_ascii=False))
        return
    rows = [tuple(names), *(tuple(str(cell) or "-" for cell in row) for row in counted)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@dead_letters_app.command()
def replay(
    place: Annotated[
        str | None, typer.Argument(help="One dead letter; by default all that the options select.")
    ] = None,
    reason: _Reasons = None,
    school: _Schools = None,
    topic: _Topics = None,
    platform: _Platforms = None,
    since: _Since = None,
    until: _Until = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also what was sent and is not stored, should the lane have lost it.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be accepted, and why not.")] = False,
    as_json: _AsJson = False,
) -> None:
    """Judge dead letters anew, and send those that are accepted now on the backfill lane.

    Each is read where it stood in Kafka; where Kafka no longer has it, what was kept of it may serve. A worker of the
    lane (ENT_KAFKA__LANE=backfill) takes them in; the old offsets stay rejected. Replaying twice changes nothing.
    """
    settings = read_settings()
    states = [State.OPEN, State.SENT] if again else [State.OPEN]
    selection = _selection(reason, school, topic, platform, since, until, states)
    mender = Mender(settings)
    outcomes: Counter[str] = Counter()
    with ExitStack() as stack:
        producer = (
            None
            if dry_run
            else stack.enter_context(
                open_producer(
                    settings.kafka.bootstrap,
                    api_version=settings.kafka.api_version,
                    security=settings.kafka.security,
                )
            )
        )
        page = replace(selection, place=_place(place) if place else None)
        while letters := read_letters(mender.client, mender.database, page, _AT_ONCE):
            for verdict in mender.mend(letters, producer):
                outcomes[verdict.why_not or "accepted"] += 1
                if as_json or (verdict.why_not and outcomes.total() <= 20):
                    _tell(verdict, as_json=as_json)
            page = replace(page, after=letters[-1].place)
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{outcomes.total()} dead letters looked at ")
    _sum_up(outcomes, dry_run=dry_run)


def _tell(verdict: Verdict, *, as_json: bool) -> None:
    if as_json:
        told = {"place": str(verdict.letter.place), "was": verdict.letter.reason, "accepted": verdict.accepted}
        if verdict.mend:
            told |= {"event_id": verdict.mend.event_id.hex(), "origin": verdict.mend.origin}
        else:
            told |= {"why_not": verdict.why_not, "message": verdict.message}
        _print_json(told)
    else:
        typer.echo(f"{verdict.letter.place}  {verdict.why_not}  {verdict.message}")


def _sum_up(outcomes: Counter[str], *, dry_run: bool) -> None:
    accepted = outcomes.pop("accepted", 0)
    refused = ", ".join(f"{count} {why}" for why, count in outcomes.most_common())
    done = "would be accepted" if dry_run else "sent to the backfill lane"
    typer.echo(f"{accepted} {done}; {outcomes.total()} not" + (f" ({refused})" if refused else ""), err=True)


def _database() -> tuple[Client, str]:
    settings = read_database_settings()
    return connect(settings), settings.database


def _selection(
    reasons: Sequence[Reason] | None,
    schools: Sequence[str] | None,
    topics: Sequence[str] | None,
    platforms: Sequence[str] | None,
    since: datetime | None,
    until: datetime | None,
    states: Sequence[State] | None,
) -> Selection:
    keyring, _ = read_keys() if platforms else (None, None)
    now = datetime.now(UTC)
    years = keyring.years(now - _KEPT, now).values() if keyring else ()
    sources = [pseudonyms.text(name) for name in platforms or () for pseudonyms in years]
    return Selection(
        reasons=[reason.value for reason in reasons or ()],
        schools=schools or (),
        topics=topics or (),
        platforms=[*(platforms or ()), *sources],
        since=since and since.replace(tzinfo=_PARIS),
        until=until and until.replace(tzinfo=_PARIS),
        states=states or (),
    )


def _place(text: str) -> Place:
    try:
        topic, incarnation, partition, offset = text.split("/")
        return Place(topic, int(incarnation), int(partition), int(offset))
    except ValueError:
        raise typer.BadParameter(f"{text} is no place: topic/incarnation/partition/offset") from None


def _told(letter: Letter) -> dict[str, Any]:
    """A dead letter as JSON has it: what it became only where it became something."""
    told = {"place": str(letter.place), **asdict(letter), "payload": json.loads(letter.payload)}
    if letter.state == State.OPEN:
        for name in ("mended_by", "event_time", "event_school", "event_type", "origin", "sent_at"):
            del told[name]
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in told.items()}


def _print_json(told: dict[str, Any]) -> None:
    typer.echo(json.dumps(told, ensure_ascii=False, separators=(",", ":")))
