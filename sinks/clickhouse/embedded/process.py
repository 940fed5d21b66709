"""The embedded database as a child process: started on a free port, stopped or killed, started again on its files."""

import os
import secrets
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from pydantic import SecretStr

from sinks.clickhouse.embedded.__main__ import PASSWORD, READER_PASSWORD
from sinks.clickhouse.embedded.server import READY

_LOG_TAIL_BYTES = 2000


class DatabaseNotReady(RuntimeError):
    """The database's process ended or did not answer in time; the text holds the end of its log."""


class EmbeddedDatabase:
    """One database on `folder`. Stops with this process, even one that is killed, since it watches its standard input.

    `port` 0 takes a free one at the first start and keeps it. Passwords are drawn anew unless given, and reach the
    process by its environment.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        user: str = "default",
        password: SecretStr | None = None,
        reader: str = "viewer",
        reader_password: SecretStr | None = None,
        reader_databases: tuple[str, ...] = ("ent", "ent_public"),
        log: Path | None = None,
    ) -> None:
        self.folder = folder
        self.port = port
        self.user = user
        self.password = password or SecretStr(secrets.token_urlsafe(24))
        self.reader = reader
        self.reader_password = reader_password or SecretStr(secrets.token_urlsafe(24))
        self.log = log or folder / "database.log"
        self._reader_databases = reader_databases
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process's number. Raises `DatabaseNotReady` when it was not started."""
        if self._process is None:
            raise DatabaseNotReady("the database was not started")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, timeout_s: float = 30.0) -> Self:
        """Start and wait until it answers. Raises `DatabaseNotReady` with the end of the log if it does not."""
        if self.running:
            return self
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        begin = self.log.stat().st_size if self.log.exists() else 0
        command = [sys.executable, "-P", "-m", "sinks.clickhouse.embedded", str(self.folder)]
        command += ["--port", str(self.port)]
        command += ["--user", self.user, "--reader", self.reader, "--stop-with-stdin"]
        for name in self._reader_databases:
            command += ["--reader-database", name]
        environment = {
            **os.environ,
            PASSWORD: self.password.get_secret_value(),
            READER_PASSWORD: self.reader_password.get_secret_value(),
        }
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment, start_new_session=True
            )
        limit = time.monotonic() + timeout_s
        while time.monotonic() < limit:
            if self._process.poll() is not None:
                raise DatabaseNotReady(
                    f"the database ended with status {self._process.returncode}: {self._tail(begin)}"
                )
            if self._ready(begin):
                return self
            time.sleep(0.02)
        self.kill()
        raise DatabaseNotReady(f"the database did not answer within {timeout_s:g} s: {self._tail(begin)}")

    def stop(self, timeout_s: float = 15.0) -> None:
        """Ask it to end, and wait; a process that does not within `timeout_s` is killed (its files are sound)."""
        if self._process is None:
            return
        if self._process.stdin:
            self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def kill(self) -> None:
        """End it as a power cut would, for the process."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _ready(self, begin: int) -> bool:
        """Whether it wrote its ready line since `begin` and answers; learns the port from that line."""
        for line in self._written(begin).splitlines():
            if line.startswith(f"{READY} http://"):
                self.port = int(line.rpartition(":")[2])
                return _answers(f"{self.url}/ping")
        return False

    def _written(self, begin: int) -> str:
        with self.log.open("rb") as log:
            log.seek(begin)
            return log.read().decode(errors="replace")

    def _tail(self, begin: int) -> str:
        return self._written(begin)[-_LOG_TAIL_BYTES:].strip() or f"it wrote nothing to {self.log}"


def _answers(url: str) -> bool:
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
