"""The scores of a pass as rows of `school_health`. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from sinks.clickhouse.alert_tables import HEALTH
from streams.alerting.watch import Judgement
from streams.alerts.rules import Check


def health_rows(judged: Judgement, uais: Sequence[str], profiles: Sequence[str]) -> pl.DataFrame:
    """One row for each school and profile, and one with an empty profile for all of them together."""
    evidence = judged.day.evidence()
    at = judged.moment(evidence.bin + 1)
    share = evidence.evidence / evidence.limits
    nearest = share.argmax(1)
    rows: list[tuple[Any, ...]] = []
    for school, uai in enumerate(uais):
        check = int(nearest[school])
        common = (
            float(evidence.day_observed[school]),
            float(evidence.day_expected[school]),
            float(evidence.evidence[school, check]),
            float(evidence.limits[school, check]),
            Check(check).name.lower(),
            float(evidence.severity[school]),
            float(evidence.information_per_h[school]),
            int(evidence.references[school]),
            str(evidence.state[school]),
        )
        together = (
            float(evidence.observed[school].sum()),
            float(evidence.expected[school].sum()),
            float(evidence.low_all[school]),
            float(evidence.high_all[school]),
        )
        rows.append((at, uai, "", *together, *common))
        for place, profile in enumerate(profiles):
            own = (evidence.observed, evidence.expected, evidence.low, evidence.high)
            rows.append((at, uai, profile, *(float(values[school, place]) for values in own), *common))
    return pl.DataFrame(rows, schema=HEALTH, orient="row")
