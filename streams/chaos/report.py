"""What all runs came to, as the JSON of `ent chaos`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from streams.chaos.trial import Outcome
from streams.demo.freshness import percentile


def summarize(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Runs, kills (SIGKILLs of any process), faults by kind, what was wrong, and the 95th percentile of recoveries."""
    faults = sum((outcome.faults for outcome in outcomes), Counter())
    recovered_s = sorted(seconds for outcome in outcomes for seconds in outcome.recovered_s)
    p95_s = percentile(recovered_s, 0.95)
    return {
        "runs": len(outcomes),
        "kills": sum(outcome.kills for outcome in outcomes),
        "faults": {str(fault): count for fault, count in sorted(faults.items())},
        "lost": sum(outcome.findings.lost for outcome in outcomes),
        "double": sum(outcome.findings.double for outcome in outcomes),
        "wrong_cells": sum(outcome.findings.wrong_cells for outcome in outcomes),
        "unbalanced": sum(outcome.findings.unbalanced for outcome in outcomes),
        "recovery_p95_s": None if p95_s is None else round(p95_s, 2),
    }


def describe(outcome: Outcome) -> list[str]:
    """One run in a few lines, for a person."""
    found = outcome.findings
    verdict = "clean" if found.clean else "WRONG"
    line = (
        f"seed {outcome.seed}: {verdict}; {outcome.kills} kills, {sum(outcome.faults.values())} faults, commits "
        f"compared with storage {outcome.checks} times, lost {found.lost}, double {found.double}, "
        f"wrong cells {found.wrong_cells}, unbalanced {found.unbalanced}, slowest SIGTERM "
        f"{outcome.slowest_term_s:.1f} s, slowest recovery {max(outcome.recovered_s, default=0.0):.1f} s, "
        f"most memory of a worker {outcome.rss_peak_mb:.0f} MB, "
        f"workers that ended by themselves {outcome.ended_by_themselves}"
    )
    return [line, *(f"  {word}" for word in found.words)]
