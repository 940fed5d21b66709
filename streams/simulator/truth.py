"""What the windows must hold: kept from what was handed out, never computed by the code that it judges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from schemas.directory import UNMAPPED
from schemas.reason import Reason
from streams.simulator.applications import APPLICATIONS
from streams.simulator.day import Day
from streams.simulator.population import PROFILES
from streams.simulator.rows import ACCEPTED, NOBODY, OUTCOMES, TYPES, Ints

TABLES: Final = tuple(
    f"{family}_by_{level}" for family in ("usage", "app_usage") for level in ("minute", "hour", "day")
)
DIMENSIONS: Final = {
    "usage": ("slice", "uai", "class_id", "profile", "type"),
    "app_usage": ("slice", "uai", "profile", "app", "type"),
}
MOST_DIFFERENCES: Final = 20
_MINUTE_MS: Final = 60_000
_COUNTED_BY_APP: Final = ("app_visit", "notification")
_LENGTHS_S: Final = {"minute": 60, "hour": 3600}

Cell = tuple[Any, ...]


class Truth:
    """The ground truth of all records that a simulation handed out so far."""

    def __init__(self) -> None:
        self._days: dict[date, _Told] = {}
        self._outcomes: Counter[str] = Counter()
        self._distinct = 0
        self._watched: dict[int, int] = {}

    def add(self, day: Day, which: Ints) -> None:
        """Some records of a day, by their places in it, were handed out."""
        told = self._days.setdefault(day.date, _Told(day))
        row = day.row[which]
        outcome = day.rows.outcome[row]
        for code, count in zip(*np.unique(outcome, return_counts=True), strict=True):
            self._outcomes[OUTCOMES[code]] += int(count)
        accepted = row[outcome == ACCEPTED]
        fresh = np.unique(accepted[~told.seen[accepted]])
        told.seen[fresh] = True
        self._distinct += len(fresh)
        for minute in self._watched:
            self._watched[minute] += int((told.moment_ms[fresh] >= minute * 1000).sum())

    def accepted_since(self, epoch_minute: int) -> int:
        """Distinct accepted events of the minute that begins then (seconds since 1970 UTC) and of those after it."""
        if epoch_minute not in self._watched:
            self._watched[epoch_minute] = sum(
                int((told.moment_ms[told.seen] >= epoch_minute * 1000).sum()) for told in self._days.values()
            )
        return self._watched[epoch_minute]

    def counts(self) -> dict[str, Any]:
        """What must become of the records, as in the ledger; and distinct events of unknown schools and classes."""
        accepted = self._outcomes[OUTCOMES[ACCEPTED]]
        rejected = {reason.value: count for reason in Reason if (count := self._outcomes[reason])}
        dropped = {
            str(outcome): count
            for outcome, count in self._outcomes.items()
            if count and outcome != OUTCOMES[ACCEPTED] and outcome not in rejected
        }
        cells = self._events().filter(pl.col("once") == 1)
        return {
            "produced": self._outcomes.total(),
            "accepted": self._distinct,
            "duplicates": accepted - self._distinct,
            "rejected": rejected,
            "dropped": dropped,
            "unmapped_schools": int((cells["uai"] == UNMAPPED).sum()),
            "unmapped_classes": int((cells["class_id"] == UNMAPPED).sum()),
        }

    def cells(self, table: str) -> dict[Cell, Cell]:
        """Dimensions -> (events, events_once, recipients, distinct users) of a window table.

        Slices are seconds since 1970 UTC, and for days the number of days of Paris since 1970-01-01.
        """
        frame = self._cells(table)
        names = frame.columns
        dimensions = len(names) - 4
        return {row[:dimensions]: row[dimensions:] for row in frame.iter_rows()}

    def differences(self, table: str, rows: Iterable[tuple[Any, ...]]) -> list[str]:
        """The first cells that are not as they should be, in words; rows are those of `Store.window`."""
        expected = self.cells(table)
        found = {tuple(row[:-4]): tuple(row[-4:]) for row in rows if row[-4]}
        wrong = (key for key in sorted({*expected, *found}) if expected.get(key) != found.get(key))
        return [
            f"{key} is {found.get(key)} and should be {expected.get(key)}"
            for key, _ in zip(wrong, range(MOST_DIFFERENCES), strict=False)
        ]

    def to_json(self) -> dict[str, Any]:
        """All windows, each a list of rows in order (dimensions, then the four figures), and the counts."""
        windows = {table: [list(row) for row in self._cells(table).iter_rows()] for table in TABLES}
        return {"windows": windows, "counts": self.counts()}

    def _cells(self, table: str) -> pl.DataFrame:
        family, _, level = table.rpartition("_by_")
        if table not in TABLES:
            raise ValueError(f"there is no window table {table}: it is one of {', '.join(TABLES)}")
        events = self._events()
        if family == "app_usage":
            events = events.filter(pl.col("type").is_in(_COUNTED_BY_APP))
        moment_s = pl.col("moment_ms") // 1000
        at = pl.col("day") if level == "day" else moment_s // _LENGTHS_S[level] * _LENGTHS_S[level]
        dimensions = DIMENSIONS[family]
        return (
            events.with_columns(at.alias("slice"))
            .group_by(dimensions)
            .agg(
                pl.len().cast(pl.Int64).alias("events"),
                pl.col("once").cast(pl.Int64).sum().alias("events_once"),
                (pl.col("once").cast(pl.Int64) * pl.col("recipients")).sum().alias("recipients"),
                pl.col("number").drop_nulls().n_unique().cast(pl.Int64).alias("users"),
            )
            .with_columns(pl.col("profile", "type", *({"app"} & set(dimensions))).cast(pl.String))
            .sort(dimensions)
        )

    def _events(self) -> pl.DataFrame:
        """Each distinct accepted event, once for every school it counts in."""
        parts = [told.events() for told in self._days.values()]
        return pl.concat(parts) if parts else pl.DataFrame(schema=_EVENTS)


_PROFILES: Final = pl.Series(PROFILES, dtype=pl.Enum(PROFILES))
_TYPES: Final = pl.Series(TYPES, dtype=pl.Enum(TYPES))
_APP_NAMES: Final = [*(app.key for app in APPLICATIONS), ""]
_APPS: Final = pl.Series(_APP_NAMES, dtype=pl.Enum(_APP_NAMES))
_EVENTS: Final[dict[str, pl.DataType]] = {
    "moment_ms": pl.Int64(),
    "day": pl.Int64(),
    "number": pl.Int64(),
    "profile": _PROFILES.dtype,
    "type": _TYPES.dtype,
    "app": _APPS.dtype,
    "recipients": pl.Int64(),
    "once": pl.UInt8(),
    "uai": pl.String(),
    "class_id": pl.String(),
}


class _Told:
    """What is kept of a day: its events as columns, and which of its rows were handed out."""

    def __init__(self, day: Day) -> None:
        rows = day.rows
        self.seen: npt.NDArray[np.bool_] = np.zeros(len(rows), np.bool_)
        self.moment_ms = rows.moment_ms
        self._date = day.date
        self._cells = day.population.cells
        self._columns: dict[str, npt.NDArray[Any]] = {
            "profile": rows.profile,
            "type": rows.kind,
            "app": np.where(rows.app < 0, len(_APPS) - 1, rows.app).astype(np.uint8),
            "number": rows.number,
            "place": rows.place,
            "recipients": rows.recipients,
        }

    def events(self) -> pl.DataFrame:
        """The accepted ones that were handed out, once for every school they count in."""
        names: dict[str, pl.Series] = {"profile": _PROFILES, "type": _TYPES, "app": _APPS}
        columns = {name: pl.Series(name, column[self.seen]) for name, column in self._columns.items()}
        columns |= {name: of.gather(columns[name]).alias(name) for name, of in names.items()}
        days = (self._date - date(1970, 1, 1)).days
        return (
            pl.DataFrame(columns)
            .with_columns(pl.Series("moment_ms", self.moment_ms[self.seen]))
            .join(self._cells, on="place")
            .with_columns(pl.lit(days).alias("day"), pl.when(pl.col("number") != NOBODY).then("number").alias("number"))
            .select(pl.col(name).cast(dtype) for name, dtype in _EVENTS.items())
        )
