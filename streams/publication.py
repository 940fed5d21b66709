"""When figures are published: the pace is part of the protection.

A small cell that is rewritten by the minute gives its number away at some instant of nearly every day; once an hour it
does not. So an open window is written at most once per tick of its grain, once when it has closed, once more two days
later when late events are in, and never again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import structlog

from schemas.pseudonym import Key
from sinks.base import StoreUnavailable
from sinks.clickhouse.grains import GRAINS, KEPT, MINUTE_S, Grain, Window
from sinks.clickhouse.publication import Rule
from sinks.clickhouse.publisher import Published, Publisher, Stage
from streams.windows import PARIS

SETTLING: Final = timedelta(minutes=5)
"""A window is closed when what was sent in its last second is certainly stored."""
LATE: Final = timedelta(hours=48)
"""How long late events may still change a closed window."""
_MARGIN: Final = timedelta(days=5)
"""Days before they expire, states are no longer used: a window must not be counted from what is left of it."""
_KEPT_AGES_DAYS: Final = (2, 30)
"""Ages of a closed window at which its plain counts are kept; once more shortly before its states expire."""
_LAST_BEFORE_EXPIRY_DAYS: Final = 45
_PAUSE_S = 5.0
_NAMES_EVERY = timedelta(hours=1)
_TOLD_EVERY = 200

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Due:
    """A window to write now."""

    grain: Grain
    start: date
    stage: Stage
    tick: int


def rule_of(key: Key, k: int) -> Rule:
    """The rule under which rows of at least `k` persons are published; its key is drawn from the long-lived one."""
    mac = key.mac(b"ent: side of the published multiple")
    return Rule(k, (int.from_bytes(mac[:8], "little"), int.from_bytes(mac[8:16], "little")))


def due(now: datetime, days: Iterable[date], published: Mapping[tuple[str, date], Published], k: int) -> Iterator[Due]:
    """The windows to write at `now` (aware), of the `days` of Paris that have exact figures; the oldest first.

    Those that were written under another `k` are, all of them.
    """
    starts = _starts(days)
    for grain in GRAINS:
        tick = int(now.timestamp()) // grain.tick_s
        for start in starts[grain.window]:
            stage = _stage(now, grain.window, start)
            before = published.get((grain.name, start))
            if stage is not None and (before is None or before.k != k or _is_new(before, stage, tick)):
                yield Due(grain, start, stage, tick)


def to_keep(
    now: datetime, days: Iterable[date], kept: Mapping[tuple[str, date], int], events: timedelta
) -> Iterator[tuple[Grain, date, int]]:
    """The windows whose plain counts are to be kept at `now`, with the age in days; `events`: how long states last."""
    ages = sorted({*_KEPT_AGES_DAYS, events.days - _LAST_BEFORE_EXPIRY_DAYS})
    starts = _starts(days)
    for grain in KEPT:
        for start in starts[grain.window]:
            begin, end = _bounds(grain.window, start)
            reached = [age for age in ages if now >= end + timedelta(days=age)]
            whole = now - begin < events - _MARGIN
            if whole and reached and reached[-1] > kept.get((grain.name, start), -1):
                yield grain, start, reached[-1]


def _starts(days: Iterable[date]) -> dict[Window, list[date]]:
    """The first days of the windows that hold `days`, in order."""
    held = set(days)
    return {
        Window.DAY: sorted(held),
        Window.WEEK: sorted({day - timedelta(days=day.weekday()) for day in held}),
        Window.MONTH: sorted({day.replace(day=1) for day in held}),
    }


def _bounds(window: Window, start: date) -> tuple[datetime, datetime]:
    """When a window begins and ends, by the clocks of Paris."""
    after = {
        Window.DAY: start + timedelta(days=1),
        Window.WEEK: start + timedelta(days=7),
        Window.MONTH: (start + timedelta(days=31)).replace(day=1),
    }[window]
    begin, end = (datetime(at.year, at.month, at.day, tzinfo=PARIS) for at in (start, after))
    return begin, end


def _stage(now: datetime, window: Window, start: date) -> Stage | None:
    """What a window is at `now`; None: it has not begun, or is settling."""
    begin, end = _bounds(window, start)
    if now < begin or end <= now < end + SETTLING:
        return None
    if now < end:
        return Stage.OPEN
    return Stage.CLOSED if now < end + LATE else Stage.FINAL


def _is_new(before: Published, stage: Stage, tick: int) -> bool:
    if before.stage is Stage.OPEN and stage is Stage.OPEN:
        return tick > before.tick
    return list(Stage).index(stage) > list(Stage).index(before.stage)


class Publication:
    """Publishes what is due, and keeps plain counts, pass after pass."""

    def __init__(
        self,
        publisher: Publisher,
        revision: Callable[[], int | None],
        now: Callable[[], datetime],
        events_days: int = 180,
    ) -> None:
        """`events_days`: how long events and states are kept."""
        self._publisher = publisher
        self._revision = revision
        self._now = now
        self._events = timedelta(days=events_days)
        self._named_at: datetime | None = None
        self._told_minute = -1
        self._withdrawn = False

    def publish_due(self) -> int:
        """Write every window that is due, and return how many those were."""
        if not self._withdrawn:
            self._publisher.withdraw()
            self._withdrawn = True
        now = self._now()
        first = (now - self._events + _MARGIN).astimezone(PARIS).date()
        days = self._publisher.days(first)
        published = self._publisher.published(first - timedelta(days=6))
        self._publish_names(now)
        written = 0
        for each in due(now, days, published, self._publisher.k):
            self._publisher.publish(each.grain, each.start, each.stage, each.tick)
            written += 1
            if written % _TOLD_EVERY == 0:
                _log.info("published", windows=written, grain=each.grain.name, start=str(each.start))
        self._keep_counts(now, days)
        minute = int(now.timestamp()) // MINUTE_S
        if minute != self._told_minute:
            self._publisher.publish_progress()
            self._told_minute = minute
        return written

    def _keep_counts(self, now: datetime, days: Iterable[date]) -> None:
        kept = self._publisher.kept_ages((now - self._events - timedelta(days=31)).date())
        for number, (grain, start, age_days) in enumerate(to_keep(now, days, kept, self._events), 1):
            self._publisher.keep(grain, start, age_days)
            if number % _TOLD_EVERY == 0:
                _log.info("counts_kept", windows=number, grain=grain.name, start=str(start))

    def run(self, stopped: threading.Event) -> None:
        """Publish until `stopped`; while the database is away, wait for it."""
        while not stopped.is_set():
            try:
                written = self.publish_due()
            except StoreUnavailable as unavailable:
                _log.warning("store_unavailable", error=str(unavailable), advice="the publication waits, tries again")
            else:
                if written:
                    _log.info("publication_done", windows=written)
            stopped.wait(_PAUSE_S)

    def _publish_names(self, now: datetime) -> None:
        """At each new revision of the directory, and every hour: which description of a school holds changes by day."""
        recent = self._named_at is not None and now - self._named_at < _NAMES_EVERY
        if recent and self._publisher.named_revision() == (self._revision() or 0):
            return
        self._publisher.publish_names()
        self._named_at = now
