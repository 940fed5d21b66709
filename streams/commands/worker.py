"""`ent worker`: read events, keep figures exact, until a signal."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Annotated

import typer

from streams.logs import configure_logs
from streams.settings import read_settings
from streams.topics import Lane

_BACKFILL_NICENESS = 10


def worker(
    stop_with_stdin: Annotated[bool, typer.Option(hidden=True, help="Stop when standard input ends.")] = False,
) -> None:
    """Read the event topics and keep the windows right, until SIGTERM (a second one leaves at once).

    Settings come from variables that begin with ENT_: ENT_KAFKA__BOOTSTRAP, ENT_DATABASE__HOST, ENT_PSEUDONYM_KEY_FILE…
    """
    settings = read_settings()
    if settings.kafka.lane is Lane.BACKFILL:
        os.nice(_BACKFILL_NICENESS)  # on a machine that it shares, the present goes first
    configure_logs(settings.log_level)
    from streams.worker import Worker  # here, so that the other commands start without Faust

    if stop_with_stdin:
        threading.Thread(target=_follow_stdin, name="stdin", daemon=True).start()
    Worker(settings).run()


def _follow_stdin() -> None:
    """Stop in order when whoever started us is gone, even killed."""
    while os.read(sys.stdin.fileno(), 1024):  # a buffered read would hold a lock that the interpreter's end asks for
        pass
    os.kill(os.getpid(), signal.SIGTERM)
