"""Keys that hold from one day to another, and where two of them hold at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

import polars as pl

_SCHEMA: Final = {"key": pl.String, "start": pl.Date, "end": pl.Date, "line": pl.UInt32}


class Spans:
    """Half-open spans of days by key, each from a line of a file."""

    def __init__(self) -> None:
        self._keys: list[str] = []
        self._starts: list[date] = []
        self._ends: list[date] = []
        self._lines: list[int] = []

    def add(self, key: str, start: date, end: date, line: int) -> None:
        """Note that `line` says something of `key` from `start` until the day before `end`."""
        self._keys.append(key)
        self._starts.append(start)
        self._ends.append(end)
        self._lines.append(line)

    def overlaps(self) -> Iterator[tuple[str, int, int]]:
        """(key, line, earlier line) wherever two lines speak of a key on the same day."""
        spans = pl.DataFrame([self._keys, self._starts, self._ends, self._lines], schema=_SCHEMA)
        ordered = spans.unique().sort("key", "start", "line")
        before = ordered.select(pl.all().shift(1).name.suffix("_before"))
        both = ordered.hstack(before.get_columns()).filter(
            pl.col("key") == pl.col("key_before"),
            pl.col("start") < pl.col("end_before"),
            pl.col("line") != pl.col("line_before"),
        )
        for key, line, other in both.select("key", "line", "line_before").iter_rows():
            yield key, max(line, other), min(line, other)
