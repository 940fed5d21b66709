"""A worker: the composition root. The only module that names both Faust and the concrete store."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, cast

import faust
import structlog
from faust.types import TP
from mode.utils.loops import get_event_loop

from schemas.formats import formats_at
from schemas.keyring import MissingKeyError
from sinks.base import LogStart, Progress, RowsRefused, StoreMisconfigured, StoreUnavailable
from sinks.clickhouse.client import connect
from sinks.clickhouse.directory import activate_if_complete, current_revision, read_directory, store_directory_records
from sinks.clickhouse.erasure import denied_keys
from sinks.clickhouse.ledger import freeze_closed_months, read_gaps
from sinks.clickhouse.pauses import read_pauses, write_pause
from sinks.clickhouse.store import ClickHouseStore
from sinks.delivery import Waiting, deliver
from streams import metrics
from streams.agents.directory import attach_directory_agents
from streams.agents.events import attach_event_agents
from streams.batch import Batch
from streams.clock import Clock
from streams.dead_letter_topic import DeadLetterTopic
from streams.directory.snapshot import Directory
from streams.directory_keeper import DirectoryKeeper
from streams.frontier import Frontier
from streams.garbage import spare_what_is_there
from streams.incarnation import identify
from streams.intake import Intake, Load
from streams.ledger_check import LedgerCheck
from streams.observation import note_stage, note_stored
from streams.pauses import Pauses
from streams.pipeline import Keys, Limits, process
from streams.school_keys import require_keys
from streams.settings import Settings
from streams.storm import StormWatch
from streams.topics import LOGIN, Lane, TopicError
from streams.transport import BatchApp, PartitionPosition, TransportSettings
from streams.transport.credentials import credentials
from streams.windows import Pace, Stored, Windows

if TYPE_CHECKING:
    from streams.alerting.service import AlertService

_log = structlog.get_logger(__name__)

EX_OK = 0
EX_SOFTWARE = 70
_DRAIN_TIMEOUT_S = 7.0
_STOP_DEADLINE_S = 9.0
"""A stop ends within ten seconds, whoever is away."""
_WAITING_THREADS = 24
"""More than can wait for the database at the same time: else a database that is away would stop the decoding too."""
_PROGRESS_INTERVAL_S = 2.0
_DIRECTORY_INTERVAL_S = 2.0
_PAUSES_INTERVAL_S = 2.0
_LEDGER_INTERVAL_S = 60.0
_FREEZE_INTERVAL_S = 3600.0
_PULSE_INTERVAL_S = 0.2
_ALERT_INTERVAL_S = 10.0
"""Between looks at whether five more minutes can be judged."""
_ALERT_PATIENCE_S = 120.0
"""How long a backlog may put off the first of them."""
_LEADING = (LOGIN, 0)
"""Whoever holds this partition watches the schools: see docs/adr/0024."""
_BATCH_RECORDS = 5_000
"""Several batches wait in queues at any time: small ones keep the worker's memory small."""
_PULSE_LIMIT_S = 30.0
EXPIRY_MARGIN = timedelta(days=2)
"""An event is not taken in so shortly before its day expires: its windows could not be counted from whole days."""
_ADVICE = {
    StoreUnavailable: "the database stayed away for longer than ENT_PACE__PATIENCE_S: start it, then the worker",
    StoreMisconfigured: "do what the error says, then start the worker again",
    MissingKeyError: "add the key of that school year, and start the worker again",
    RowsRefused: "the database refuses rows that are no events: report this",
}


