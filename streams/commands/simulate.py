"""`ent simulate`: events of schools that behave like schools, to a file or a broker."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Final, NoReturn
from zoneinfo import ZoneInfo

import typer

if TYPE_CHECKING:
    from streams.simulator.simulation import Simulation

_PARIS: Final = ZoneInfo("Europe/Paris")
_Rate = Annotated[float, typer.Option(min=0, max=1, help="Share of the events, from 0 to 1.")]


def simulate(
    to: Annotated[Path | None, typer.Option(help="File to write, one record a line, as `ent decode` reads it.")] = None,
    broker: Annotated[
        str | None, typer.Option(help="Kafka to produce to instead, as host:port,…, to topics that are there.")
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="File for what the windows and the counts must be, as JSON.")
    ] = None,
    directory: Annotated[
        Path | None, typer.Option(help="Folder of the directory; by default examples/mulhouse of the checkout.")
    ] = None,
    start: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="First day; by default the last school day after which so many days are over."
        ),
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="How many days. Kafka keeps a week by default.")] = 1,
    live: Annotated[bool, typer.Option("--live", help="To a broker: go on with the present until Ctrl-C.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another city.")] = 68,
    scale: Annotated[float, typer.Option(min=0, help="1: about 25 000 events a school day for Mulhouse.")] = 1.0,
    outage: Annotated[
        str | None, typer.Option(help="UAI (or `all`) that falls silent in the running `ent demo`, from now on.")
    ] = None,
    outage_min: Annotated[float, typer.Option(min=1, help="For how many minutes.")] = 240.0,
    demo: Annotated[Path, typer.Option(help="Folder of that demonstration.")] = Path(".ent-demo"),
    duplicates: _Rate = 0.0,
    late: _Rate = 0.0,
    disorder: _Rate = 0.0,
    malformed: _Rate = 0.0,
    unknown_class: _Rate = 0.0,
    unknown_school: _Rate = 0.0,
    tombstones: _Rate = 0.0,
    ignored: _Rate = 0.0,
) -> None:
    """Make up the events of some days: logins by class, applications, notifications, parents in the evening.

    The same seed, scale, rates and directory make the same days, so that doing it twice only adds duplicates. A broker
    that wants TLS or SASL is spoken to as ENT_KAFKA__SECURITY__… says.
    """
    # Here, and not above: the worker does without numpy, which takes its time.
    from streams.directory.folder import DirectoryFolderError, read_directory_folder
    from streams.producer import ProducerError
    from streams.simulator.calendar import CalendarEndedError, is_school_day
    from streams.simulator.faults import Faults
    from streams.simulator.mulhouse import EXAMPLE
    from streams.simulator.output import write
    from streams.simulator.simulation import Simulation
    from streams.topics import TopicError

    if outage is not None:
        _fall_silent(outage, timedelta(minutes=outage_min), demo)
        return
    if (to is None) == (broker is None):
        raise typer.BadParameter("give either --to FILE or --broker HOST:PORT")
    if live and broker is None:
        raise typer.BadParameter("--live goes with --broker: a file has an end")
    folder = directory or EXAMPLE
    if not folder.is_dir():
        raise typer.BadParameter(f"{folder} is no folder: give one with --directory, or run this in a checkout")
    faults = Faults(duplicates, late, disorder, malformed, unknown_class, unknown_school, tombstones, ignored)
    try:
        simulation = Simulation(read_directory_folder(folder).rows, seed, scale, faults)
        first = start.date() if start else first_day(days, datetime.now(_PARIS).date(), is_school_day)
        until = datetime.combine(first + timedelta(days=days), datetime.min.time(), _PARIS)
        if to is not None:
            _follow(write(simulation, to, first, until), "lines")
        else:
            _produce(simulation, str(broker), first, None if live else until)
    except DirectoryFolderError as error:
        _fail(f"{folder} cannot be used:\n{error}")
    except (CalendarEndedError, TopicError, ProducerError, OSError) as error:
        _fail(str(error))
    if truth is not None:
        truth.write_text(json.dumps(simulation.truth.to_json(), ensure_ascii=False) + "\n")


def _fall_silent(school: str, span: timedelta, folder: Path) -> None:
    """Leave word for the demonstration that runs on `folder`."""
    from streams.demo.scene import Place
    from streams.simulator.outage import EVERY_SCHOOL, Outage, note_outages, read_outages

    place = Place(folder)
    if not place.clock.exists():
        _fail(f"no demonstration runs on {folder}: start `ent demo`, or name its folder with --demo")
    now = datetime.now(UTC) + timedelta(seconds=json.loads(place.clock.read_text()))
    silent = Outage(EVERY_SCHOOL if school == "all" else school, now, now + span)
    note_outages(place.outages, [*read_outages(place.outages), silent])
    typer.echo(f"{school} is silent from {now.astimezone(_PARIS):%d/%m/%Y %H:%M} on the demonstration's clock")


def first_day(days: int, today: date, is_school_day: Callable[[date], bool]) -> date:
    """The last school day from which so many days are over."""
    day = today - timedelta(days=days)
    while not is_school_day(day):
        day -= timedelta(days=1)
    return day


def _produce(simulation: Simulation, bootstrap: str, first: date, until: datetime | None) -> None:
    """Produce everything until then; without an end, everything until now and then what comes, until Ctrl-C."""
    from streams.producer import open_producer
    from streams.settings import read_kafka_security
    from streams.simulator.output import produce, produce_live

    stop = Event()
    signal.signal(signal.SIGINT, lambda *_: stop.set())  # between two chunks, so that the truth is that of the broker
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    now = datetime.now(UTC)
    with open_producer(bootstrap, security=read_kafka_security()) as producer:
        _follow(produce(simulation, producer, first, until or now), "records", stop)
        if until is None and not stop.is_set():
            _follow(produce_live(simulation, producer, now, partial(datetime.now, UTC), stop), "live records", stop)


def _follow(counts: Iterator[int], what: str, stop: Event | None = None) -> None:
    """Drain `counts` and show them, to people at once and to logs at the end."""
    start_s = time.monotonic()
    count = 0
    for count in counts:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{count} {what} ")
            sys.stderr.flush()
        if stop is not None and stop.is_set():
            break
    seconds, carriage = time.monotonic() - start_s, "\r" if sys.stderr.isatty() else ""
    typer.echo(f"{carriage}{count} {what} in {seconds:.1f} s", err=True)


def _fail(message: str) -> NoReturn:
    typer.echo(f"ent: {message}", err=True)
    raise typer.Exit(2)
