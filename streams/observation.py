"""What the worker's stages tell the metrics and the log."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import structlog

from schemas.directory import UNMAPPED
from schemas.reason import Drop
from sinks.base import Shipment
from streams import metrics
from streams.intake import Load
from streams.pipeline import Work

_log = structlog.get_logger(__name__)


def note_stage(stage: str, seconds: float) -> None:
    """A stage ran once."""
    metrics.STAGE_SECONDS.labels(stage).observe(seconds)


def note_stored(loads: Sequence[Load], works: Sequence[Work], kept: Shipment) -> None:
    """Count what loads came to, once for each, from what was really kept."""
    for load in loads:
        for topic, n in load.records.items():
            metrics.RECORDS_CONSUMED.labels(topic).inc(n)
    for topic, n in kept.events["topic"].value_counts().iter_rows():
        metrics.EVENTS_STORED.labels(topic).inc(n)
    for topic, reason, n in kept.dead_letters.group_by("topic", "reason").len().iter_rows():
        metrics.RECORDS_REJECTED.labels(topic, reason).inc(n)
    spans = kept.dropped.with_columns((kept.dropped["next"] - kept.dropped["first"]).alias("n"))
    for topic, reason, n in spans.group_by("topic", "reason").agg(pl.col("n").sum()).iter_rows():
        metrics.OFFSETS_DROPPED.labels(topic, reason).inc(n)
        if reason == Drop.EXPIRED_BEFORE_READ:
            _log.error(
                "records_expired_before_read", topic=topic, records=n, advice="read faster or keep the topic longer"
            )
    metrics.RECORDS_DECODED_SLOWLY.inc(sum(work.slow for work in works))
    metrics.EVENTS_UNMAPPED.labels("school").inc(int((kept.events["uai"] == UNMAPPED).sum()))
    metrics.EVENTS_UNMAPPED.labels("class").inc(int((kept.events["class_id"] == UNMAPPED).sum()))
    metrics.EVENTS_UAI_LETTER_WRONG.inc(int(kept.events["uai_letter_wrong"].sum()))
