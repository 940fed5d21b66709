"""The short form of the back-test, and that its measuring measures."""

import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from streams.alerts.backtest import rivals
from streams.alerts.backtest.bounds import GOALS, highest, lowest, misses
from streams.alerts.backtest.case import Case, Raised
from streams.alerts.backtest.incidents import KINDS, PLATFORM, WORLDS, simulate
from streams.alerts.backtest.judging import judge
from streams.alerts.backtest.study import DETECTOR, SEEDS, TUNED_ON, study
from streams.alerts.finding import Finding
from streams.alerts.rules import Check, Kind
from streams.commands import app
from tests.unit.streams.alerts.city import NINE


@pytest.mark.timeout(240)
@pytest.mark.parametrize("world", WORLDS)
def test_the_committed_goals_hold_on_other_years_than_those_of_the_tuning(world: str) -> None:
    """Goals less the 95 % interval of their counts; `make backtest` does the same on all six years."""
    assert not set(SEEDS) & set(TUNED_ON)
    figures = study(world, SEEDS[:2], with_rivals=False, tell=print)[DETECTOR]
    assert misses(world, figures) == []


def test_a_world_has_all_incidents_and_no_two_at_once() -> None:
    year = simulate("plain", 1, 21)
    assert {one.kind for one in year.incidents} == set(KINDS)
    taken = [(one.school, span.day) for one in year.incidents if one.school is not None for span in one.spans]
    platform = {span.day for one in year.incidents if one.school is None for span in one.spans}
    assert len(taken) == len(set(taken))
    assert not platform & {day for _, day in taken}


def finding(school: int | None, kind: Kind, since: int, raised: int) -> Finding:
    return Finding(kind, Check.SILENCE, school, None, since, raised, raised + 3, 0, 50, 20, 14)


def test_pages_are_right_false_folded_or_on_a_closure() -> None:
    """Every incident found at once, one page on nothing, one on a closure, one inside the platform's outage."""
    case = Case.of_year(simulate("plain", 1, 21))
    found = []
    for one in case.incidents:
        kind = Kind.PLATFORM_DOWN if one.school is None else Kind.SCHOOL_SILENT
        found.append(Raised(one.spans[0].day, finding(one.school, kind, one.spans[0].first, one.spans[0].first + 3)))
    perfect = judge([(case, found)])
    assert (perfect.precision, perfect.recall(KINDS), perfect.false, perfect.minutes(KINDS)) == (1, 1, 0, 20)
    outage = next(one for one in case.incidents if one.kind == PLATFORM).spans[0]
    closure = next(one for one in case.closures if one.spans[0].day >= case.first_day)
    busy = {span.day for one in (*case.incidents, *case.closures) for span in one.spans}
    quiet = next(day for day in range(case.first_day, len(case.ordinals)) if day not in busy)
    more = [
        Raised(outage.day, finding(3, Kind.SCHOOL_SILENT, outage.first, outage.first + 4)),
        Raised(closure.spans[0].day, finding(closure.school, Kind.SCHOOL_SILENT, NINE, NINE + 6)),
        Raised(quiet, finding(5, Kind.SCHOOL_SILENT, NINE, NINE + 6)),
        Raised(quiet, finding(6, Kind.SLOW_DECLINE, NINE, NINE + 6)),
    ]
    figures = judge([(case, [*found, *more])])
    assert (figures.false, figures.on_closures, figures.right) == (1, 1, perfect.right)
    assert sum(one.folded for one in figures.episodes) == 1


def test_a_blind_detector_misses_its_goals() -> None:
    case = Case.of_year(simulate("plain", 1, 21))
    lines = misses("plain", judge([(case, [])]))
    assert any("recall 0.00" in line for line in lines)
    assert all("false" not in line for line in lines)


def test_chance_is_granted_by_the_number_of_cases() -> None:
    assert lowest(1.0, 10) < lowest(1.0, 1000) < 1
    assert highest(0.03, 100) > highest(0.03, 10_000) > 0.03
    assert set(GOALS) == set(WORLDS)


