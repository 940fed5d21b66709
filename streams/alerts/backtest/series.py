"""Any other data: a file of counts, a file of labels, and where there is one a file of days without school."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from streams.alerts.arrays import Booleans, Integers
from streams.alerts.backtest.case import Case
from streams.alerts.backtest.year import Incident, Span
from streams.alerts.grid import Grid
from streams.alerts.rules import Audience, Settings

EVERYBODY: Final = "*"
"""In the column `school` of labels and calendars; an empty cell means the same."""
CLOSURES: Final = frozenset({"closure", "closed", "fermeture", "ecole_fermee_non_declaree"})
"""Kinds of labels that are closures and no incidents."""
_BURST_MOST = 5000.0
_DAY_MIN = 1440
_WARMUP_DAYS = 20


class SeriesError(ValueError):
    """A file cannot be used; the message says which line or column to mend."""


@dataclass(frozen=True)
class Series:
    """A case with the names of its schools."""

    schools: tuple[str, ...]
    case: Case
    settings: Settings
    zone: ZoneInfo
    unscored_labels: int
    """Labels that lie wholly before the first day that is scored, or outside the data."""

    def moment(self, day: int, bin_: int) -> datetime:
        """The start of a bin, in local time."""
        start = datetime.fromordinal(int(self.case.ordinals[day]))
        return (start + timedelta(minutes=self.case.grid.minute_of(bin_))).replace(tzinfo=self.zone)


def read(series: Path, labels: Path, calendar: Path | None, zone: ZoneInfo) -> Series:
    """Read `time,school,connections`, `school,start,end,kind` and `school,start,end`; no offset means local time.

    The step is that of the data and must divide a day. A row that is missing for all schools is a hole; one that is
    missing for one school is a hole if the file writes zeros, and a zero if it writes none. Raises SeriesError.
    """
    rows = _counts(series, zone)
    step = _step_min(series, rows)
    grid = Grid.whole_day(step)
    names = tuple(rows["school"].unique().sort())
    first = rows["local"].min()
    last = rows["local"].max()
    assert isinstance(first, datetime)
    assert isinstance(last, datetime)
    ordinals = np.arange(first.toordinal(), last.toordinal() + 1)
    counts = np.zeros((len(names), 1, len(ordinals), grid.bins), np.int64)
    seen = np.zeros((len(names), len(ordinals), grid.bins), bool)
    school = rows["school"].replace_strict(list(names), list(range(len(names))), return_dtype=pl.Int64).to_numpy()
    minute = (rows["local"].dt.hour().cast(pl.Int64) * 60 + rows["local"].dt.minute().cast(pl.Int64)).to_numpy()
    day = (rows["local"].dt.date() - datetime.fromordinal(int(ordinals[0])).date()).dt.total_days().to_numpy()
    bins: Integers = minute // step
    np.add.at(counts[:, 0], (school, day, bins), rows["connections"].round().cast(pl.Int64).to_numpy())
    seen[school, day, bins] = True
    known = seen if (rows["connections"] == 0).any() else np.broadcast_to(seen.any(0), seen.shape).copy()
    opened = np.ones(seen.shape, bool)
    if calendar is not None:
        _close(opened, names, ordinals, grid, _spans(calendar, ("school", "start", "end"), zone))
    incidents, closures, unscored = _truth(
        _spans(labels, ("school", "start", "end", "kind"), zone), names, ordinals, grid
    )
    settings = Settings(
        audience=Audience(("all",), None, None),
        lenders=_lenders(counts, known & opened, ordinals),
        burst_most=_BURST_MOST,
        calendar_known=calendar is not None or len(names) == 1,
    )
    case = Case(grid, ordinals, counts, opened, known, incidents, closures, min(_WARMUP_DAYS, len(ordinals) - 1))
    return Series(names, case, settings, zone, unscored)


def _read_csv(path: Path, columns: tuple[str, ...]) -> pl.DataFrame:
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise SeriesError(f"{path}: cannot be read as CSV ({error})") from error
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise SeriesError(f"{path}: no column {', '.join(missing)}; its first line must hold {','.join(columns)}")
    return frame.select(columns)


def _counts(path: Path, zone: ZoneInfo) -> pl.DataFrame:
    frame = _read_csv(path, ("time", "school", "connections"))
    if frame.is_empty():
        raise SeriesError(f"{path}: no row")
    frame = frame.with_columns(pl.col("connections").cast(pl.Float64, strict=False), pl.col("school").fill_null(""))
    wrong = frame.select(pl.col("connections").is_null() | pl.col("connections").is_nan() | (pl.col("connections") < 0))
    if wrong.to_series().any():
        line = int(wrong.to_series().arg_true()[0]) + 2
        raise SeriesError(f"{path}, line {line}: connections must be a number, 0 or more")
    return frame.with_columns(_local(path, frame["time"], zone).alias("local")).drop_nulls("local")


def _local(path: Path, column: pl.Series, zone: ZoneInfo) -> pl.Series:
    """Wall-clock times; null in the second passage of an hour that comes twice, which would look like a surge."""
    distinct = column.unique()
    local = []
    for text in distinct:
        try:
            moment = datetime.fromisoformat(text or "")
        except ValueError as error:
            line = int((column == text).arg_true()[0]) + 2 if text else 2
            raise SeriesError(f"{path}, line {line}: {text!r} is no ISO 8601 time") from error
        if moment.tzinfo is not None:
            moment = moment.astimezone(zone)
        local.append(None if moment.fold else moment.replace(tzinfo=None))
    return column.replace_strict(distinct, pl.Series(local, dtype=pl.Datetime("us")), return_dtype=pl.Datetime("us"))


def _step_min(path: Path, rows: pl.DataFrame) -> int:
    times = rows["local"].unique().sort()
    apart = times.diff().drop_nulls().dt.total_minutes()
    if apart.is_empty():
        raise SeriesError(f"{path}: one single time; a series needs many")
    step = int(np.gcd.reduce(apart.to_numpy()))
    if step < 1 or _DAY_MIN % step:
        raise SeriesError(f"{path}: the times lie {step} min apart, which does not divide a day; make the step regular")
    return step


def _spans(path: Path, columns: tuple[str, ...], zone: ZoneInfo) -> list[dict[str, Any]]:
    frame = _read_csv(path, columns)
    frame = frame.with_columns(_local(path, frame[column], zone).alias(column) for column in ("start", "end"))
    rows = frame.with_columns(pl.col("school").fill_null("")).to_dicts()
    for line, row in enumerate(rows, start=2):
        if row["start"] is None or row["end"] is None or row["end"] < row["start"]:
            raise SeriesError(f"{path}, line {line}: the end must not lie before the start")
    return rows


def _places(row: dict[str, Any], ordinals: Integers, grid: Grid) -> tuple[Span, ...]:
    """The bins of each day that a row covers, its end left out; a row of no length covers one bin."""
    start, end = row["start"], max(row["end"], row["start"] + timedelta(minutes=1))
    spans = []
    for day in range(max(0, start.toordinal() - int(ordinals[0])), end.toordinal() - int(ordinals[0]) + 1):
        if day >= len(ordinals):
            break
        midnight = datetime.fromordinal(int(ordinals[day]))
        first = max(0.0, (start - midnight).total_seconds() / 60)
        last = min(float(_DAY_MIN), (end - midnight).total_seconds() / 60)
        if first < last:
            spans.append(Span(day, int(first) // grid.step_min, int(-(-last // grid.step_min))))
    return tuple(spans)


def _close(
    opened: Booleans,
    names: tuple[str, ...],
    ordinals: Integers,
    grid: Grid,
    rows: list[dict[str, Any]],
) -> None:
    for row in rows:
        for day, first, end in _places(row, ordinals, grid):
            if row["school"] in ("", EVERYBODY):
                opened[:, day, first:end] = False
            elif row["school"] in names:
                opened[names.index(row["school"]), day, first:end] = False


def _truth(
    rows: list[dict[str, Any]],
    names: tuple[str, ...],
    ordinals: Integers,
    grid: Grid,
) -> tuple[tuple[Incident, ...], tuple[Incident, ...], int]:
    incidents: list[Incident] = []
    closures: list[Incident] = []
    unscored = 0
    for row in rows:
        spans = _places(row, ordinals, grid)
        everybody = row["school"] in ("", EVERYBODY) or (len(names) == 1 and not row["school"])
        scored = [span for span in spans if span.day >= _WARMUP_DAYS]
        if not scored or not (everybody or row["school"] in names):
            unscored += 1
            continue
        school = None if everybody and len(names) > 1 else 0 if everybody else names.index(row["school"])
        incident = Incident(row["kind"] or "", school, tuple(scored), 0.0)
        (closures if incident.kind in CLOSURES else incidents).append(incident)
    return tuple(incidents), tuple(closures), unscored


def _lenders(
    counts: Integers,
    known: Booleans,
    ordinals: Integers,
) -> frozenset[int]:
    """Weekdays that may share one shape: those with two thirds of the fullest weekday's volume while learning."""
    early = slice(0, _WARMUP_DAYS + 8)
    volume = (counts.sum(1) * known)[:, early].sum((0, 2))
    weekday = ((ordinals + 6) % 7)[early]
    usual = np.array([np.median(volume[weekday == n]) if (weekday == n).any() else 0.0 for n in range(7)])
    return frozenset(int(n) for n in np.flatnonzero(usual >= 2 / 3 * usual.max()))
