"""Every metric of a worker, declared once, and the door that shows them. Labels come from closed sets only."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer
from prometheus_client.process_collector import ProcessCollector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60, 300, 1800)

RECORDS_CONSUMED = Counter("ent_records_consumed", "Records read from Kafka.", ["topic"], registry=REGISTRY)
EVENTS_STORED = Counter("ent_events_stored", "Events stored, repeated ones included.", ["topic"], registry=REGISTRY)
RECORDS_REJECTED = Counter(
    "ent_records_rejected", "Records that became dead letters.", ["topic", "reason"], registry=REGISTRY
)
OFFSETS_DROPPED = Counter(
    "ent_offsets_dropped", "Offsets that hold no event for us.", ["topic", "reason"], registry=REGISTRY
)
RECORDS_DECODED_SLOWLY = Counter(
    "ent_records_decoded_slowly", "Records that the plain form did not take.", registry=REGISTRY
)
EVENTS_UNMAPPED = Counter(
    "ent_events_unmapped", "Events whose school or class the directory does not know.", ["what"], registry=REGISTRY
)
EVENTS_UAI_LETTER_WRONG = Counter(
    "ent_events_uai_letter_wrong", "Events whose UAI has a wrong check letter.", registry=REGISTRY
)
STORE_UNAVAILABLE = Counter("ent_store_unavailable", "Calls of the database that must be repeated.", registry=REGISTRY)
STAGE_SECONDS = Histogram(
    "ent_stage_seconds", "Time of one run of a stage.", ["stage"], buckets=_SECONDS, registry=REGISTRY
)
FRESHNESS_SECONDS = Histogram(
    "ent_freshness_seconds",
    "From a batch's first arrival in Kafka to its minutes being right.",
    buckets=_SECONDS,
    registry=REGISTRY,
)
ROWS_HELD = Gauge("ent_rows_held", "Stored rows that wait for their windows.", registry=REGISTRY)
LAG_RECORDS = Gauge(
    "ent_lag_records", "Records in Kafka that are not in the windows yet.", ["topic", "partition"], registry=REGISTRY
)
COMPLETE_THROUGH = Gauge(
    "ent_complete_through_timestamp_seconds", "Everything that arrived before is in the windows.", registry=REGISTRY
)
DIRECTORY_REVISION = Gauge("ent_directory_revision", "Revision of the directory in use; 0: none.", registry=REGISTRY)
DIRECTORY_READ = Gauge(
    "ent_directory_read_timestamp_seconds", "When the directory was last read well.", registry=REGISTRY
)
DIRECTORY_FAILURES = Counter(
    "ent_directory_failures", "Readings of the directory that failed; the last good one is kept.", registry=REGISTRY
)
ALERT_PASSES = Counter("ent_alert_passes", "Passes of this worker over the schools.", registry=REGISTRY)
ALERT_PASSES_FAILED = Counter("ent_alert_passes_failed", "Those that ended with an error.", registry=REGISTRY)
LEDGER_MISSING = Gauge(
    "ent_ledger_missing_offsets",
    "Offsets that came to no end within two minutes; more than 0 is a defect.",
    registry=REGISTRY,
)

PARTITION_PAUSED = Gauge(
    "ent_partition_paused",
    "1 while a partition of this worker is paused because too much of it is refused.",
    ["topic", "partition"],
    registry=REGISTRY,
)

Answer = Callable[[str, list[tuple[str, str]]], Any]


class Door:
    """/metrics, /healthz and /readyz on a port of their own; `healthy` and `ready` give a reason where they are not."""

    def __init__(
        self,
        host: str,
        port: int,
        healthy: Callable[[], str | None],
        ready: Callable[[], str | None],
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        self._checks = {"/healthz": healthy, "/readyz": ready}
        self._metrics = make_wsgi_app(registry)
        self._server = make_server(host, port, self._answer, ThreadingWSGIServer, _Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_port)

    def open(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Stop answering and give the port back."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, environ: dict[str, Any], start_response: Answer) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            return self._metrics(environ, start_response)  # type: ignore[no-any-return]
        check = self._checks.get(path)
        if check is None:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"/metrics, /healthz and /readyz are here\n"]
        trouble = check()
        start_response(
            "503 Service Unavailable" if trouble else "200 OK", [("Content-Type", "text/plain; charset=utf-8")]
        )
        return [f"{trouble or 'ok'}\n".encode()]


class _Quiet(WSGIRequestHandler):
    timeout = 5  # a client that says nothing does not hold the door

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name is the library's)
        pass
