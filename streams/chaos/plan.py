"""Which faults happen, when and to whom: drawn from a seed alone, so that a run that failed can be run again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final

SESSION_S: Final = 3.0
"""After so long without a heartbeat a worker counts as dead."""
REQUEST_TIMEOUT_S: Final = 5
"""How long a worker waits for the database's answer."""
_CLUSTER_NODES: Final = 3
_CLUSTER_EVERY: Final = 4
"""Every fourth seed runs on three nodes; one node is quicker and serves the other faults as well."""
_MOST_WORKERS: Final = 3
_PAUSE_S: Final = (0.5, 5.0)
"""Before a fault, from and to: a worker needs some seconds to be back at work."""
_FULL_INPUT_PER_S: Final = 300
"""A city sends about a hundred a minute."""
_SETTLING_SHARE: Final = 0.25
"""Of the faults after which the recovery is waited for and measured; the others meet what the one before left."""


class Fault(StrEnum):
    """What is done to the processes."""

    WORKER_KILL = "worker_kill"
    WORKERS_KILL = "workers_kill"
    WORKER_TERM = "worker_term"
    WORKER_STOP = "worker_stop"
    WORKER_LEAVE_AND_JOIN = "worker_leave_and_join"
    BROKER_KILL = "broker_kill"
    COORDINATOR_MOVE = "coordinator_move"
    DATABASE_KILL = "database_kill"
    DATABASE_REFUSES = "database_refuses"
    DATABASE_WRITES_AND_TIMES_OUT = "database_writes_and_times_out"
    DATABASE_TOO_MANY_PARTS = "database_too_many_parts"
    DATABASE_MEMORY_LIMIT = "database_memory_limit"
    DATABASE_READ_ONLY = "database_read_only"
    DATABASE_SLOW = "database_slow"
    DISK_FULL = "disk_full"
    CLOCK_JUMP = "clock_jump"
    DIRECTORY_RELOAD = "directory_reload"


@dataclass(frozen=True)
class _Manner:
    """How often a fault is drawn, and for how long it lasts (seconds, from and to)."""

    weight: int
    hold_s: tuple[float, float] = (0.0, 0.0)


_MANNERS: Final = {
    Fault.WORKER_KILL: _Manner(7, (0.0, 1.0)),
    Fault.WORKERS_KILL: _Manner(2, (0.0, 1.0)),
    Fault.WORKER_TERM: _Manner(2),
    Fault.WORKER_STOP: _Manner(2, (SESSION_S + 0.5, SESSION_S + 3)),
    Fault.WORKER_LEAVE_AND_JOIN: _Manner(1, (1.0, 3.0)),
    Fault.BROKER_KILL: _Manner(1, (0.0, 2.0)),
    Fault.COORDINATOR_MOVE: _Manner(1, (1.0, 4.0)),
    Fault.DATABASE_KILL: _Manner(3, (0.0, 2.0)),
    Fault.DATABASE_REFUSES: _Manner(1, (0.5, 3.0)),
    Fault.DATABASE_WRITES_AND_TIMES_OUT: _Manner(1, (0.5, 3.0)),
    Fault.DATABASE_TOO_MANY_PARTS: _Manner(1, (0.5, 3.0)),
    Fault.DATABASE_MEMORY_LIMIT: _Manner(1, (0.5, 3.0)),
    Fault.DATABASE_READ_ONLY: _Manner(1, (0.5, 3.0)),
    Fault.DATABASE_SLOW: _Manner(1, (1.0, 3.0)),
    Fault.DISK_FULL: _Manner(1, (0.5, 2.0)),
    Fault.CLOCK_JUMP: _Manner(1),
    Fault.DIRECTORY_RELOAD: _Manner(1),
}


@dataclass(frozen=True)
class Step:
    """One fault: after `pause_s`, to a worker (where it is one's), for `hold_s`."""

    fault: Fault
    pause_s: float
    hold_s: float
    worker: int
    jump_s: int
    """By how much the clock jumps, where it does."""
    settles: bool
    """Whether the recovery is waited for and measured before the next one."""

    def __str__(self) -> str:
        end = ", then recovery" if self.settles else ""
        return f"{self.fault} (worker {self.worker}, after {self.pause_s:.1f} s, for {self.hold_s:.1f} s){end}"


@dataclass(frozen=True)
class Plan:
    """One run."""

    seed: int
    workers: int
    nodes: int
    static_members: bool
    """Whether workers keep their membership over a restart."""
    scale: float
    """Of the simulated events: few events a minute hide no slice that was left undone, many hide no race."""
    steps: tuple[Step, ...]
    records_per_s: int = 150

    @property
    def length_s(self) -> float:
        """How long its faults take, without what it takes to recover from them."""
        return sum(step.pause_s + step.hold_s for step in self.steps)

    def lines(self) -> Iterator[str]:
        """The plan for a person."""
        yield (
            f"seed {self.seed}: {self.workers} workers{' with static membership' if self.static_members else ''}, "
            f"{self.nodes} broker nodes, scale {self.scale:g}, {len(self.steps)} faults"
        )
        yield from (f"  {number:3} {step}" for number, step in enumerate(self.steps, 1))


def draw_plan(seed: int, faults: int) -> Plan:
    """The plan of `seed`, with so many faults. Every kind comes before one comes again more often than its weight."""
    draw = Random(seed)
    nodes = _CLUSTER_NODES if seed % _CLUSTER_EVERY == 0 else 1
    workers = draw.randint(1, _MOST_WORKERS)
    bag: list[Fault] = []
    steps = []
    for _ in range(faults):
        if not bag:
            bag = [f for f, manner in _MANNERS.items() for _ in range(manner.weight) if _possible(f, nodes, workers)]
            draw.shuffle(bag)
        fault = bag.pop()
        steps.append(
            Step(
                fault,
                pause_s=draw.uniform(*_PAUSE_S),
                hold_s=draw.uniform(*_MANNERS[fault].hold_s),
                worker=draw.randrange(workers),
                jump_s=draw.choice((-7200, -60, 60, 7200)),
                settles=draw.random() < _SETTLING_SHARE,
            )
        )
    return Plan(seed, workers, nodes, draw.random() < 0.5, draw.choice((0.1, 1.0)), tuple(steps))


class Part(StrEnum):
    """What may be away for long."""

    DATABASE = "database"
    BROKER = "broker"


def plan_outage(seed: int, part: Part, seconds: float) -> Plan:
    """One long outage under more input than a city has, and the recovery from it."""
    fault = {Part.DATABASE: Fault.DATABASE_REFUSES, Part.BROKER: Fault.BROKER_KILL}[part]
    step = Step(fault, pause_s=_PAUSE_S[1], hold_s=seconds, worker=0, jump_s=0, settles=True)
    return Plan(seed, 2, 1, static_members=True, scale=1.0, steps=(step,), records_per_s=_FULL_INPUT_PER_S)


def _possible(fault: Fault, nodes: int, workers: int) -> bool:
    if fault is Fault.COORDINATOR_MOVE:
        return nodes > 1
    return fault is not Fault.WORKER_LEAVE_AND_JOIN or workers > 1
