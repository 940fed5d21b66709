"""Real worker processes, restarted by a supervisor as a process manager would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.request import urlopen

import psutil

ENTRY: Final = ("streams", "worker")
_GIVE_UP_S: Final = 45.0
_ANSWER_S: Final = 2.0


class WorkerProcess:
    """One worker: a process under a name that it keeps over its restarts. It ends with this process."""

    def __init__(
        self, name: str, environment: Mapping[str, str], log: Path, metrics_port: int, entry: Sequence[str] = ENTRY
    ) -> None:
        """`entry` is a module and its arguments; `metrics_port` is the one that the environment names."""
        self.name = name
        self.log = log
        self.wanted = False
        """Whether it should be running: the supervisor starts it again then."""
        self.ended_by_itself = 0
        self._ready_url = f"http://127.0.0.1:{metrics_port}/readyz"
        self._environment = dict(environment)
        self._command = [sys.executable, "-m", *entry, "--stop-with-stdin"]
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def ready(self) -> bool:
        """Whether it says that it has partitions and a database."""
        try:
            with urlopen(self._ready_url, timeout=_ANSWER_S) as answer:  # noqa: S310 (a loopback address of ours)
                return bool(answer.status == HTTPStatus.OK)
        except OSError:
            return False

    @property
    def pid(self) -> int:
        """The process's number; RuntimeError if it was never started."""
        if self._process is None:
            raise RuntimeError(f"the worker {self.name} was not started")
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """How it ended last (a signal as its negative number); None while it runs, and before its first start."""
        return None if self._process is None else self._process.poll()

    @property
    def rss_mb(self) -> float:
        """The memory that it has; 0 while it does not run."""
        try:
            return float(psutil.Process(self.pid).memory_info().rss) / 1e6 if self.running else 0.0
        except psutil.NoSuchProcess:
            return 0.0

    def set_environment(self, name: str, value: str) -> None:
        """From the next start on."""
        self._environment[name] = value

    def start(self) -> None:
        """Start it, unless it runs."""
        self.wanted = True
        if self.running:
            return
        self._let_go()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, **self._environment},
                start_new_session=True,
            )

    def tend(self) -> None:
        """Start it again if it ended by itself."""
        if self.wanted and not self.running:
            self.ended_by_itself += 1
            self.start()

    def kill(self) -> bool:
        """SIGKILL; whether there was something to kill."""
        self.wanted = False
        return self._signal_and_wait(signal.SIGKILL, _GIVE_UP_S) is not None

    def terminate(self) -> float | None:
        """SIGTERM; the seconds until it was gone (None if it was not running), killed if it never went."""
        self.wanted = False
        self.go_on()
        gone_s = self._signal_and_wait(signal.SIGTERM, _GIVE_UP_S)
        if self.running:
            self.kill()
        return gone_s

    def stop(self) -> None:
        """SIGSTOP: it lives and does nothing."""
        if self.running:
            self._stopped = True
            os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """SIGCONT, if it was stopped."""
        if self._stopped and self.running:
            os.kill(self.pid, signal.SIGCONT)
        self._stopped = False

    def _signal_and_wait(self, number: signal.Signals, timeout_s: float) -> float | None:
        process = self._process
        if process is None or process.poll() is not None:
            return None
        begin_s = time.monotonic()
        process.send_signal(number)
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return timeout_s
        self._stopped = False
        return time.monotonic() - begin_s

    def _let_go(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
