"""`ent alerts backtest`: how good the alerts are, on simulated years or on labelled data."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from streams.alerts.backtest import report as reports
from streams.alerts.backtest.bounds import misses
from streams.alerts.backtest.case import detect
from streams.alerts.backtest.incidents import SCHOOLS, WORLDS
from streams.alerts.backtest.judging import judge
from streams.alerts.backtest.series import SeriesError, read
from streams.alerts.backtest.study import DETECTOR, SEEDS, rival_alerts, study
from streams.commands.as_json import AsJson, print_json

File = Path | None


def backtest(
    series: Annotated[File, typer.Option(help="CSV time,school,connections at any regular step.")] = None,
    labels: Annotated[File, typer.Option(help="CSV school,start,end,kind; an empty school means all.")] = None,
    calendar: Annotated[File, typer.Option(help="CSV school,start,end of closed times; an empty school: all.")] = None,
    report: Annotated[File, typer.Option(help="Where the JSON goes.")] = None,
    zone: Annotated[str, typer.Option(help="Time zone of times without an offset.")] = "Europe/Paris",
    seeds: Annotated[str, typer.Option(help="Simulated years, comma-separated.")] = ",".join(map(str, SEEDS)),
    worlds: Annotated[str, typer.Option(help="Simulated worlds, comma-separated.")] = ",".join(WORLDS),
    schools: Annotated[int, typer.Option(min=2, help="Schools in a simulated year.")] = SCHOOLS,
    rivals: Annotated[bool, typer.Option(help="Compare with the alternatives, too.")] = True,
    check: Annotated[bool, typer.Option(help="Exit 1 if a committed goal is missed beyond chance.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure precision, recall, false alarms and time to detect. Without --series, on simulated years.

    Tables go to standard output in Markdown, progress to standard error, with --json the tables too. Exit 2 if a file
    cannot be used.

    The calendar is a file of closed times: without one, days on which all schools stay silent from the first hour on
    are taken as days without school. STL is among the alternatives where statsmodels is installed.
    """
    if (series is None) != (labels is None):
        raise typer.BadParameter("--series and --labels go together")
    show = partial(typer.echo, err=as_json)
    try:
        if series is not None and labels is not None:
            result = _labelled(series, labels, calendar, ZoneInfo(zone), rivals, show)
        else:
            result = _simulated(_chosen(worlds), [int(seed) for seed in seeds.split(",")], schools, rivals, show)
    except (SeriesError, ZoneInfoNotFoundError) as error:
        typer.echo(f"ent: {error}", err=True)
        raise typer.Exit(2) from error
    if report is not None:
        report.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    if as_json:
        print_json(result)
    missed = result.get("missed", [])
    for line in missed:
        _progress(f"missed: {line}")
    if check and missed:
        raise typer.Exit(1)


def _chosen(worlds: str) -> list[str]:
    names = worlds.split(",")
    unknown = [name for name in names if name not in WORLDS]
    if unknown:
        raise typer.BadParameter(f"no world {', '.join(unknown)}; there are {', '.join(WORLDS)}")
    return names


def _progress(line: str) -> None:
    typer.echo(line, err=True)


def _simulated(
    worlds: list[str], seeds: list[int], schools: int, rivals: bool, show: Callable[[str], None]
) -> dict[str, Any]:
    result: dict[str, Any] = {"seeds": seeds, "schools": schools, "worlds": {}, "missed": []}
    for world in worlds:
        figures = study(world, seeds, rivals, _progress, schools)
        months = figures[DETECTOR].months
        rate = len(figures[DETECTOR].outcomes) / months
        show(f"\n## World `{world}`: {months:.0f} school-months, {rate:.2f} incidents per school and month\n")
        show(reports.compare(figures) + "\n")
        show(reports.by_size(figures[DETECTOR]))
        result["missed"] += [f"{world}: {line}" for line in misses(world, figures[DETECTOR])]
        result["worlds"][world] = {name: reports.summary(one) for name, one in figures.items()}
    return result


def _labelled(
    series: Path, labels: Path, calendar: Path | None, zone: ZoneInfo, rivals: bool, show: Callable[[str], None]
) -> dict[str, Any]:
    data = read(series, labels, calendar, zone)
    case = data.case
    _progress(f"{len(data.schools)} schools, {len(case.ordinals)} days in steps of {case.grid.step_min} min")
    figures = judge([(case, detect(case, data.settings))])
    others = {}
    if rivals:
        others = {name: judge([(case, raised[0])]) for name, raised in rival_alerts([case])}
    result = reports.series_report(data, figures, others)
    shown = ("precision", "recall", "false_per_school_month", "time_to_detect_median_min")
    show("| | " + " | ".join(shown) + " |\n" + "|---" * 5 + "|")
    for name, one in {DETECTOR: result, **result["alternatives"]}.items():
        show(f"| {name} | " + " | ".join("–" if one[key] is None else str(one[key]) for key in shown) + " |")
    return result