class Worker:
    """Everything one worker process does, from Kafka to the acknowledged windows."""

    def __init__(self, settings: Settings) -> None:
        """Connect the parts; raises SettingsError, StoreMisconfigured or StoreUnavailable where one cannot be had."""
        self._settings = settings
        self._lane = settings.kafka.lane
        self._clock = Clock(settings.clock_offset)
        keyring = settings.keyring()
        require_keys(keyring, self._clock.now())
        keys = Keys(keyring, settings.key("event_id_key"))
        formats = formats_at(settings.formats)
        self._client = connect(settings.database)
        self._store = ClickHouseStore(self._client, settings.database.database)
        self._waiting = Waiting(settings.pace.patience(), time.monotonic, time.sleep, self._note_unavailable)
        self._database = settings.database.database
        self._directory = DirectoryKeeper(
            partial(current_revision, self._client, self._database),
            lambda revision: Directory(revision, read_directory(self._client, self._database, revision)),
        )
        self._incarnations = self._identify()
        limits = Limits(age=min(Limits().age, timedelta(days=settings.retention.events_days) - EXPIRY_MARGIN))
        self._denied: frozenset[int] = frozenset()
        self._frontier = Frontier()
        self._begun: set[tuple[str, int]] = set()
        self._ledger_check = LedgerCheck()
        self._pulse_s = self._began_s = time.monotonic()
        self._assigned = False
        self._unavailable: str | None = None
        self._loop = get_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(_WAITING_THREADS, "work"))
        asyncio.set_event_loop(self._loop)  # Faust's threads ask for the one, its worker for the other
        self.app = _build_app(settings, self._loop, self._on_truncated, self._on_assigned)
        self._letters = DeadLetterTopic(settings.kafka.bootstrap, settings.pace.patience_s, settings.kafka.security)
        self._windows = Windows(
            recompute=lambda level, slices: self._answered(lambda: self._store.recompute(level, slices)),
            pace=Pace(
                share=settings.pace.pass_share,
                roll_interval_s=settings.pace.roll_interval_s,
                max_held_rows=settings.pace.max_held_rows,
            ),
            hurried=self._hurried,
            behind=self._is_behind,
            on_minutes_right=self._note_fresh,
            on_stage=note_stage,
        )
        self._pauses = Pauses(
            watch=StormWatch(settings.storm.limits()),
            incarnation_of=lambda topic: self._incarnations.get(topic),
            give_back=lambda partition, offset: self.app.batch_consumer.give_back(TP(*partition), offset),
            go_on=lambda partition: self.app.batch_consumer.go_on(TP(*partition)),
            read=lambda: read_pauses(self._client, self._database),
            write=lambda pause: self._answered(lambda: write_pause(self._client, self._database, pause)),
        )
        self._intake = Intake(
            process=lambda batches: process(
                batches, self._directory.current, keys, self._incarnations, limits, formats, self._denied
            ),
            store=lambda shipment: deliver(self._store, shipment, self._waiting),
            publish=lambda shipment: self._letters.publish(shipment.dead_letters),
            windows=self._windows,
            begin=self._begin,
            on_acknowledged=self._note_acknowledged,
            max_rows=settings.pace.max_rows,
            max_insert_rows=settings.pace.max_insert_rows,
            linger_s=settings.pace.linger_s,
            holds=self._pauses.holds,
            judge=self._pauses.judge,
            on_stored=note_stored,
            on_stage=note_stage,
        )
        attach_event_agents(self.app, self._intake, self._lane)
        if self._lane is Lane.LIVE:
            attach_directory_agents(self.app, self._store_directory)
        self._alerts: AlertService | None = None
        self._door = metrics.Door(settings.metrics_host, settings.metrics_port, self._healthy, self._ready)

    def run(self) -> NoReturn:
        """Work until a signal; SystemExit says how it ended."""
        self._answered(self._directory.read)
        self._answered(lambda: self._pauses.take_over(read_pauses(self._client, self._database)))
        self._answered(self._read_denied)
        spare_what_is_there()
        self.app.task(self._start)
        self._door.open()
        _log.info("worker_started", metrics_port=self._door.port, directory_revision=self._directory.current.revision)
        _Process(
            self.app,
            loop=self._loop,
            loglevel=self._settings.log_level,
            override_logging=False,
            redirect_stdouts=False,
            quiet=True,
        ).execute_from_commandline()

    async def _start(self) -> None:
        """Begin the stages; none of them ever ends by itself."""
        loop = asyncio.get_running_loop()
        stages: list[Coroutine[Any, Any, None]] = [
            self._intake.run_work(),
            self._intake.run_store(),
            self._windows.run(),
            self._repeat(_PULSE_INTERVAL_S, self._note_pulse),
            self._repeat(_PROGRESS_INTERVAL_S, self._record_progress),
            self._repeat(_DIRECTORY_INTERVAL_S, partial(asyncio.to_thread, self._refresh)),
            self._repeat(_PAUSES_INTERVAL_S, self._refresh_pauses),
        ]
        if self._lane is Lane.LIVE:  # it speaks for all lanes: the ledger is one
            stages += [
                self._repeat(_LEDGER_INTERVAL_S, self._check_ledger),
                self._repeat(_FREEZE_INTERVAL_S, self._freeze_ledger),
            ]
        if self._settings.alerts.enabled:
            stages.append(self._repeat(_ALERT_INTERVAL_S, self._watch_schools))
        self._stages = [loop.create_task(stage) for stage in stages]
        for task in self._stages:
            task.add_done_callback(_leave)

    async def _repeat(self, interval_s: float, what: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(interval_s)
            await what()

    async def _note_pulse(self) -> None:
        """What the door's own threads may ask: the app belongs to this one."""
        self._pulse_s = time.monotonic()
        self._assigned = bool(self.app.positions())

    # ---- the store -------------------------------------------------------------------------------------------------

    def _answered(self, call: Callable[[], None]) -> None:
        self._waiting.until_answered(call)
        self._unavailable = None

    def _read_denied(self) -> None:
        self._denied = denied_keys(self._client, self._database)

    def _refresh(self) -> None:
        """Look what the database says of the directory, and of persons who were erased."""
        self._directory.refresh()
        try:
            self._read_denied()
        except StoreUnavailable as unavailable:
            self._note_unavailable(unavailable)  # nothing can be stored either; the list that we have stays

    def _note_unavailable(self, unavailable: StoreUnavailable) -> None:
        metrics.STORE_UNAVAILABLE.inc()
        if self._unavailable is None:
            _log.warning("store_unavailable", error=str(unavailable), advice="the worker waits and tries again")
        self._unavailable = str(unavailable)

    def _store_directory(self, batch: Batch) -> None:
        def store() -> None:
            for refusal in store_directory_records(self._client, self._database, batch.topic, batch.keys, batch.values):
                _log.error("directory_record_refused", key=refusal.key, reason=refusal.reason, message=refusal.message)
            activate_if_complete(self._client, self._database)

        self._answered(store)

    # ---- logs and progress -----------------------------------------------------------------------------------------

    def _identify(self) -> dict[str, int]:
        kafka = self._settings.kafka
        return identify(kafka.bootstrap, self._lane.topics, kafka.log_identity, kafka.security)

    async def _on_truncated(self, tp: TP) -> None:
        """A log began again: its offsets belong to another incarnation from here on."""
        self._incarnations = await asyncio.to_thread(self._identify)
        self._begun.discard((tp.topic, tp.partition))
        _log.warning(
            "log_started_over", topic=tp.topic, partition=tp.partition, incarnation=self._incarnations[tp.topic]
        )

    async def _on_assigned(self) -> None:
        """A topic may have been made anew, and have outgrown its old offsets, while it was another worker's."""
        try:
            found = await asyncio.to_thread(self._identify)
        except TopicError as error:
            _log.warning("logs_not_identified", error=str(error), advice="it is asked again at the next assignment")
            return
        renewed = {topic for topic, incarnation in found.items() if incarnation != self._incarnations[topic]}
        self._incarnations = found
        self._begun = {partition for partition in self._begun if partition[0] not in renewed}
        if renewed:
            _log.warning("logs_were_made_anew", topics=sorted(renewed))

    async def _begin(self, batch: Batch) -> None:
        partition = (batch.topic, batch.partition)
        if partition not in self._begun:
            first = batch.expired[0] if batch.expired else batch.base
            start = LogStart(batch.topic, self._incarnations[batch.topic], batch.partition, first)
            await asyncio.to_thread(self._answered, lambda: self._store.open_logs([start]))
            self._begun.add(partition)
        self._frontier.begin(batch)

    def _note_acknowledged(self, load: Load) -> None:
        for batch in load.batches:
            self._frontier.finish(batch)
        metrics.ROWS_HELD.set(self._windows.held_rows)

    async def _record_progress(self) -> None:
        now = self._clock.now()
        lines = []
        positions = {
            (tp.topic, tp.partition): p for tp, p in self.app.positions().items() if tp.topic in self._incarnations
        }
        self._frontier.keep_only(set(positions))
        for partition, position in positions.items():
            lag = _lag(position)
            if lag is None:
                continue
            metrics.LAG_RECORDS.labels(*map(str, partition)).set(lag)
            through = self._frontier.complete_through(partition, lag, now)
            if through is not None:
                topic, number = partition
                lines.append(Progress(topic, number, self._incarnations[topic], through, lag))
        if self._lane is not Lane.LIVE:
            return  # how far figures are complete is said of the present alone
        if lines:
            metrics.COMPLETE_THROUGH.set(min(line.complete_through for line in lines).timestamp())
        try:
            await asyncio.to_thread(self._store.record_progress, lines)
        except StoreUnavailable as unavailable:
            self._note_unavailable(unavailable)  # the next line says more than this one would

    async def _check_ledger(self) -> None:
        try:
            gaps = await asyncio.to_thread(read_gaps, self._client, self._database)
        except StoreUnavailable as unavailable:
            self._note_unavailable(unavailable)
            return
        missing = self._ledger_check.look(gaps, time.monotonic())
        metrics.LEDGER_MISSING.set(missing)
        if missing:
            _log.error("ledger_does_not_close", missing_offsets=missing, advice="run `ent ledger explain`")

    async def _refresh_pauses(self) -> None:
        try:
            await self._pauses.refresh()
        except StoreUnavailable as unavailable:
            self._note_unavailable(unavailable)
        self._pauses.show({(tp.topic, tp.partition) for tp in self.app.positions()})

    async def _freeze_ledger(self) -> None:
        try:
            months = await asyncio.to_thread(freeze_closed_months, self._client, self._database, self._clock.now())
        except StoreUnavailable as unavailable:
            self._note_unavailable(unavailable)
            return
        for month in months:
            _log.info("ledger_frozen", month=month)

    async def _watch_schools(self) -> None:
        """A pass over the schools, in one worker of the group. Whatever goes wrong in it, the next one is tried."""
        if not any((tp.topic, tp.partition) == _LEADING for tp in self.app.positions()):
            return
        if self._alerts is None and self._is_behind() and time.monotonic() < self._began_s + _ALERT_PATIENCE_S:
            return  # there is nothing to judge before the figures of today are in, and beginning costs a second
        try:
            await asyncio.to_thread(self._tick_alerts)
        except StoreUnavailable as unavailable:
            self._note_unavailable(unavailable)
        except Exception:  # noqa: BLE001 (it is logged and counted; the records go on, and so do the passes)
            metrics.ALERT_PASSES_FAILED.inc()
            _log.exception("alert_pass_failed", advice="it is tried again; report this with the trace")

    def _tick_alerts(self) -> None:
        if self._alerts is None:
            from streams.alerting.assembly import assemble  # here: only the leader needs numpy

            self._alerts = assemble(self._client, self._database, self._settings.alerts)
        if self._alerts.tick(self._clock.now()):
            metrics.ALERT_PASSES.inc()

    # ---- what others ask -------------------------------------------------------------------------------------------

    def _hurried(self) -> bool:
        """A rebalance or a stop waits for our acknowledgements."""
        return bool(self.app.should_stop or not self.app.batch_consumer.flow_active)

    def _is_behind(self) -> bool:
        """More records wait in Kafka than one insert takes."""
        ends = [(position.log_end, position.delivered or 0) for position in self.app.positions().values()]
        waiting = sum(max(end - delivered, 0) for end, delivered in ends if end is not None)
        return waiting > self._settings.pace.max_insert_rows

    def _note_fresh(self, stored: Sequence[Stored]) -> None:
        if self._lane is not Lane.LIVE:
            return  # a backlog is never fresh
        now_ms = self._clock.now().timestamp() * 1000
        for one in stored:
            if one.arrived_ms is not None:
                metrics.FRESHNESS_SECONDS.observe(max(now_ms - one.arrived_ms, 0) / 1000)

    def _healthy(self) -> str | None:
        silent_s = time.monotonic() - self._pulse_s
        return None if silent_s < _PULSE_LIMIT_S else f"the worker's loop has not moved for {silent_s:.0f} s"

    def _ready(self) -> str | None:
        if self._unavailable:
            return f"the database is away: {self._unavailable}"
        return None if self._assigned else "no partition is assigned yet"


class _Process(faust.Worker):
    """The process around the app: the first SIGTERM or SIGINT drains and commits, the second one leaves at once."""

    _asked = False

    def _on_sigterm(self) -> None:
        self._on_stop_asked(super()._on_sigterm)

    def _on_sigint(self) -> None:
        self._on_stop_asked(super()._on_sigint)

    def _on_stop_asked(self, stop: Callable[[], None]) -> None:
        if self._asked:
            cast("BatchApp", self.app).leave_now("asked twice")
        self._asked = True
        stop()

    def _shutdown_loop(self) -> None:
        """Leave: all is drained and committed. Stock would still wait two seconds, and for every thread that asks a
        database that is away."""
        if self.crash_reason is not None:
            _log.critical("worker_stopped", error=str(self.crash_reason), exc_info=self.crash_reason)
        os._exit(EX_OK if self.crash_reason is None else EX_SOFTWARE)


def _build_app(
    settings: Settings,
    loop: asyncio.AbstractEventLoop,
    on_truncated: Callable[[TP], Awaitable[None]],
    on_assigned: Callable[[], Awaitable[None]],
) -> BatchApp:
    kafka = settings.kafka

    class App(BatchApp):
        async def on_truncated(self, tp: TP) -> None:
            await on_truncated(tp)

        async def on_assigned(self) -> None:
            await on_assigned()

    static: dict[str, Any] = {"consumer_group_instance_id": kafka.instance} if kafka.instance else {}
    return App(
        kafka.lane.group(kafka.group),
        bootstrap=kafka.bootstrap,
        loop=loop,
        batch_settings=TransportSettings(
            max_batch_records=_BATCH_RECORDS, drain_timeout_s=_DRAIN_TIMEOUT_S, stop_deadline_s=_STOP_DEADLINE_S
        ),
        broker_session_timeout=kafka.session_timeout_s,
        broker_heartbeat_interval=min(1.0, kafka.session_timeout_s / 4),
        broker_commit_interval=kafka.commit_interval_s,
        broker_credentials=credentials(kafka.security.options()),
        **static,
    )


def _lag(position: PartitionPosition) -> int | None:
    """Records that are not in the windows yet; None where the log's end or our place in it is not known."""
    if position.log_end is None:
        return None
    known = (position.acknowledged, position.committed, position.delivered)
    done = next((offset for offset in known if offset is not None), None)
    if done is None:
        return 0 if position.log_end == 0 else None
    return max(position.log_end - done, 0)


def _leave(task: asyncio.Task[None]) -> None:
    """A stage ended, which none may: leave hard. Whatever is not acknowledged is delivered again."""
    if task.cancelled():
        return
    error = task.exception()
    advice = next((text for kind, text in _ADVICE.items() if isinstance(error, kind)), "report this with the trace")
    _log.critical("worker_stopped", error=str(error), advice=advice, exc_info=error)
    os._exit(EX_SOFTWARE)
