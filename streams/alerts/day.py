"""One school day, scored as it goes: each bin is judged on what was known at its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from streams.alerts.arrays import Booleans, Counts, Floats, Integers, Singles
from streams.alerts.closure import Verdict, classify
from streams.alerts.finding import Evidence, Finding, References, State
from streams.alerts.learned import Learned
from streams.alerts.negative_binomial import bounds, information_per_login, log_likelihood_ratio
from streams.alerts.platform import Platform, Region
from streams.alerts.rules import Check, Kind
from streams.alerts.running import WITHIN_A_DAY, Bin, Running, day_variance, hearing

_ABSENT = 1e-9
_NEVER = -(10**6)
_REGION_DISCOUNT = 0.7
_WINDOW_MIN = 60
_WATCH_FROM = 0.5
_LITTLE_H = 2.0
_CHUNK = 24


@dataclass(frozen=True)
class Calendar:
    """The day as the calendar has it."""

    ordinal: int
    """`date.toordinal()` of the local day."""
    weekday: int
    """Monday is 0."""
    opened: Booleans
    """[school, bin]: bins of a school day, lunch and evening too, in which the usual connections are expected.
    Holidays, public holidays, free Wednesdays and declared closures are False."""


class Day:
    """The scoring of one day. `advance` may be called with one bin or with many: the result is the same."""

    def __init__(self, learned: Learned, calendar: Calendar, references: References) -> None:
        grid, settings = learned.grid, learned.settings
        self.grid, self.settings, self.calendar, self.references = grid, settings, calendar, references
        watched = np.zeros(grid.bins, bool)
        watched[grid.watched] = True
        open_min = grid.step_min * (calendar.opened & watched).sum(1)
        self.open_day: Booleans = open_min >= min(settings.least_open_min, grid.step_min * int(watched.sum()))
        self.ready = learned.ready(calendar.weekday)
        self.on: Booleans = calendar.opened & watched & (self.open_day & self.ready)[:, None]
        self.known: Booleans = np.ones_like(self.on)
        self.limits: Floats = learned.limits.value
        self.burst: Floats = learned.burst()
        self.spread: Floats = np.sqrt(learned.spread)
        self.weekday_days: Integers = learned.weekly_days[:, calendar.weekday].astype(np.int64)
        self.shape: Singles = learned.shape(calendar.weekday)
        """Logins per slot [school, profile, slot] as sharp as they were seen; `expected` is what is made of it."""
        self.expected: Singles = learned.expect(self.shape)
        self.sharp: Singles = learned.sharpen(self.shape)
        """Logins per bin [school, profile, bin] to the bell: all schools together keep to it."""
        self.seen: Singles = np.zeros_like(self.expected)
        self.at = 0
        """The next bin."""
        self.region = Region(learned.schools)
        self.platform = Platform(grid, settings, Kind.PLATFORM_DOWN, None, settings.platform_share)
        age, share = grid.spans(settings.series_age_min), settings.series_share
        self.series = [Platform(grid, settings, Kind.SERIES_OUT, p, share, age) for p in range(self.seen.shape[1])]
        self.down: Booleans = np.zeros(grid.bins, bool)
        self._sharp: Floats = np.zeros(self.seen.shape[1])
        """Expected of all schools together in this bin [profile], not smoothed: one bell rings for all of them."""
        self._so_far = (0.0, 0.0)
        self._heard = hearing(settings.audience)
        self._running = Running.begin(learned.schools, self.seen.shape[1], grid.watched.start)
        self._held = self._running
        self._found: list[Finding] = []
        checks = (learned.schools, len(WITHIN_A_DAY))
        self._hit_once: Booleans = np.zeros(checks, bool)
        self._last_open: Integers = np.full(checks, _NEVER)
        self._raised: Integers = np.full(checks, -1)

    @property
    def findings(self) -> list[Finding]:
        """All that was found so far today, the platform's first."""
        series = [finding for one in self.series for finding in one.findings]
        return [*self.platform.findings, *series, *self._found]

    @property
    def peak(self) -> Floats:
        """[school, check of WITHIN_A_DAY]: the highest evidence so far."""
        return self._running.peak

    @property
    def seen_today(self) -> Floats:
        """[school]: logins so far in watched open bins with data, outside the platform's outages."""
        return self._running.seen[:, Check.DAY]

    @property
    def regional(self) -> Floats:
        """[school, profile]: expected so far in watched open bins, times what schools do today."""
        return self._running.day_regional

    def usual(self) -> Floats:
        """Logins that each bin of such a day usually brings [school, profile, bin], not smoothed; 0 if not judged."""
        return np.asarray(self.sharp * self.on[:, None])

    def advance(self, counts: Counts, known: Booleans | None = None) -> None:
        """Take in the next bins: logins [school, profile, bin]; `known` [school, bin] is False where data are missing.

        Raises ValueError if the shapes do not fit, or more bins come than the day has left.
        """
        count = counts.shape[2]
        if counts.shape[:2] != self.seen.shape[:2] or self.at + count > self.grid.bins:
            raise ValueError(f"counts {counts.shape} do not fit {self.seen.shape} from bin {self.at} on")
        part = slice(self.at, self.at + count)
        self.seen[:, :, part] = np.maximum(counts.astype(np.float32), 0)
        if known is not None:
            self.known[:, part] = known
            self.seen[:, :, part] *= known[:, None]
        for start in range(part.start, part.stop, _CHUNK):
            self._take_chunk(slice(start, min(start + _CHUNK, part.stop)))
        self.at = part.stop

    def _take_chunk(self, part: slice) -> None:
        """Likelihoods of several bins at once, as they depend on no decision; the decisions bin by bin."""
        watched = self.grid.watched
        part = slice(max(part.start, watched.start), min(part.stop, watched.stop))
        if part.start >= part.stop:
            return
        on = self.on[:, part] & self.known[:, part]
        open_ = on[:, None]
        seen = np.where(open_, self.seen[:, :, part], 0.0).astype(np.float64)
        expected = np.where(open_, self.expected[:, :, part], _ABSENT).astype(np.float64)
        regional = expected * self.region.take(seen.sum(1), expected.sum(1))
        low = regional * (1 - _REGION_DISCOUNT * self.spread)[:, :, None]
        burst = np.broadcast_to(self.burst[:, :, None], seen.shape)
        quiet = np.where(open_, log_likelihood_ratio(seen, expected, burst, self.settings.silent_share), 0)
        less = np.where(open_, log_likelihood_ratio(seen, low, burst, self.settings.low_share), 0)
        for n, at in enumerate(range(part.start, part.stop)):
            self._sharp = np.where(on[:, n, None], self.sharp[:, :, at], 0).sum(0, dtype=np.float64)
            columns = (seen, expected, regional, quiet, less)
            self._take(at, on[:, n], Bin(*(np.ascontiguousarray(column[:, :, n]) for column in columns)))

    def _take(self, at: int, on: Booleans, bin_: Bin) -> None:
        if not self.known[:, at].any():
            self._start_anew()
            return
        if not self._judge_platform(at, bin_):
            late = at - self.grid.watched.start >= self.grid.spans(self.settings.day_after_min) - 1
            heard = self._without_dark_series(at, bin_)
            self._running = self._running.take(at, heard, self._heard, self.burst, self.spread, late)
            self._judge_schools(at, on)
        if self.platform.score <= 0:
            self._held = self._running

    def _start_anew(self) -> None:
        """No data of any school: what was evidence before such a hole cannot be compared with days that have none."""
        for total in (self.platform, *self.series):
            total.clear()
        self._held = self._running = self._running.start_anew()

    def _judge_platform(self, at: int, bin_: Bin) -> bool:
        """True while nothing is to be held against a school. What was, since the platform fell, is taken back."""
        if len(self.seen) == 1:
            return False
        totals = (bin_.quiet.sum(0), bin_.seen.sum(0), bin_.expected.sum(0))
        quiet, seen, expected = (float(total.sum()) for total in totals)
        if self._asleep(seen, expected):
            self.platform.clear()
            down = True
        else:
            if self.platform.take(at, quiet, seen, expected, float(self._sharp.sum())):
                self._running = self._held
                self.down[self.platform.since : at] = True
            down = at <= self.platform.down_until
        self.down[at] = down
        for profile, series in enumerate(self.series):
            if down:
                series.clear()
            elif series.take(at, *(float(total[profile]) for total in (*totals, self._sharp))):
                self._take_back(profile)
        return down

    def _asleep(self, seen: float, expected: float) -> bool:
        """Without a calendar: nobody has come since the morning, so that today is taken as a day without school."""
        if self.settings.calendar_known:
            return False
        self._so_far = self._so_far[0] + seen, self._so_far[1] + expected
        came, due = self._so_far
        return due > self.settings.platform_least and came < self.settings.series_share * due

    def _take_back(self, profile: int) -> None:
        """A profile is out everywhere: what it said about one school is withdrawn."""
        if profile == self.settings.audience.families:
            self._running = self._running.without(Check.FAMILIES)

    def _without_dark_series(self, at: int, bin_: Bin) -> Bin:
        """A profile that is out everywhere says nothing about one school."""
        lit = np.array([at > series.down_until for series in self.series])
        return bin_ if lit.all() else Bin(*(np.where(lit, column, 0.0) for column in bin_))

    def _judge_schools(self, at: int, on: Booleans) -> None:
        running, limits = self._running, self.limits[:, : len(WITHIN_A_DAY)]
        hit = (running.score > limits) & on[:, None]
        self._hit_once |= hit
        open_ = running.score > np.where(self._hit_once, limits / 2, limits)
        if not open_.any():
            return
        new = open_ & (at - self._last_open > self.grid.spans(self.settings.join_min))
        self._raised[new] = -1
        self._last_open[open_] = at
        for index in self._raised[open_ & (self._raised >= 0)]:
            self._found[index] = replace(self._found[index], until=at)
        for school, check in self._candidates(at, hit & (self._raised < 0)):
            finding = self._examine(school, check, at)
            if finding is not None:
                self._raised[school, check] = len(self._found)
                self._found.append(finding)

    def _candidates(self, at: int, hit: Booleans) -> Iterator[tuple[int, Check]]:
        running, settings = self._running, self.settings
        most = np.array([settings.rules[check].most for check in WITHIN_A_DAY])
        old = at - running.begun + 1 >= self.grid.spans(settings.age_min)
        enough = running.expected >= settings.least_expected
        low = running.seen <= most * running.expected
        for school, check in zip(*np.nonzero(hit & old & enough & low), strict=True):
            yield int(school), Check(int(check))

    def _examine(self, school: int, check: Check, at: int) -> Finding | None:
        """The finding, unless such a lull is usual, or it is too early to tell a closure from an outage."""
        running, settings = self._running, self.settings
        since = int(running.begun[school, check])
        seen, expected = float(running.seen[school, check]), float(running.expected[school, check])
        heard = [int(p) for p in np.flatnonzero(self._heard[:, check])]
        past = self.references.comparable(school, self.calendar.weekday, heard, since, at)
        deep = settings.rules[check].most < 0.5
        bar = max(1.5 * seen, 0.25 * expected) if deep else 1.1 * seen
        if sum(reference.logins <= bar for reference in past) >= settings.lull_days:
            return None
        silent_too = bool(running.score[school, Check.SILENCE] >= running.score[school, Check.FAMILIES])
        verdict = Verdict.DROP
        if check is not Check.FAMILIES or silent_too:
            verdict = classify(self, school, since, at)
        if verdict is Verdict.WAIT:
            return None
        kind = verdict.kind(check, families_alone=not silent_too)
        return Finding(
            kind=kind,
            check=check,
            school=school,
            profile=settings.audience.families if kind is Kind.SERIES_OUT else None,
            since=since,
            raised=at,
            until=at,
            observed=seen,
            expected=expected,
            evidence=float(running.score[school, check]),
            limit=float(self.limits[school, check]),
            references=past,
        )

    def evidence(self) -> Evidence:
        """The scores after the last bin taken in. Raises ValueError before the first."""
        if self.at == 0:
            raise ValueError("no bin was taken in yet: call advance first")
        at = self.at - 1
        running = self._running
        last = slice(max(0, self.at - self.grid.spans(_WINDOW_MIN)), self.at)
        judged = (self.on & self.known)[:, last]
        observed = (self.seen[:, :, last] * judged[:, None]).sum(2).astype(np.float64)
        expected = (self.expected[:, :, last] * judged[:, None]).sum(2).astype(np.float64)
        low, high = bounds(expected, self.burst * expected + (self.spread * expected) ** 2)
        low_all, high_all = bounds(expected.sum(1), day_variance(expected, self.burst, self.spread))
        scores = np.zeros_like(self.limits)
        scores[:, : len(WITHIN_A_DAY)] = running.score
        severity = (scores / self.limits).max(1)
        hours = np.maximum(judged.sum(1) * self.grid.step_min / 60, self.grid.step_min / 60)
        information = (expected * information_per_login(self.burst)).sum(1) / hours
        return Evidence(
            bin=at,
            observed=observed,
            expected=expected,
            low=low,
            high=high,
            low_all=low_all,
            high_all=high_all,
            day_observed=running.seen[:, Check.DAY],
            day_expected=running.expected[:, Check.DAY],
            evidence=scores,
            limits=self.limits,
            severity=severity,
            information_per_h=information,
            references=self.weekday_days,
            state=self._states(at, severity, information),
        )

    def _states(self, at: int, severity: Floats, information: Floats) -> tuple[State, ...]:
        """From the weakest reason to the strongest, so that the last that holds is said."""
        state = np.full(len(severity), State.NORMAL, dtype=object)
        state[self.limits[:, Check.SILENCE] > _LITTLE_H * information] = State.LITTLE
        state[severity >= _WATCH_FROM] = State.WATCHED
        join = self.grid.spans(self.settings.join_min)
        open_now = [f.school for f in self._found if f.until >= at - join and f.school is not None]
        state[open_now] = State.ALERT
        if self.down[at]:
            state[:] = State.PLATFORM
        state[~self.known[:, at]] = State.UNKNOWN
        state[~self.ready] = State.LEARNING
        watched = self.grid.watched.start <= at < self.grid.watched.stop
        state[~(self.calendar.opened[:, at] & self.open_day & watched)] = State.CLOSED
        return tuple(state)
