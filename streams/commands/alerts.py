"""`ent alerts`: what stands, why, and what operators have to say to it."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final, NoReturn
from uuid import uuid4
from zoneinfo import ZoneInfo

import typer

from sinks.clickhouse.alert_tables import AlertRow, AlertTables, Label, Mute, StepRow
from sinks.clickhouse.client import connect
from streams.commands.alerts_backtest import backtest
from streams.commands.as_json import AsJson
from streams.settings import read_alert_settings, read_database_settings

if TYPE_CHECKING:
    from streams.alerting.watch import Judgement, Watch

alerts_app = typer.Typer(help="Alerts about the schools' connections.", no_args_is_help=True)

alerts_app.command()(backtest)

_PARIS: Final = ZoneInfo("Europe/Paris")
_MOMENT_FORMATS: Final = ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
_EVERY_SCHOOL: Final = "all"
_Alert = Annotated[str, typer.Argument(help="Id of the alert, or its first letters.")]
_Note = Annotated[str, typer.Option(help="A word for colleagues. No names of pupils or families.")]


class Verdict(StrEnum):
    """What really was the case."""

    INCIDENT = "incident"
    FERMETURE = "fermeture"
    FAUSSE_ALERTE = "fausse_alerte"


@alerts_app.command("list")
def list_(
    days: Annotated[int, typer.Option(min=0, help="Also those that ended in so many days.")] = 7,
    as_json: AsJson = False,
) -> None:
    """List the alerts that stand, and the recent ones, the latest first."""
    found = _tables().alerts(datetime.now(UTC) - timedelta(days=days))
    if as_json:
        typer.echo(json.dumps([_as_json(alert) for alert in found], indent=2, ensure_ascii=False))
        return
    for alert in found:
        state = "open" if alert.open else "ended"
        acknowledged = ", acknowledged" if alert.acknowledged else ""
        typer.echo(f"{alert.alert_id}  {_local(alert.opened_at)}  {state}{acknowledged}  {alert.title}")
    if not found:
        typer.echo("no alert stands, and none ended lately")


@alerts_app.command()
def show(alert: _Alert, as_json: AsJson = False) -> None:
    """Show the life of an alert: every step, with what people were told."""
    steps = _steps(alert)
    if as_json:
        typer.echo(json.dumps([_step_json(step) for step in steps], indent=2, ensure_ascii=False))
        return
    for step in steps:
        typer.echo(f"{_local(step.at)}  {step.what}  {step.title}\n{step.text}\n")


@alerts_app.command()
def ack(alert: _Alert, note: _Note = "", as_json: AsJson = False) -> None:
    """Say that somebody looks after it: nobody is told that it gets worse."""
    known = _steps(alert)[0]
    _tables().acknowledge(known.alert_id, note, datetime.now(UTC))
    typer.echo(json.dumps({"acknowledged": known.alert_id}) if as_json else f"{known.alert_id} acknowledged")


@alerts_app.command()
def mute(
    school: Annotated[str, typer.Argument(help="UAI, or `all`.")],
    hours: Annotated[float, typer.Option(min=0, help="From now on, for so long.")] = 24.0,
    kind: Annotated[str, typer.Option(help="One kind of alert; by default all of them.")] = "",
    note: _Note = "",
    withdraw: Annotated[str, typer.Option(help="Take back the mute of this id.")] = "",
    as_json: AsJson = False,
) -> None:
    """Tell nobody of a school's alerts for a time; they are recorded all the same. Prints the mute's id."""
    now = datetime.now(UTC)
    uai = "" if school == _EVERY_SCHOOL else school
    muted = Mute(withdraw or str(uuid4()), uai, kind, now, now + timedelta(hours=hours), note)
    _tables().mute(muted, withdrawn=bool(withdraw))
    typer.echo(json.dumps({"mute": muted.mute_id}) if as_json else muted.mute_id)


@alerts_app.command()
def label(
    verdict: Annotated[Verdict, typer.Argument(help="What really was the case.")],
    alert: Annotated[str, typer.Option(help="The alert that this is about.")] = "",
    school: Annotated[str, typer.Option(help="Without an alert: UAI, or `all`.")] = "",
    start: Annotated[datetime | None, typer.Option("--from", formats=_MOMENT_FORMATS, help="In Paris.")] = None,
    end: Annotated[datetime | None, typer.Option("--to", formats=_MOMENT_FORMATS, help="In Paris.")] = None,
    note: _Note = "",
    as_json: AsJson = False,
) -> None:
    """Note what an alert was about, or an incident that none told of: precision and recall come from these labels."""
    now = datetime.now(UTC)
    if alert:
        steps = _steps(alert)
        about, uai, starts, ends = steps[0].alert_id, steps[0].uai, steps[0].since, steps[-1].at
    elif school and start and end:
        about, uai = "", "" if school == _EVERY_SCHOOL else school
        starts, ends = start.replace(tzinfo=_PARIS), end.replace(tzinfo=_PARIS)
    else:
        _fail("say which alert it is about (--alert), or which school and when (--school, --from, --to)")
    noted = Label(about or str(uuid4()), about, uai, starts, ends, verdict.value, note, now)
    _tables().label(noted)
    typer.echo(json.dumps({"label": noted.label_id}) if as_json else "noted")


@alerts_app.command()
def explain(
    school: Annotated[str, typer.Argument(help="UAI.")],
    at: Annotated[datetime, typer.Argument(formats=_MOMENT_FORMATS, help="In Paris.")],
    as_json: AsJson = False,
) -> None:
    """Print the whole calculation for a school at a moment, from what is stored now."""
    from streams.alerting.assembly import assemble  # here: the other commands do without numpy

    settings = read_alert_settings()
    service = assemble(connect(settings.database), settings.database.database, settings.alerts)
    watch, judged = service.look_back(at.replace(tzinfo=_PARIS))
    if school not in watch.uais:
        _fail(f"{school} is not in the directory in force, or has no ENT yet: see `ent calendar show`")
    lines = _explain(watch, judged, school, at)
    if as_json:
        typer.echo(json.dumps({"school": school, "at": at.isoformat(), "lines": lines}, indent=2, ensure_ascii=False))
        return
    for line in lines:
        typer.echo(line)


def _explain(watch: Watch, judged: Judgement | None, school: str, at: datetime) -> list[str]:
    from streams.alerting.explanation import explain_school

    if judged is None or not judged.day.at:
        return [f"{at:%d/%m/%Y}: no school is open then, or the day has not begun: nothing is expected"]
    until = _local(judged.moment(judged.day.at))
    head = f"{school} on {judged.date:%d/%m/%Y} until {until}, {len(watch.uais)} schools"
    return [head, *explain_school(watch, judged, school)]


def _tables() -> AlertTables:
    settings = read_database_settings()
    return AlertTables(connect(settings), settings.database)


def _steps(alert: str) -> list[StepRow]:
    """The life of the one alert that is meant."""
    steps = _tables().steps(alert)
    names = sorted({step.alert_id for step in steps})
    if not names:
        _fail(f"there is no alert {alert}: see `ent alerts list`")
    if len(names) > 1:
        _fail(f"{alert} may be {', '.join(names)}: give more letters")
    return sorted(steps, key=lambda step: step.step)


def _as_json(alert: AlertRow) -> dict[str, object]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(alert).items()
    } | {"details": json.loads(alert.details)}


def _step_json(step: StepRow) -> dict[str, object]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(step).items()
    } | {"details": json.loads(step.details)}


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(_PARIS):%d/%m/%Y %H:%M}"


def _fail(message: str) -> NoReturn:
    typer.echo(f"ent: {message}", err=True)
    raise typer.Exit(1)
