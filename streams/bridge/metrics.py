"""A bridge's metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.process_collector import ProcessCollector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

RECORDS = Counter("ent_bridge_records", "Documents that were read.", ["outcome"], registry=REGISTRY)
REFUSED = Counter("ent_bridge_refused", "Refused documents by reason.", ["reason"], registry=REGISTRY)
FAILURES = Counter("ent_bridge_failures", "Readings that broke off and are tried again.", registry=REGISTRY)
READ_THROUGH = Gauge(
    "ent_bridge_read_through_timestamp_seconds", "The platform has been read up to here.", registry=REGISTRY
)
