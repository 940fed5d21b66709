"""The page as a program: python -m grafana.viewer --port 8080, with the database named in the environment."""

import argparse
import asyncio
import logging
import os
import signal
import sys
import threading
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr, ValidationError

from grafana.viewer.app import Clock, PageNotBuiltError, serve
from grafana.viewer.source import Source, published_of
from sinks.clickhouse.client import DatabaseSettings

DATABASE, USER, PASSWORD = "ENT_VIEWER_DATABASE", "ENT_VIEWER_USER", "ENT_VIEWER_PASSWORD"
"""The variables: host:port, and a user that may only read; the SQL comes from the browser."""


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop. Returns the exit status; 2: it could not start, and standard error says why."""
    parser = argparse.ArgumentParser(prog="python -m grafana.viewer", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="beyond loopback, put it behind a proxy that has a login")
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free one (default %(default)s)")
    parser.add_argument(
        "--reading",
        choices=("both", "exact", "published"),
        default="both",
        help="which figures readers may choose; beyond authorised staff: published (default %(default)s)",
    )
    parser.add_argument("--clock-offset", type=float, help="seconds by which a demonstration's clock is ahead")
    parser.add_argument("--stop-with-stdin", action="store_true", help="stop when standard input ends")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        settings = _settings(os.environ.get(DATABASE, ""), os.environ.get(USER, ""), os.environ.get(PASSWORD, ""))
        asyncio.run(_run(settings, options, _clock(options.clock_offset)))
    except (ValueError, PageNotBuiltError, OSError) as error:
        print(f"the page cannot start: {error}", file=sys.stderr)
        return 2
    return 0


def _settings(address: str, user: str, password: str) -> DatabaseSettings:
    host, _, port = address.rpartition(":")
    if not host or not user:
        raise ValueError(f"set {DATABASE} to host:port, {USER} to a user that may only read, and {PASSWORD}")
    try:
        return DatabaseSettings.model_validate(
            {"host": host.strip("[]"), "port": port, "user": user, "password": SecretStr(password)}
        )
    except ValidationError as error:
        raise ValueError(f"{DATABASE} is not host:port: {error.errors()[0]['msg']}") from error


def _clock(offset_s: float | None) -> Clock:
    if offset_s is None:
        return Clock()
    offset = timedelta(seconds=offset_s)
    return Clock(lambda: datetime.now(UTC) + offset, simulated=True)


async def _run(settings: DatabaseSettings, options: argparse.Namespace, clock: Clock) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    if options.stop_with_stdin:
        threading.Thread(target=_wait_for_end, args=(loop, stopped), daemon=True).start()
    exact, published = Source(settings), Source(published_of(settings))
    runner, address = await serve(
        None if options.reading == "published" else exact.query,
        published=None if options.reading == "exact" else published.query,
        clock=clock,
        host=options.host,
        port=options.port,
    )
    try:
        print(f"ready {address}", flush=True)
        await stopped.wait()
    finally:
        await runner.cleanup()
        await exact.close()
        await published.close()


def _wait_for_end(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    loop.call_soon_threadsafe(stopped.set)


if __name__ == "__main__":
    sys.exit(main())
