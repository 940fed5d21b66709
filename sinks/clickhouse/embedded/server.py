"""The embedded database's process: take the folder, open the engine, listen, and stop when told to."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sinks.clickhouse.embedded.engine import Engine, EngineLimits
from sinks.clickhouse.embedded.handler import Handler, RequestLimits, User
from sinks.clickhouse.embedded.ownership import Ownership

log = logging.getLogger(__name__)

READY = "ready"
_POLL_S = 0.05
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What the process may cost as a whole."""

    max_connections: int = 128
    stop_s: float = 5.0
    """From SIGTERM to the end; what still runs after half of it is cancelled."""
    engine: EngineLimits = field(default_factory=EngineLimits)
    request: RequestLimits = field(default_factory=RequestLimits)


class Server(ThreadingHTTPServer):
    """One thread per connection, up to a limit."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[Handler], max_connections: int) -> None:
        self._places = threading.BoundedSemaphore(max_connections)
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._places.acquire(blocking=False):
            request.settimeout(1.0)
            try:
                request.sendall(_BUSY)
            except OSError:
                log.info("a client left before it was told that there are too many")
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 (the base class's)
        """A connection that broke is an ordinary event; anything else is a defect and is written down."""
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError | TimeoutError):
            log.error("a request ended in %s", type(error).__name__, exc_info=error)


def run(
    folder: Path,
    users: Iterable[User],
    port: int,
    *,
    host: str = "127.0.0.1",
    limits: ServerLimits | None = None,
    stop_with: int | None = None,
) -> int:
    """Serve the database in `folder` until SIGTERM, SIGINT or the end of the file descriptor `stop_with`.

    Prints `ready http://host:port` when it answers; port 0 takes a free one. Returns the exit status: 0, or 1 where a
    statement could not be cancelled in time (the files are sound all the same). Raises `FolderTaken`, `Refusal` (the
    files cannot be opened) and OSError (the port is taken, the folder cannot be written).
    """
    limits = limits or ServerLimits()
    stop = threading.Event()
    ownership = Ownership(folder)
    bound: type[Handler] = type(
        "BoundHandler", (Handler,), {"users": {user.name: user for user in users}, "limits": limits.request}
    )
    server = Server((host, port), bound, limits.max_connections)
    bound.engine = Engine(folder, limits.engine)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if stop_with is not None:
        threading.Thread(target=_set_at_end, args=(stop_with, stop), daemon=True).start()
    threading.Thread(target=server.serve_forever, args=(_POLL_S,), name="listener", daemon=True).start()
    print(f"{READY} http://{host}:{server.server_address[1]}", flush=True)
    stop.wait()
    log.info("stopping")
    server.shutdown()
    server.server_close()
    if not bound.engine.close(limits.stop_s):
        log.warning("a statement still runs after %g s: it is left undone", limits.stop_s)
        os._exit(1)  # an ordinary end would wait for it
    ownership.release()
    return 0


def _set_at_end(descriptor: int, event: threading.Event) -> None:
    while os.read(descriptor, 1024):
        pass
    event.set()
