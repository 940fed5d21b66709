"""A pass: read what is new, judge it, add steps to the lives of alerts, tell people. If it is cut, the next one heals.

Nothing is kept but what can be read again: what was learned is learned anew from the windows at a start, and what
stands or was told is in the database. See docs/adr/0024.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

import structlog

from schemas.school_time import CalendarEndedError, SchoolTime
from schemas.school_time.horizon import Horizon
from schemas.school_time.school_time import PARIS
from sinks.clickhouse.alert_tables import AlertRow, StepRow
from sinks.clickhouse.logins import Span
from streams.alerting.digest import digest_step
from streams.alerting.episodes import Gravity, Sign, Standing, Step, next_steps
from streams.alerting.health import health_rows
from streams.alerting.messages import Message, calendar_message, compose, flow_message
from streams.alerting.settings import AlertSettings
from streams.alerting.signs import (
    CALENDAR_TOPIC,
    FLOW_TOPIC,
    MUTED_BY_FLOW,
    calendar_sign,
    flow_sign,
    recovered_topics,
    signs_of,
)
from streams.alerting.story import Story, fallen
from streams.alerting.tables import Tables
from streams.alerting.telling import Telling
from streams.alerting.watch import Judgement, Watch
from streams.alerts.rules import Settings

_log = structlog.get_logger(__name__)
_MOST_COMPARED: Final = 8


class AlertService:
    """Watches the schools of one database. Every method raises `DatabaseFailure`."""

    def __init__(self, tables: Tables, settings: AlertSettings, telling: Telling) -> None:
        self._tables = tables
        self._settings = settings
        self._telling = telling
        self._rules = Settings(warmup_days=settings.warmup_days)
        self._watch: Watch | None = None
        self._next_day = date.min
        """The first day that was not learned."""
        self._known: SchoolTime | None = None
        self._names: dict[str, str] = {}
        self._done: tuple[object, ...] = ()

    def tick(self, now: datetime) -> bool:
        """Judge if five more minutes are complete or the pipeline has stalled, tell what is due; whether it judged."""
        due = self._due(now)
        new = due != self._done
        if new:
            self.judge(now)
            self._done = due
        self._telling.tell(now)
        return new

    def judge(self, now: datetime) -> Judgement | None:
        """One pass. Doing it again changes nothing."""
        complete = self._tables.logins.complete_through()
        if complete is None:
            return None  # no worker has read anything yet
        begun = self._tables.alerts.last_judged()
        today, reached = now.astimezone(PARIS).date(), complete.astimezone(PARIS).date()
        if self._next_day > reached:
            # Days were learned whose events are only coming now: a backlog showed up after the start.
            self._watch = None
        watch = self._prepare(now)
        # A day of which events are still to come, as while a backlog is read, is learned once it is whole.
        self._learn_until(watch, min(today, reached), begun, now)
        judged = self._judge_today(watch, today, now, complete)
        midnight = datetime.combine(today, time(), PARIS)
        # Before the first judgement ever, a backlog is being read: nothing was interrupted.
        stalled = begun is not None and now - complete > timedelta(seconds=self._settings.stalled_s)
        flow = flow_sign(judged, complete if stalled else None, now)
        horizon, unknown = self._horizon(watch, today)
        signs = [sign for sign in (flow, calendar_sign(horizon, unknown)) if sign is not None]
        recovered = {FLOW_TOPIC, CALENDAR_TOPIC} - {sign.topic for sign in signs}
        if judged is not None:
            signs += signs_of(judged, judged.findings, watch.uais, self._rules.audience.names)
            recovered |= recovered_topics(judged, watch.uais)
        steps = next_steps(
            _standing(self._tables.alerts.alerts(midnight)),
            signs,
            now,
            recovered=recovered,
            frozen=MUTED_BY_FLOW if flow is not None else (),
            today=midnight,
        )
        tell = self._teller(horizon, unknown, stalled=stalled)
        rows = [self._row(step, tell) for step in steps]
        rows += self._digest(now)
        self._tables.alerts.add_steps(rows)
        for row in rows:
            _log.info("alert_step", alert=row.alert_id, what=row.what, kind=row.kind, school=row.uai)
        if judged is not None and judged.day.at and (watch.learned.day or judged.day.seen.any()):
            self._tables.alerts.add_health(health_rows(judged, watch.uais, self._rules.audience.names))
        return judged

    def look_back(self, at: datetime) -> tuple[Watch, Judgement | None]:
        """The day of a moment, judged up to it from what is stored now; adds no step."""
        watch = self._prepare(at)
        day = at.astimezone(PARIS).date()
        self._learn(watch, day, lambda _: None)
        return watch, self._judge_today(watch, day, at + timedelta(seconds=self._settings.grace_s), None)

    def _due(self, now: datetime) -> tuple[object, ...]:
        """What a pass depends on that time alone changes."""
        complete = self._tables.logins.complete_through()
        stalled = complete is not None and (now - complete).total_seconds() > self._settings.stalled_s
        reached = self._reached(now, complete)
        return (reached.date(), reached.hour * 60 + reached.minute - reached.minute % 5, stalled)

    def _reached(self, now: datetime, complete: datetime | None) -> datetime:
        grace = timedelta(seconds=self._settings.grace_s)
        reached = now - grace if complete is None else min(now - grace, complete)
        return reached.astimezone(PARIS)

    def _prepare(self, now: datetime) -> Watch:
        """The watch over the schools of the directory; a new one, that has learned nothing, where they have changed."""
        try:
            self._tables.school_time.expand()
        except CalendarEndedError as error:
            _log.warning("school_time_not_expanded", error=str(error))
        known, deployed = self._tables.school_time.read(), self._tables.logins.deployed()
        self._names = {uai: name for uai, (name, _) in deployed.items()}
        starts = {uai: day for uai, (_, day) in deployed.items() if uai in known.places}
        before = self._known
        if self._watch is None or before is None or sorted(starts) != list(self._watch.uais) or _moved(before, known):
            self._watch = Watch(known, starts, self._rules)
            self._next_day = now.astimezone(PARIS).date() - timedelta(days=self._settings.history_days)
        self._known = known
        self._watch.school_time = known
        return self._watch

    def _learn_until(self, watch: Watch, today: date, last: datetime | None, now: datetime) -> None:
        """Take in the days before today; what only a finished day shows is added for those since the last pass."""
        emitted = today if last is None else last.astimezone(PARIS).date()

        def close(judged: Judgement) -> None:
            if judged.date < emitted:
                return
            midnight = datetime.combine(judged.date, time(), PARIS)
            signs = signs_of(judged, judged.findings, watch.uais, self._rules.audience.names)
            standing = _standing(self._tables.alerts.alerts(midnight))
            steps = next_steps(standing, signs, now, recovered=(), today=midnight)
            tell = self._teller(Horizon(judged.date, judged.date), (), stalled=False)
            self._tables.alerts.add_steps([self._row(step, tell) for step in steps])

        self._learn(watch, today, close)

    def _learn(self, watch: Watch, until: date, close: Callable[[Judgement], None]) -> None:
        for first, after in _months(self._next_day, until):
            grid = watch.grid
            frame = self._tables.logins.counts(first, after, grid.first_min, grid.step_min)
            for number in range((after - first).days):
                day = first + timedelta(days=number)
                judged = watch.learn(day, watch.counts(day, frame))
                self._next_day = day + timedelta(days=1)
                if judged is not None:
                    close(judged)

    def _judge_today(self, watch: Watch, today: date, now: datetime, complete: datetime | None) -> Judgement | None:
        grid = watch.grid
        frame = self._tables.logins.counts(today, today + timedelta(days=1), grid.first_min, grid.step_min)
        reached = self._reached(now, complete)
        minute = reached.hour * 60 + reached.minute if reached.date() == today else 0
        return watch.judge(today, watch.counts(today, frame), grid.bin_at(minute))

    def _horizon(self, watch: Watch, today: date) -> tuple[Horizon, list[str]]:
        """The calendar's end over the watched schools, and those that are in no calendar."""
        known, ends, unknown = watch.school_time, [], []
        for uai in watch.uais:
            try:
                ends.append(known.calendar.of(known.places[uai]).after)
            except CalendarEndedError:
                unknown.append(uai)
        far = today + timedelta(days=self._settings.history_days)
        return Horizon(min(ends, default=far), today), unknown

    def _teller(
        self, horizon: Horizon, unknown: Sequence[str], *, stalled: bool
    ) -> Callable[[Step], tuple[Message, Story]]:
        def tell(step: Step) -> tuple[Message, Story]:
            if step.sign.topic == FLOW_TOPIC:
                return flow_message(step, stalled), Story()
            if step.sign.topic == CALENDAR_TOPIC:
                return calendar_message(step, horizon, [self._names.get(uai, uai) for uai in unknown]), Story()
            story = self._story(step.sign, step.at)
            return compose(step, story, self._settings.dashboard_url.replace("{uai}", step.sign.uai)), story

        return tell

    def _story(self, sign: Sign, at: datetime) -> Story:
        if not sign.uai:
            return Story()
        span = Span(sign.since, max(min(sign.until, at), sign.since + timedelta(minutes=5)))
        days = (span.starts.astimezone(PARIS).date(), sign.references[-_MOST_COMPARED:])
        comparable = [_moved_to(span, date.fromisoformat(day)) for day in days[1] if date.fromisoformat(day) != days[0]]
        logins, least = self._tables.logins, self._settings.least_persons
        classes, profiles, applications = (
            fallen(logins.parts(sign.uai, of, span, comparable), least) for of in ("class_id", "profile", "app")
        )
        few = 0 < logins.persons(sign.uai, span) < least
        return Story(self._names.get(sign.uai, sign.uai), classes, profiles, applications, few)

    def _row(self, step: Step, tell: Callable[[Step], tuple[Message, Story]]) -> StepRow:
        sign = step.sign
        message, story = tell(step)
        details = {
            "school": story.school,
            "classes": story.classes,
            "profiles": story.profiles,
            "applications": story.applications,
            "references": sign.references,
        }
        return StepRow(
            alert_id=step.alert_id,
            step=step.number,
            what=step.what.value,
            at=step.at,
            kind=sign.kind,
            topic=sign.topic,
            uai=sign.uai,
            profile=sign.profile,
            since=sign.since,
            level=int(sign.gravity),
            observed=None if story.few else sign.observed,
            expected=sign.expected,
            evidence=sign.evidence,
            limit=sign.limit,
            title=message.title,
            text=message.text,
            details=json.dumps(details, ensure_ascii=False),
        )

    def _digest(self, now: datetime) -> list[StepRow]:
        step = digest_step(now, self._tables.alerts, self._tables.logins, self._names)
        return [] if step is None else [step]


def _standing(alerts: Sequence[AlertRow]) -> list[Standing]:
    return [
        Standing(
            row.alert_id,
            row.topic,
            row.steps,
            row.kind,
            Gravity(row.level),
            row.since,
            row.opened_at,
            row.resolved_at,
            row.uai,
            row.profile,
        )
        for row in alerts
    ]


def _moved(before: SchoolTime, known: SchoolTime) -> bool:
    """Whether more than the declared closures has changed: then the past is learned anew."""
    return (before.calendar, before.places, before.timetables) != (known.calendar, known.places, known.timetables)


def _moved_to(span: Span, day: date) -> Span:
    """The same hours of Paris on another day."""
    starts, ends = (datetime.combine(day, edge.astimezone(PARIS).time(), PARIS) for edge in (span.starts, span.ends))
    return Span(starts, ends)


def _months(first: date, after: date) -> Iterator[tuple[date, date]]:
    """The days in stretches that fit in memory, whatever the number of schools."""
    while first < after:
        end = min(first + timedelta(days=28), after)
        yield first, end
        first = end
