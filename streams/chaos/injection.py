"""Doing to the processes what a plan says, and undoing it."""

from __future__ import annotations

import csv
import shutil
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sinks.clickhouse.embedded.process import EmbeddedDatabase
from streams.chaos.offsets import GroupOffsets
from streams.chaos.plan import Fault, Step
from streams.chaos.proxy import PASS, Statement, Treatment
from streams.chaos.stage import Stage
from streams.directory.loading import load_directory
from streams.producer import ProducerError
from streams.simulator.mulhouse import EXAMPLE
from streams.topics import TopicError

_SLOW_S: Final = 0.5
_REFUSALS: Final = {
    Fault.DATABASE_TOO_MANY_PARTS: 252,
    Fault.DATABASE_MEMORY_LIMIT: 241,
    Fault.DATABASE_READ_ONLY: 242,
}
"""ClickHouse's codes (`src/Common/ErrorCodes.cpp`)."""
_NOT_ENOUGH_SPACE: Final = 243
_BROKER, _DATABASE, _DOOR = "broker", "database", "door"
_DELIMITER, _NAME = ";", "nom"
"""Of the directory's files."""


@dataclass(frozen=True)
class _Undo:
    due_s: float
    part: str
    """What it concerns: two faults of one part do not overlap."""
    act: Callable[[], None]


