"""The committed goals, and which of them a back-test misses by more than the chance of its counts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from streams.alerts.backtest.incidents import BAD_DAY, PLATFORM
from streams.alerts.backtest.judging import Figures
from streams.alerts.backtest.report import OUTAGES

_Z: Final = 1.96
_FROM_PER_H, _PROMPT_FROM_PER_H = 20.0, 40.0


@dataclass(frozen=True)
class Goals:
    """What a world is held to; recalls are those of outages of two hours unless said otherwise."""

    precision: float
    recall: float
    recall_20_to_40: float
    recall_40_to_80: float
    recall_from_80: float
    recall_of_a_bad_day: float
    minutes: float
    recall_of_half_days: float = 1.0
    false_per_school_month: float = 0.03
    false_with_closures: float = 0.09
    platform_minutes: float = 10.0


GOALS: Final = {
    "bursts": Goals(0.95, 0.94, 0.86, 0.96, 1.0, 0.65, 35.0),
    "plain": Goals(0.98, 1.0, 1.0, 1.0, 1.0, 0.97, 20.0),
}


def lowest(share: float, count: int) -> float:
    """The lower end of Wilson's 95 % interval of a share that holds in `count` cases."""
    square = _Z**2
    width = _Z * math.sqrt(share * (1 - share) / count + square / (4 * count**2))
    return (share + square / (2 * count) - width) / (1 + square / count)


def highest(per_month: float, months: float) -> float:
    """The upper end of the 95 % interval of a rate's count over so many months, as a rate."""
    return per_month + _Z * math.sqrt(per_month / months)


def misses(world: str, figures: Figures) -> list[str]:
    """One line for each goal that is missed beyond chance; empty if all hold."""
    goals = GOALS[world]
    return [*_rates(goals, figures), *_recalls(goals, figures), *_times(goals, figures)]


def _rates(goals: Goals, figures: Figures) -> Iterator[str]:
    pages = figures.right + figures.false
    if pages and figures.precision < lowest(goals.precision, pages):
        yield f"precision {figures.precision:.3f} of {pages} pages, goal {goals.precision}"
    for name, rate, goal in (
        ("false alarms", figures.false_per_school_month, goals.false_per_school_month),
        ("false alarms with closures", figures.false_with_closures_per_school_month, goals.false_with_closures),
    ):
        if rate > highest(goal, figures.months):
            yield f"{name} {rate:.3f} per school and month over {figures.months:.0f} months, goal {goal}"


def _recalls(goals: Goals, figures: Figures) -> Iterator[str]:
    for kind, low, high, goal in (
        ("outage 2 h", _FROM_PER_H, math.inf, goals.recall),
        ("outage 2 h", 20.0, 40.0, goals.recall_20_to_40),
        ("outage 2 h", 40.0, 80.0, goals.recall_40_to_80),
        ("outage 2 h", 80.0, math.inf, goals.recall_from_80),
        ("outage half day", _FROM_PER_H, math.inf, goals.recall_of_half_days),
        (BAD_DAY, _FROM_PER_H, math.inf, goals.recall_of_a_bad_day),
        (PLATFORM, 0.0, math.inf, 1.0),
    ):
        count = len(figures.pick([kind], low, high))
        recall = figures.recall([kind], low, high)
        if count and recall < lowest(goal, count):
            yield f"{kind}, {low:.0f} to {high:.0f} per hour: recall {recall:.2f} of {count}, goal {goal}"


def _times(goals: Goals, figures: Figures) -> Iterator[str]:
    """A median is too late if even the quantile that chance could have put in its place is."""
    count = sum(one.minutes is not None for one in figures.pick(OUTAGES, _PROMPT_FROM_PER_H))
    if count:
        early = figures.minutes(OUTAGES, _PROMPT_FROM_PER_H, part=max(0.0, 0.5 - _Z / 2 / math.sqrt(count)))
        if early > goals.minutes:
            yield f"outages are seen after more than {early:.0f} min ({count} of them), goal {goals.minutes:.0f}"
    platform = figures.minutes([PLATFORM])
    if platform > goals.platform_minutes:
        yield f"a platform outage is seen after {platform:.0f} min, goal {goals.platform_minutes:.0f}"
    folded = sum(one.folded and one.pages for one in figures.episodes)
    if folded:
        yield f"{folded} pages of single schools inside an outage of everybody, goal none"
