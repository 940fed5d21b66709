"""`ent calendar`: school holidays, timetables and declared closures."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, NoReturn
from uuid import uuid4
from zoneinfo import ZoneInfo

import typer

from schemas.school_time import CalendarEndedError, Category, Closure, ClosureReason, SchoolTime
from schemas.school_time.bundled import BUNDLED
from schemas.school_time.horizon import Horizon
from schemas.school_time.ministry import MinistryFileError
from sinks.clickhouse.client import connect
from sinks.clickhouse.school_time import SchoolTimeTables
from streams.commands.as_json import AsJson
from streams.directory.difference import MAX_LOSS_SHARE
from streams.school_time.difference import TooManyWeeksLostError, compare_weeks
from streams.school_time.files import read_calendar_file, read_timetable_file
from streams.settings import read_database_settings

calendar_app = typer.Typer(help="School time: holidays, timetables, declared closures.", no_args_is_help=True)

_PARIS: Final = ZoneInfo("Europe/Paris")
_EVERY_SCHOOL: Final = "all"
_Calendar = Annotated[Path | None, typer.Option(help="File of fr-en-calendrier-scolaire, as CSV or JSON.")]
_Timetables = Annotated[Path | None, typer.Option(help="File of fr-en-organisation-du-temps-scolaire, likewise.")]
_MOMENT_FORMATS: Final = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
_LABELS: Final = {
    Category.FERMETURE: "fermeture déclarée",
    Category.VACANCES: "vacances",
    Category.FERIE: "jour férié ou pont",
    Category.WEEK_END: "week-end",
    Category.MERCREDI_LIBRE: "mercredi libre",
    Category.JOUR_LIBRE: "jour sans classe",
    Category.CLASSE: "classe",
    Category.PAUSE_MERIDIENNE: "pause méridienne",
    Category.SOIR_MATIN: "hors classe",
}


@calendar_app.command()
def check(calendar: _Calendar = None, timetables: _Timetables = None, as_json: AsJson = False) -> None:
    """Check the ministry's files, line by line; without files, what is in force. Exit 1 if there is something to mend.

    What is in force is to be mended once it has less than 60 days left, or where a school lies in no calendar.
    """
    if calendar is None and timetables is None:
        _check_what_is_in_force(as_json)
        return
    found: dict[str, object] = {}
    try:
        if calendar is not None:
            read = read_calendar_file(calendar)
            ends = {**read.zones, **read.academies}
            found["calendar"] = {name: {"begins": str(c.begins), "after": str(c.after)} for name, c in ends.items()}
        if timetables is not None:
            found["timetables"] = len(read_timetable_file(timetables).weeks)
    except MinistryFileError as error:
        _complain(error.problems)
    typer.echo(json.dumps(found) if as_json else f"nothing to mend: {json.dumps(found, ensure_ascii=False)}")


@calendar_app.command()
def load(
    calendar: _Calendar = None,
    timetables: _Timetables = None,
    preview: Annotated[bool, typer.Option("--preview", help="Only say what would change.")] = False,
    max_loss: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the schools' timetables that may be lost, from 0 to 1.")
    ] = MAX_LOSS_SHARE,
    as_json: AsJson = False,
) -> None:
    """Put the files in force, in place of what was; what is not given stays. Exit 1, nothing done, if one is not right.

    A file that would lose more than 5 % of the schools' timetables is refused, unless --max-loss allows it. Where
    nothing was ever loaded, the calendar is the bundled one, and every school has the usual week of four days.
    """
    tables = _tables()
    known = tables.read()
    try:
        holidays = read_calendar_file(calendar) if calendar else known.calendar
        weeks = read_timetable_file(timetables).weeks if timetables else known.timetables
    except MinistryFileError as error:
        _complain(error.problems)
    difference = compare_weeks(known.timetables, weeks, known.places)
    try:
        difference.check(max_loss)
    except TooManyWeeksLostError as error:
        _complain([str(error)])
    if preview:
        typer.echo(json.dumps(asdict(difference), indent=2) if as_json else str(difference))
        return
    tables.load(holidays, weeks)
    _expand(tables)
    without = sum(1 for uai in known.places if not any(uai == own for own, _ in weeks))
    if as_json:
        typer.echo(json.dumps({"calendar": holidays.source, "timetables": len(weeks), "usual_week": without}))
        return
    typer.echo(f"in force: {holidays.source}, {len(weeks)} timetables; {without} schools have the usual week")


@calendar_app.command()
def declare(
    school: Annotated[str, typer.Argument(help="UAI of the school that is closed, or `all`.")],
    start: Annotated[datetime, typer.Option("--from", formats=_MOMENT_FORMATS, help="In Paris; a day: its beginning.")],
    end: Annotated[datetime, typer.Option("--to", formats=_MOMENT_FORMATS, help="In Paris; a day: that day included.")],
    reason: Annotated[ClosureReason, typer.Option(help="Why.")] = ClosureReason.AUTRE,
    note: Annotated[str, typer.Option(help="A word for people. No names.")] = "",
    withdraw: Annotated[str, typer.Option(help="Take back the closure of this id, given with the same moments.")] = "",
    as_json: AsJson = False,
) -> None:
    """Declare that a school, or all of them, is closed: no alert about use is raised then. Prints the closure's id."""
    tables = _tables()
    uai = "" if school == _EVERY_SCHOOL else school
    if uai and uai not in tables.read().places:
        _complain([f"{uai} is not in the directory in force: see `ent calendar show`"])
    if (end.hour, end.minute) == (0, 0):
        end += timedelta(days=1)
    try:
        closure = Closure(
            withdraw or str(uuid4()), uai, start.replace(tzinfo=_PARIS), end.replace(tzinfo=_PARIS), reason, note
        )
    except ValueError as error:
        _complain([str(error)])
    tables.declare(closure, withdrawn=bool(withdraw))
    _expand(tables)
    typer.echo(json.dumps({"closure": closure.closure_id}) if as_json else closure.closure_id)