@pytest.mark.parametrize(("x", "mean"), [(0, 7.0), (3, 12.0), (30, 50.0)])
def test_a_rivals_tail_is_that_of_the_poisson_and_the_negative_binomial(x: int, mean: float) -> None:
    draw = np.random.default_rng(4)
    normal = draw.standard_normal(400_000)
    for size, counts in (
        (np.inf, draw.poisson(mean, 400_000)),
        (8.0, draw.negative_binomial(8, 8 / (8 + mean), 400_000)),
    ):
        z = rivals.tail(np.array([float(x)]), np.array([mean]), size)[0]
        assert (counts <= x).mean() == pytest.approx((normal > z).mean(), rel=0.25, abs=3e-4)


def write_series(folder: Path, step_min: int, days: int = 60) -> tuple[Path, Path]:
    """Three schools in wall-clock time, seven days a week; one is silent on two afternoons."""
    draw = np.random.default_rng(7)
    first = date(2026, 1, 5)
    lines, labels = ["time,school,connections"], ["school,start,end,kind"]
    for number in range(days):
        day = first + timedelta(days=number)
        for school, per_h in (("a", 90), ("b", 240), ("c", 150)):
            down = school == "b" and number in {42, 51}
            if down:
                labels.append(f"b,{day}T13:00,{day}T17:00,outage")
            for minute in range(0, 1440, step_min):
                hour = minute // 60
                rate = per_h * step_min / 60 if 8 <= hour < 18 and day.weekday() < 5 else 0
                count = 0 if down and 13 <= hour < 17 else draw.poisson(rate)
                lines.append(f"{day}T{hour:02}:{minute % 60:02},{school},{count}")
    series, truth = folder / "series.csv", folder / "labels.csv"
    series.write_text("\n".join(lines) + "\n")
    truth.write_text("\n".join(labels) + "\n")
    return series, truth


@pytest.mark.parametrize("step_min", [15, 60])
def test_any_labelled_series_is_judged(tmp_path: Path, step_min: int) -> None:
    series, labels = write_series(tmp_path, step_min)
    report = tmp_path / "report.json"
    options = ["--series", str(series), "--labels", str(labels), "--report", str(report)]
    done = CliRunner().invoke(app, ["alerts", "backtest", *options])
    assert done.exit_code == 0, done.output
    figures = json.loads(report.read_text())
    assert (figures["precision"], figures["recall"], figures["false_per_school_month"]) == (1, 1, 0)
    assert 0 < figures["time_to_detect_median_min"] <= 60
    paged = [one for one in figures["episodes"] if one["pages"]]  # a half day without anybody may enter the digest too
    assert {(one["school"], one["label"], one["right"]) for one in paged} == {("b", "outage", True)}
    assert all(one["since"].startswith(("2026-02-16T1", "2026-02-25T1")) for one in paged)
    assert set(figures["alternatives"]) >= set(rivals.RULES)


def test_a_calendar_closes_a_school(tmp_path: Path) -> None:
    series, labels = write_series(tmp_path, 60)
    calendar, report = tmp_path / "calendar.csv", tmp_path / "report.json"
    calendar.write_text("school,start,end\nb,2026-02-16,2026-02-17\n,2026-02-25,2026-02-26\n")
    options = ["--series", str(series), "--labels", str(labels), "--calendar", str(calendar), "--report", str(report)]
    done = CliRunner().invoke(app, ["alerts", "backtest", *options, "--no-rivals"])
    assert done.exit_code == 0, done.output
    assert json.loads(report.read_text())["episodes"] == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("time,school\n", "no column connections"),
        ("time,school,connections\n", "no row"),
        ("time,school,connections\n2026-01-05T08:00,a,x\n", "line 2: connections must be a number"),
        ("time,school,connections\nyesterday,a,1\n", "line 2: 'yesterday' is no ISO 8601 time"),
        ("time,school,connections\n2026-01-05T08:00,a,1\n2026-01-05T08:07,a,1\n", "7 min apart"),
    ],
)
def test_a_file_that_cannot_be_used_says_what_to_mend(tmp_path: Path, content: str, says: str) -> None:
    series, labels = tmp_path / "series.csv", tmp_path / "labels.csv"
    series.write_text(content)
    labels.write_text("school,start,end,kind\n")
    done = CliRunner().invoke(app, ["alerts", "backtest", "--series", str(series), "--labels", str(labels)])
    assert done.exit_code == 2
    assert says in done.output
