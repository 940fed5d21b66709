"""Figures as tables for people and as JSON for programs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from streams.alerts.backtest.incidents import BAD_DAY, FAMILIES_SILENT, KINDS, PLATFORM, SLOW
from streams.alerts.backtest.judging import SIZES, Episode, Figures
from streams.alerts.backtest.series import Series

OUTAGES: Final = ("outage 30 min", "outage 1 h", "outage 2 h", "outage half day")
_COLUMNS: Final = (
    ("1 h", ("outage 1 h",)),
    ("2 h", ("outage 2 h",)),
    ("half day", ("outage half day",)),
    ("day -60 %", (BAD_DAY,)),
    ("-35 %, 3 days", (SLOW,)),
    ("families", (FAMILIES_SILENT,)),
    ("platform", (PLATFORM,)),
)
_FROM_PER_H = 20.0
_PROMPT_FROM_PER_H = 40.0


def _cell(value: float, digits: int) -> str:
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def compare(figures: Mapping[str, Figures]) -> str:
    """One line per detector: precision, false alarms, recall where 20 logins an hour or more are expected."""
    head = ["", "precision", "with closures", "false", "with closures", *(name for name, _ in _COLUMNS), "minutes"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for name, one in figures.items():
        cells = [
            name,
            _cell(one.precision, 3),
            _cell(one.precision_with_closures, 3),
            _cell(one.false_per_school_month, 3),
            _cell(one.false_with_closures_per_school_month, 3),
            *(_cell(one.recall(kinds, _FROM_PER_H), 2) for _, kinds in _COLUMNS),
            _cell(one.minutes(OUTAGES, _PROMPT_FROM_PER_H), 0),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def by_size(figures: Figures) -> str:
    """What can be promised: recall and the median minutes to detect, for each size and kind of incident."""
    names = [f"{low:.0f}–{high:.0f}/h" for low, high in pairwise(SIZES)]
    names[-1] = f"{SIZES[-2]:.0f}/h and more"
    lines = ["| incident | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for kind in KINDS:
        cells = []
        for low, high in pairwise(SIZES):
            cells.append(_seen(figures, kind, low, high))
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    false = [
        _cell(count / months if months else math.nan, 3)
        for count, months in zip(figures.false_by_size, figures.months_by_size, strict=True)
    ]
    lines.append("| false per school and month | " + " | ".join(false) + " |")
    return "\n".join(lines)


def _seen(figures: Figures, kind: str, low: float, high: float) -> str:
    recall = figures.recall([kind], low, high)
    if math.isnan(recall):
        return "–"
    minutes = figures.minutes([kind], low, high)
    return f"{recall:.2f}" + ("" if math.isnan(minutes) else f" in {minutes:.0f} min")


def summary(figures: Figures) -> dict[str, Any]:
    """The figures of one detector for a program; null where there is nothing to divide."""
    kinds = sorted({one.kind for one in figures.outcomes})
    return {
        "precision": _number(figures.precision),
        "precision_with_closures": _number(figures.precision_with_closures),
        "recall": _number(figures.recall(kinds)),
        "false_per_school_month": _number(figures.false_per_school_month if figures.months else math.nan),
        "false_with_closures_per_school_month": _number(
            figures.false_with_closures_per_school_month if figures.months else math.nan
        ),
        "time_to_detect_median_min": _number(figures.minutes(kinds)),
        "school_months": round(figures.months, 1),
        "incidents": len(figures.outcomes),
        "recall_by_kind": {kind: _number(figures.recall([kind])) for kind in kinds},
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)


def series_report(series: Series, figures: Figures, rivals: Mapping[str, Figures]) -> dict[str, Any]:
    """The whole report on a labelled series."""
    return {
        **summary(figures),
        "scored_from": series.moment(series.case.first_day, 0).isoformat(),
        "labels_not_scored": series.unscored_labels,
        "episodes": [_episode(series, one) for one in sorted(figures.episodes, key=lambda one: one.parts[0].day)],
        "alternatives": {name: summary(one) for name, one in rivals.items()},
    }


def _episode(series: Series, episode: Episode) -> dict[str, Any]:
    parts = sorted(episode.parts, key=lambda part: (part.day, part.finding.raised))
    first, last = parts[0], max(parts, key=lambda part: (part.day, part.finding.until))
    strongest = max(parts, key=lambda part: part.finding.evidence)
    label = episode.whole
    return {
        "school": None if episode.school is None else series.schools[episode.school],
        "kind": first.finding.kind.value,
        "pages": episode.pages,
        "since": series.moment(first.day, first.finding.since).isoformat(),
        "raised": series.moment(first.day, first.finding.raised + 1).isoformat(),
        "until": series.moment(last.day, last.finding.until + 1).isoformat(),
        "observed": round(strongest.finding.observed, 1),
        "expected": round(strongest.finding.expected, 1),
        "evidence_nats": round(strongest.finding.evidence, 1),
        "limit_nats": round(strongest.finding.limit, 1),
        "right": label is not None,
        "on_closure": episode.on_closure,
        "label": None if label is None else label.kind,
    }