@calendar_app.command()
def show(
    school: Annotated[str | None, typer.Argument(help="UAI; without it, all schools and closures.")] = None,
    start: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day; by default today.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=1000, help="How many days.")] = 7,
    as_json: AsJson = False,
) -> None:
    """Show the days of a school, or what is in force for all. Times are those of Paris."""
    known = _tables().read()
    first = start.date() if start else datetime.now(_PARIS).date()
    try:
        if school is None:
            _print_overview(known, first, as_json)
        else:
            _print_days(known, school, [first + timedelta(days=number) for number in range(days)], as_json)
    except CalendarEndedError as error:
        _complain([str(error)])


def _check_what_is_in_force(as_json: bool) -> None:
    known = _tables().read()
    today = datetime.now(_PARIS).date()
    try:
        horizon = Horizon(known.after() or BUNDLED.zones["A"].after, today)
    except CalendarEndedError as error:
        _complain([str(error)])
    assumed = [uai for uai in known.places if known.timetable(uai, today).assumed]
    if as_json:
        typer.echo(
            json.dumps({"after": str(horizon.after), "left_days": horizon.left_days, "assumed_timetables": assumed})
        )
    if horizon.near:
        advice = (
            "load the ministry's next file with `ent calendar load --calendar FILE`; past its end there is no alert"
        )
        _complain([f"the calendar ends before {horizon.after}, in {horizon.left_days} days: {advice} about use"])
    if not as_json:
        typer.echo(
            f"{known.calendar.source}: known until before {horizon.after}, {horizon.left_days} days; "
            f"{len(assumed)} of {len(known.places)} schools have the usual week, for want of a timetable"
        )


def _print_overview(known: SchoolTime, first: date, as_json: bool) -> None:
    schools = {uai: str(known.calendar.of(place).after) for uai, place in known.places.items()}
    if as_json:
        closures = [
            {
                "id": c.closure_id,
                "uai": c.uai,
                "from": c.starts.isoformat(),
                "to": c.ends.isoformat(),
                "reason": c.reason,
            }
            for c in known.closures
        ]
        typer.echo(json.dumps({"source": known.calendar.source, "schools": schools, "closures": closures}, indent=2))
        return
    typer.echo(f"calendar: {known.calendar.source}")
    for uai, after in schools.items():
        assumed = ", semaine supposée" if known.timetable(uai, first).assumed else ""
        typer.echo(f"{uai}  {_today(known, uai, first)}{assumed}  (known until before {after})")
    for c in known.closures:
        typer.echo(
            f"closure {c.closure_id}  {c.uai or 'all'}  {c.starts.astimezone(_PARIS):%d/%m/%Y %H:%M} – "
            f"{c.ends.astimezone(_PARIS):%d/%m/%Y %H:%M}  {c.reason}  {c.note}"
        )


def _print_days(known: SchoolTime, uai: str, days: list[date], as_json: bool) -> None:
    if uai not in known.places:
        _complain([f"{uai} is not in the directory in force: see `ent calendar show`"])
    if as_json:
        spans = known.spans(uai, days[0], days[-1] + timedelta(days=1))
        typer.echo(json.dumps([{"starts": s.starts.isoformat(), "category": s.category} for s in spans], indent=2))
        return
    for day in days:
        typer.echo(f"{day:%a %d/%m/%Y}  {_today(known, uai, day)}")
    for closure in known.closures:
        if closure.concerns(uai) and closure.ends > datetime.combine(days[0], datetime.min.time(), _PARIS).astimezone(
            UTC
        ):
            typer.echo(f"closure {closure.closure_id} from {closure.starts.astimezone(_PARIS):%d/%m/%Y %H:%M}")


def _today(known: SchoolTime, uai: str, day: date) -> str:
    steps = known.day(uai, day)
    if len(steps) == 1:
        return known.calendar.label(known.places[uai], day) or _LABELS[steps[0][1]]
    half_days = known.timetable(uai, day).on(day)
    return ", ".join(f"{_clock(half_day.begins_min)}–{_clock(half_day.ends_min)}" for half_day in half_days)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _tables() -> SchoolTimeTables:
    settings = read_database_settings()
    return SchoolTimeTables(connect(settings), settings.database)


def _expand(tables: SchoolTimeTables) -> None:
    try:
        tables.expand()
    except CalendarEndedError as error:
        _complain([str(error)])


def _complain(problems: list[str]) -> NoReturn:
    for problem in problems:
        typer.echo(problem, err=True)
    raise typer.Exit(1)
