"""One run: a stage, its faults, and what the figures were afterwards."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sinks.base import StoreUnavailable
from streams.chaos.injection import Injector
from streams.chaos.offsets import GroupOffsets, Place
from streams.chaos.plan import REQUEST_TIMEOUT_S, SESSION_S, Fault, Plan
from streams.chaos.production import Production, log_ends, simulate
from streams.chaos.stage import Crew, Stage
from streams.chaos.verification import Findings, find_commits_ahead, verify
from streams.directory.folder import read_directory_folder
from streams.simulator.mulhouse import EXAMPLE

PARTITIONS: Final = 3
_TICK_S: Final = 0.05
_READY_S: Final = 90.0
_PRODUCED_S: Final = 330.0
_RECOVERED_S: Final = 300.0
_DRAINED_S: Final = 300.0
_WARM_RECORDS: Final = 200
SETTINGS: Final = {
    "ENT_KAFKA__SESSION_TIMEOUT_S": str(SESSION_S),
    "ENT_KAFKA__COMMIT_INTERVAL_S": "0.3",
    "ENT_DATABASE__REQUEST_TIMEOUT_S": str(REQUEST_TIMEOUT_S),
    "ENT_PACE__LINGER_S": "0.05",
    "ENT_PACE__ROLL_INTERVAL_S": "0.7",
}
"""Everything quicker than in production, so that a kill meets every stage of the work."""


@dataclass
class Outcome:
    """What one run came to."""

    seed: int
    kills: int = 0
    faults: Counter[Fault] = field(default_factory=Counter)
    findings: Findings = field(default_factory=Findings)
    recovered_s: list[float] = field(default_factory=list)
    slowest_term_s: float = 0.0
    rss_peak_mb: float = 0.0
    """The most memory that a worker had."""
    ended_by_themselves: int = 0
    """Workers that the supervisor had to start again."""
    checks: int = 0
    """How often commits were compared with storage."""


def play(plan: Plan, folder: Path, say: Callable[[str], None]) -> Outcome:
    """Play a plan in `folder`, which must be empty; logs and data stay there."""
    outcome = Outcome(plan.seed)
    directory = read_directory_folder(EXAMPLE).rows
    length_s = plan.length_s + len(plan.steps)
    records, simulation = simulate(directory, plan.seed, plan.scale, int(length_s * plan.records_per_s) + _WARM_RECORDS)
    crew = Crew(plan.workers, plan.static_members, settings=SETTINGS)
    with Stage(folder, crew, nodes=plan.nodes, partitions=PARTITIONS) as stage:
        desk = stage.desk
        desk.put_in_force(EXAMPLE)
        for worker in desk.workers:
            worker.start()
        run = _Run(plan, stage, outcome, folder, say)
        run.wait_until_ready()
        production = Production(desk.bootstrap, records, PARTITIONS, length_s)
        production.start()
        run.play_steps()
        production.hurry()
        ends = log_ends(records, PARTITIONS)
        run.drain(production, ends)
        outcome.findings.add(verify(run.client, desk.name, simulation.truth, ends))
        run.finish()
    return outcome


class _Run:
    """The faults of a plan on its stage, and the checks between them."""

    def __init__(self, plan: Plan, stage: Stage, outcome: Outcome, folder: Path, say: Callable[[str], None]) -> None:
        desk = stage.desk
        self.client = desk.client()
        self._plan = plan
        self._desk = desk
        self._outcome = outcome
        self._say = say
        self._offsets = GroupOffsets(desk.bootstrap, desk.group, PARTITIONS)
        self._injector = Injector(stage, self._offsets, folder, say)

    def wait_until_ready(self) -> None:
        """Return when every worker has partitions, so that the first fault meets workers at work."""
        end_s = time.monotonic() + _READY_S
        while not all(worker.ready for worker in self._desk.workers) and time.monotonic() < end_s:
            self._wait(_TICK_S)

    def play_steps(self) -> None:
        """All faults, and their end."""
        begin_s = time.monotonic()
        total = len(self._plan.steps)
        for number, step in enumerate(self._plan.steps, 1):
            self._wait(step.pause_s)
            self._say(f"seed {self._plan.seed} [{number}/{total}] {time.monotonic() - begin_s:.0f} s: {step}")
            self._injector.inject(step)
            self._check_commits()
            if step.settles:
                self._wait(step.hold_s)
                self._recover()
        if not self._plan.steps[-1].settles:
            self._recover()

    def _recover(self) -> None:
        """End all faults; how long it takes until everything that is in Kafka then is in the windows."""
        self._injector.heal(all_of_it=True)
        begin_s, ends = time.monotonic(), self._offsets.ends()
        while time.monotonic() - begin_s < _RECOVERED_S:
            committed = self._offsets.committed()
            ends = ends or self._offsets.ends()
            if ends and committed and all(committed[place] >= end for place, end in ends.items()):
                self._outcome.recovered_s.append(time.monotonic() - begin_s)
                return
            self._wait(_TICK_S)
        self._say(f"not recovered after {_RECOVERED_S:.0f} s")
        self._outcome.recovered_s.append(_RECOVERED_S)

    def drain(self, production: Production, ends: Mapping[Place, int]) -> None:
        """Return when everything was produced and committed, or the time is up: what is missing then is found."""
        production.join(_PRODUCED_S)
        self._outcome.findings.words += production.errors[:1]
        end_s = time.monotonic() + _DRAINED_S
        while (committed := self._offsets.committed()) != dict(ends) and time.monotonic() < end_s:
            self._wait(_TICK_S)
        if committed != dict(ends):
            self._outcome.findings.words.append(f"not all was committed: {committed} of {dict(ends)}")
        self._check_commits()

    def finish(self) -> None:
        """Stop the workers in order and note what they did."""
        for worker in self._desk.workers:
            self._outcome.ended_by_themselves += worker.ended_by_itself
            gone_s = worker.terminate() or 0.0
            self._injector.slowest_term_s = max(self._injector.slowest_term_s, gone_s)
        self._outcome.kills = self._injector.kills
        self._outcome.faults = self._injector.done
        self._outcome.slowest_term_s = self._injector.slowest_term_s
        self._offsets.close()
        self.client.close()

    def _wait(self, seconds: float) -> None:
        """Let time pass, undo what is due and start what ended."""
        end_s = time.monotonic() + seconds
        while True:
            self._injector.heal()
            self._desk.tend()
            for worker in self._desk.workers:
                self._outcome.rss_peak_mb = max(self._outcome.rss_peak_mb, worker.rss_mb)
            if time.monotonic() >= end_s:
                return
            time.sleep(_TICK_S)

    def _check_commits(self) -> None:
        """What is committed must be stored and counted; left out while the broker or the database is away."""
        committed = self._offsets.committed()
        if committed is None or not self._desk.database.running:
            return
        try:
            found = find_commits_ahead(self.client, self._desk.name, committed)
        except StoreUnavailable:
            return
        self._outcome.checks += 1
        self._outcome.findings.add(found)
