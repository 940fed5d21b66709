"""The collector's metrics. Labels come from closed sets only: platforms are those of the tokens' file."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

REQUESTS = Counter("ent_collector_requests", "Requests answered.", ["platform", "status"], registry=REGISTRY)
RECORDS = Counter(
    "ent_collector_records",
    "Records of answered requests: accepted ones are in Kafka.",
    ["platform", "outcome"],
    registry=REGISTRY,
)
REFUSED = Counter(
    "ent_collector_refused",
    "Refused records by the reason that the platform was told.",
    ["platform", "reason"],
    registry=REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "ent_collector_request_seconds",
    "From a request's whole head to its answer.",
    buckets=_SECONDS,
    registry=REGISTRY,
)
WAITING_BYTES = Gauge("ent_collector_waiting_bytes", "Bodies of requests in work.", registry=REGISTRY)
CONNECTIONS = Gauge("ent_collector_connections", "Open connections.", registry=REGISTRY)
TOKENS_FAILURES = Counter(
    "ent_collector_tokens_failures",
    "Readings of the tokens' file that failed; the last good one is kept.",
    registry=REGISTRY,
)
