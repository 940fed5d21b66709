"""The detector on real days: which schools, which days, which bins are open, and which have data. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from schemas.school_time import CalendarEndedError, SchoolTime
from schemas.school_time.school_time import PARIS
from streams.alerts.arrays import Booleans
from streams.alerts.closing import close
from streams.alerts.day import Calendar, Day
from streams.alerts.finding import Finding
from streams.alerts.grid import Grid
from streams.alerts.learned import Learned
from streams.alerts.learning import learn
from streams.alerts.negative_binomial import information_per_login
from streams.alerts.recent import Recent
from streams.alerts.rules import Settings

DARK_LIMIT: Final = 12.0
"""Nats: so surprising must a stretch without any event be before the pipeline, and no school, is suspected. It is below
the platform's own limit, so that an ENT of which nothing at all arrives is called interrupted rather than silent."""


class DayCounts(NamedTuple):
    """What happened on a day."""

    logins: npt.NDArray[np.int32]
    """[school, profile, bin]"""
    events: npt.NDArray[np.int64]
    """[bin]: of every type and school."""


@dataclass(frozen=True)
class Judgement:
    """A day as far as it is known."""

    date: date
    day: Day
    dark: tuple[int, int] | None
    """First bin and the one after the last of the stretch without any event that goes on now."""
    findings: tuple[Finding, ...]
    """So far; of a finished day also what only whole days show."""

    def moment(self, bin_: int) -> datetime:
        """When a bin begins, in UTC."""
        minute = self.day.grid.minute_of(bin_)
        return datetime.combine(self.date, time(minute // 60, minute % 60), PARIS).astimezone(UTC)


class Watch:
    """Everything that was learned of the schools, and the day that is being judged."""

    def __init__(
        self, known: SchoolTime, deployed: Mapping[str, date], settings: Settings, grid: Grid | None = None
    ) -> None:
        """`deployed` has the first day of the ENT in each school that is watched, by UAI."""
        self.uais: Sequence[str] = sorted(deployed)
        self.school_time = known
        self.grid = grid or Grid()
        self.learned = Learned.empty(len(self.uais), self.grid, settings)
        self.recent = Recent(self.learned)
        self.without_calendar: set[str] = set()
        """Schools of which the calendar did not know the last day asked for."""
        self._deployed = deployed
        self._profiles = settings.audience.names
        self._current: tuple[date, DayCounts, int, Judgement] | None = None

    def opened(self, day: date) -> Booleans:
        """[school, bin]: where the usual connections are expected; False where the calendar does not know."""
        opened = np.zeros((len(self.uais), self.grid.bins), bool)
        for school, uai in enumerate(self.uais):
            if self._deployed[uai] > day:
                continue
            try:
                opened[school] = self.school_time.is_open(uai, day)
            except CalendarEndedError:
                self.without_calendar.add(uai)
        midnight = datetime.combine(day, time(), PARIS)
        for closure in self.school_time.closures:
            schools = [number for number, uai in enumerate(self.uais) if closure.concerns(uai)]
            first, after = (self._bin(midnight, moment) for moment in (closure.starts, closure.ends))
            opened[schools, first : max(after, first)] = False
        return opened

    def counts(self, day: date, frame: pl.DataFrame) -> DayCounts:
        """The rows of one day, as `sinks.clickhouse.logins.COUNTS` has them, in arrays; unknown schools left out."""
        logins = np.zeros((len(self.uais), len(self._profiles), self.grid.bins), np.int32)
        events = np.zeros(self.grid.bins, np.int64)
        rows = frame.filter((pl.col("day") == day) & pl.col("bin").is_between(0, self.grid.bins - 1))
        if len(rows):
            np.add.at(events, rows["bin"].to_numpy(), rows["events"].to_numpy())
        schools = pl.DataFrame({"uai": list(self.uais), "school": range(len(self.uais))})
        profiles = pl.DataFrame({"profile": list(self._profiles), "place": range(len(self._profiles))})
        placed = rows.join(schools, on="uai").join(profiles, on="profile")
        if len(placed):
            place = (placed["school"].to_numpy(), placed["place"].to_numpy(), placed["bin"].to_numpy())
            np.add.at(logins, place, placed["logins"].to_numpy())
        return DayCounts(logins, events)

    def learn(self, day: date, counts: DayCounts) -> Judgement | None:
        """Take a finished day in; None where no school was open on it, or where there is no event of that day at all:
        it lies before the first one, or in a hole."""
        opened = self.opened(day)
        if not (opened.any() and counts.events.any()):
            return None
        judged = self._judge(day, opened, counts, self.grid.bins)
        closed = close(self.learned, judged.day)
        self.recent.take(closed)
        learn(self.learned, closed)
        self._current = None
        return replace(judged, findings=closed.findings)

    def judge(self, day: date, counts: DayCounts, bins: int) -> Judgement | None:
        """The day up to before bin number `bins`; None where no school is open on it.

        Counts that were given before may have changed since, as late events do: then the day is judged anew.
        """
        opened = self.opened(day)
        if not opened.any():
            return None
        before = self._current
        if before is not None and before[0] == day and before[2] <= bins:
            going_on = self._go_on(before, opened, counts, bins)
            if going_on is not None:
                return self._keep(day, counts, bins, going_on)
        return self._keep(day, counts, bins, self._judge(day, opened, counts, bins))

    def _keep(self, day: date, counts: DayCounts, bins: int, judged: Judgement) -> Judgement:
        self._current = (day, counts, bins, judged)
        return judged

    def _go_on(
        self, before: tuple[date, DayCounts, int, Judgement], opened: Booleans, counts: DayCounts, bins: int
    ) -> Judgement | None:
        """Only the new bins; None where something of the old ones has changed."""
        _, known, judged_bins, judged = before
        same = (
            np.array_equal(known.logins[:, :, :judged_bins], counts.logins[:, :, :judged_bins])
            and np.array_equal(known.events[:judged_bins] > 0, counts.events[:judged_bins] > 0)
            and np.array_equal(judged.day.calendar.opened, opened)
        )
        dark, stretch = self._dark(judged.day, counts, bins)
        if not same or not np.array_equal(dark[:judged_bins], ~judged.day.known[:, :judged_bins].any(0)):
            return None
        part = slice(judged_bins, bins)
        judged.day.advance(
            counts.logins[:, :, part], np.broadcast_to(~dark[part], (len(self.uais), bins - judged_bins))
        )
        return Judgement(judged.date, judged.day, stretch, tuple(judged.day.findings))

    def _judge(self, day: date, opened: Booleans, counts: DayCounts, bins: int) -> Judgement:
        scored = Day(self.learned, Calendar(day.toordinal(), day.weekday(), opened), self.recent)
        dark, stretch = self._dark(scored, counts, bins)
        scored.advance(counts.logins[:, :, :bins], np.broadcast_to(~dark[:bins], (len(self.uais), bins)))
        return Judgement(day, scored, stretch, tuple(scored.findings))

    def _dark(self, day: Day, counts: DayCounts, bins: int) -> tuple[Booleans, tuple[int, int] | None]:
        """Bins in stretches without any event that nothing but an interruption explains; and the one that goes on."""
        dark = np.zeros(self.grid.bins, bool)
        due = np.minimum(day.expected * day.on[:, None], day.usual())
        information = (due * information_per_login(day.burst)[:, :, None]).sum((0, 1))
        empty = np.concatenate([[False], counts.events[:bins] == 0, [False]])
        edges = np.flatnonzero(empty[1:] != empty[:-1])
        current = None
        for first, after in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            if information[first:after].sum() >= DARK_LIMIT:
                dark[first:after] = True
                current = (first, after) if after == bins else None
        return dark, current

    def _bin(self, midnight: datetime, moment: datetime) -> int:
        """The bin in which a moment lies, clipped to the day's first and last."""
        local = moment.astimezone(PARIS)
        if local < midnight:
            return 0
        if local >= midnight + timedelta(days=1):
            return self.grid.bins
        return self.grid.bin_at(local.hour * 60 + local.minute)