@dataclass
class Injector:
    """Does faults to a stage; several may last at the same time."""

    stage: Stage
    offsets: GroupOffsets
    folder: Path
    """Where it keeps changed copies of the directory."""
    say: Callable[[str], None]
    kills: int = 0
    """SIGKILLs of any process."""
    done: Counter[Fault] = field(default_factory=Counter)
    slowest_term_s: float = 0.0
    _undos: list[_Undo] = field(default_factory=list)

    def inject(self, step: Step) -> None:
        """Do one fault; what lasts is undone by `heal`."""
        self.done[step.fault] += 1
        if step.fault in _REFUSALS:
            self._refuse_inserts(step, _REFUSALS[step.fault])
            return
        acts: dict[Fault, Callable[[Step], None]] = {
            Fault.WORKER_KILL: self._kill_worker,
            Fault.WORKERS_KILL: self._kill_workers,
            Fault.WORKER_TERM: self._terminate_worker,
            Fault.WORKER_STOP: self._stop_worker,
            Fault.WORKER_LEAVE_AND_JOIN: self._terminate_worker,
            Fault.BROKER_KILL: self._kill_broker,
            Fault.COORDINATOR_MOVE: self._move_coordinator,
            Fault.DATABASE_KILL: self._kill_database,
            Fault.DATABASE_REFUSES: self._refuse_connections,
            Fault.DATABASE_WRITES_AND_TIMES_OUT: self._swallow_answers,
            Fault.DATABASE_SLOW: self._slow_down,
            Fault.DISK_FULL: self._fill_disk,
            Fault.CLOCK_JUMP: self._move_clock,
            Fault.DIRECTORY_RELOAD: self._reload_directory,
        }
        acts[step.fault](step)

    def heal(self, *, all_of_it: bool = False, part: str | None = None) -> None:
        """Undo what is due, or all, or all that concerns a part."""
        now_s = time.monotonic()
        for undo in [u for u in self._undos if all_of_it or u.part == part or u.due_s <= now_s]:
            self._undos.remove(undo)
            undo.act()

    def _later(self, step: Step, part: str, act: Callable[[], None]) -> None:
        self._undos.append(_Undo(time.monotonic() + step.hold_s, part, act))

    # ---- workers ---------------------------------------------------------------------------------------------------

    def _kill_worker(self, step: Step) -> None:
        worker = self.stage.desk.workers[step.worker]
        self.heal(part=worker.name)
        self.kills += worker.kill()
        self._later(step, worker.name, worker.start)

    def _kill_workers(self, step: Step) -> None:
        for worker in self.stage.desk.workers:
            self.heal(part=worker.name)
            self.kills += worker.kill()
            self._later(step, worker.name, worker.start)

    def _terminate_worker(self, step: Step) -> None:
        """SIGTERM; it comes back after `hold_s`."""
        worker = self.stage.desk.workers[step.worker]
        self.heal(part=worker.name)
        gone_s = worker.terminate()
        self.slowest_term_s = max(self.slowest_term_s, gone_s or 0.0)
        self._later(step, worker.name, worker.start)

    def _stop_worker(self, step: Step) -> None:
        """SIGSTOP: it wakes up as the old owner of what it held."""
        worker = self.stage.desk.workers[step.worker]
        self.heal(part=worker.name)
        worker.stop()
        self._later(step, worker.name, worker.go_on)

    # ---- brokers ---------------------------------------------------------------------------------------------------

    def _kill_broker(self, step: Step) -> None:
        self._kill_node(step, 1 + step.worker % self.stage.nodes)

    def _move_coordinator(self, step: Step) -> None:
        self.heal(part=_BROKER)
        self._kill_node(step, self.offsets.coordinator() or 1)

    def _kill_node(self, step: Step, node: int) -> None:
        self.heal(part=_BROKER)
        self.stage.broker.kill(node)
        self.kills += 1
        self._later(step, _BROKER, lambda: self.stage.broker.start_node(node))

    # ---- database --------------------------------------------------------------------------------------------------

    def _kill_database(self, step: Step) -> None:
        database = self.stage.desk.database
        self.heal(part=_DATABASE)
        database.kill()
        self.kills += 1
        self._later(step, _DATABASE, lambda: _start(database))

    def _fill_disk(self, step: Step) -> None:
        """Where no disk of our own can be mounted, the database says that it is full, and is not."""
        disk = self.stage.disk
        if not disk.mounted:
            self._refuse_inserts(step, _NOT_ENOUGH_SPACE)
            return
        self.heal(part=_DATABASE)
        disk.fill()
        self._later(step, _DATABASE, disk.free)

    def _refuse_inserts(self, step: Step, code: int) -> None:
        refused = Treatment(refusal_code=code)
        self._judge(step, lambda statement: refused if statement.inserts_into else PASS)

    def _refuse_connections(self, step: Step) -> None:
        self.heal(part=_DOOR)
        for proxy in self.stage.desk.proxies:
            proxy.refuse_connections()
            self._later(step, _DOOR, proxy.accept_connections)

    def _swallow_answers(self, step: Step) -> None:
        self._judge(step, lambda _: Treatment(swallow_answer=True))

    def _slow_down(self, step: Step) -> None:
        self._judge(step, lambda _: Treatment(delay_s=_SLOW_S))

    def _judge(self, step: Step, judge: Callable[[Statement], Treatment]) -> None:
        self.heal(part=_DOOR)
        for proxy in self.stage.desk.proxies:
            proxy.judge = judge
        self._later(step, _DOOR, self._judge_no_more)

    def _judge_no_more(self) -> None:
        for proxy in self.stage.desk.proxies:
            proxy.judge = lambda _: PASS

    # ---- clock and directory ---------------------------------------------------------------------------------------

    def _move_clock(self, step: Step) -> None:
        """The database's clock as all workers see it, and the worker's own from its next start on."""
        for proxy in self.stage.desk.proxies:
            proxy.clock_offset_s = step.jump_s
        self.stage.desk.workers[step.worker].set_environment("ENT_CLOCK_OFFSET_S", str(step.jump_s))

    def _reload_directory(self, step: Step) -> None:
        """Another revision: the schools' names change, and no figure."""
        self.heal(part=_BROKER)
        try:
            changed = rename_schools(EXAMPLE, self.folder / f"directory-{self.done[step.fault]}", step.jump_s)
            load_directory(changed, self.stage.desk.bootstrap)
        except (TopicError, ProducerError) as error:
            self.say(f"the directory was not reloaded: {error}")


def _start(database: EmbeddedDatabase) -> None:
    database.start()


def rename_schools(source: Path, folder: Path, number: int) -> Path:
    """A copy of a directory's files in which every school has another name."""
    shutil.copytree(source, folder, dirs_exist_ok=True)
    path = folder / "schools.csv"
    with path.open(newline="") as file:
        reader = csv.DictReader(file, delimiter=_DELIMITER)
        rows, columns = list(reader), list(reader.fieldnames or ())
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, delimiter=_DELIMITER)
        writer.writeheader()
        writer.writerows({**row, _NAME: f"{row[_NAME]} ({folder.name} {number})"} for row in rows)
    return folder
