"""The store's twin in memory, for tests and trials: the same answers as ClickHouse, from dictionaries and sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sinks.base import LedgerLine, Level, LogStart, Progress, Shipment

_PARIS = ZoneInfo("Europe/Paris")
_EPOCH_DAY = date(1970, 1, 1)
_COUNTED_BY_APP = ("app_visit", "notification")

Log = tuple[str, int, int]
Row = dict[str, Any]


@dataclass
class _Cell:
    events: int = 0
    events_once: int = 0
    recipients: int = 0
    users: set[int] = field(default_factory=set)

    def add(self, other: _Cell) -> None:
        self.events += other.events
        self.events_once += other.events_once
        self.recipients += other.recipients
        self.users |= other.users


class MemoryStore:
    """A `Store` that forgets everything with the process."""

    def __init__(self) -> None:
        self._events: dict[tuple[Any, ...], Row] = {}
        self._dead_letters: dict[tuple[Any, ...], Row] = {}
        self._accepted: defaultdict[Log, set[int]] = defaultdict(set)
        self._rejected: defaultdict[Log, set[int]] = defaultdict(set)
        self._dropped: defaultdict[Log, set[int]] = defaultdict(set)
        self._first: dict[Log, int] = {}
        self._cells: defaultdict[str, dict[tuple[Any, ...], _Cell]] = defaultdict(dict)
        self.progress: dict[tuple[str, int], Progress] = {}

    def insert(self, shipment: Shipment) -> None:
        """Keep the newest revision of each event and the end of each offset."""
        for row in shipment.events.iter_rows(named=True):
            key = (_minute(row["event_time"]), row["school"], row["type"], row["event_id"])
            if key not in self._events or self._events[key]["revision"] <= row["revision"]:
                self._events[key] = row
            self._accepted[_log(row)].add(row["offset"])
        for row in shipment.dead_letters.iter_rows(named=True):
            self._dead_letters[(*_log(row), row["offset"])] = row
            self._rejected[_log(row)].add(row["offset"])
        for row in shipment.dropped.iter_rows(named=True):
            self._dropped[_log(row)].update(range(row["first"], row["next"]))

    def recompute(self, level: Level, slices: Collection[int]) -> None:
        """Write the slices anew from the events, or from the cells of the level below."""
        wanted = set(slices)
        for family in ("usage", "app_usage"):
            source = self._of_events(family) if level is Level.MINUTE else self._of_below(family, level)
            fresh: defaultdict[tuple[Any, ...], _Cell] = defaultdict(_Cell)
            for key, cell in source:
                if key[0] in wanted:
                    fresh[key].add(cell)
            table = self._cells[f"{family}_by_{level}"]
            for key in [key for key in table if key[0] in wanted]:
                del table[key]
            table.update(fresh)

    def open_logs(self, starts: Sequence[LogStart]) -> None:
        """The earliest start counts."""
        for start in starts:
            log = (start.topic, start.incarnation, start.partition)
            self._first[log] = min(start.first, self._first.get(log, start.first))

    def record_progress(self, lines: Sequence[Progress]) -> None:
        """The last line counts."""
        self.progress.update({(line.topic, line.partition): line for line in lines})

    def ledger(self) -> list[LedgerLine]:
        """One line for each partition of each log."""
        return [self._line(log) for log in sorted(self._first)]

    def window(self, table: str) -> Iterable[tuple[Any, ...]]:
        """The cells of one window table."""
        return [
            (*key, cell.events, cell.events_once, cell.recipients, len(cell.users))
            for key, cell in self._cells[table].items()
        ]

    def _line(self, log: Log) -> LedgerLine:
        accepted = self._accepted[log]
        rejected = self._rejected[log] - accepted
        dropped = self._dropped[log] - rejected - accepted
        consumed = len(accepted) + len(rejected) + len(dropped)
        first, after = self._first[log], max(accepted | rejected | dropped, default=self._first[log] - 1) + 1
        stored = sum(_log(row) == log for row in self._events.values())
        return LedgerLine(
            *log,
            first,
            after,
            consumed,
            stored,
            len(accepted) - stored,
            len(rejected),
            len(dropped),
            after - first - consumed,
        )

    def _of_events(self, family: str) -> Iterator[tuple[tuple[Any, ...], _Cell]]:
        for row in self._events.values():
            if family == "app_usage" and row["type"] not in _COUNTED_BY_APP:
                continue
            users = {row["user_key"]} - {0}
            schools = [(row["uai"], row["class_id"]), *zip(row["other_uai"], row["other_class_id"], strict=True)]
            for position, (uai, class_id) in enumerate(schools):
                here = (class_id, row["profile"], row["type"])
                if family == "app_usage":
                    here = (row["profile"], row["app"], row["type"])
                once = int(position == 0)
                yield (_minute(row["event_time"]), uai, *here), _Cell(1, once, once * row["recipients"], users)

    def _of_below(self, family: str, level: Level) -> Iterator[tuple[tuple[Any, ...], _Cell]]:
        below = "minute" if level is Level.HOUR else "hour"
        for (at, *dimensions), cell in self._cells[f"{family}_by_{below}"].items():
            yield (at - at % 3600 if level is Level.HOUR else _day(at), *dimensions), cell


def _log(row: Row) -> Log:
    return row["topic"], row["incarnation"], row["partition"]


def _minute(moment: datetime) -> int:
    return int(moment.timestamp()) // 60 * 60


def _day(at: int) -> int:
    return (datetime.fromtimestamp(at, UTC).astimezone(_PARIS).date() - _EPOCH_DAY).days
