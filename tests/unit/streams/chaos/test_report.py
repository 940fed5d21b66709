"""The summary of all runs."""

from __future__ import annotations

from collections import Counter

from streams.chaos.plan import Fault
from streams.chaos.report import describe, summarize
from streams.chaos.trial import Outcome
from streams.chaos.verification import Findings


def test_runs_are_added_up() -> None:
    first = Outcome(1, kills=3, faults=Counter({Fault.WORKER_KILL: 3}), recovered_s=[3.0, 1.0])
    second = Outcome(2, kills=1, faults=Counter({Fault.DATABASE_KILL: 1}), recovered_s=[2.0])
    second.findings.add(Findings(lost=1, double=2, wrong_cells=3, unbalanced=4, words=["something"]))
    assert summarize([first, second]) == {
        "runs": 2,
        "kills": 4,
        "faults": {"database_kill": 1, "worker_kill": 3},
        "lost": 1,
        "double": 2,
        "wrong_cells": 3,
        "unbalanced": 4,
        "recovery_p95_s": 3.0,
    }


def test_a_run_that_never_recovered_has_no_percentile() -> None:
    assert summarize([Outcome(1)])["recovery_p95_s"] is None


def test_what_was_found_is_said_with_its_seed() -> None:
    outcome = Outcome(7)
    assert "seed 7: clean" in describe(outcome)[0]
    outcome.findings.add(Findings(lost=1, words=["an offset came to no end"]))
    assert "seed 7: WRONG" in describe(outcome)[0]
    assert describe(outcome)[1].strip() == "an offset came to no end"
