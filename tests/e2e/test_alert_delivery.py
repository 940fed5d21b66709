"""The Prometheus and Alertmanager of this machine, with our own files: a worker that stops is told to a webhook."""

from __future__ import annotations

import json
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest

from streams.brokers.jvm import free_ports
from streams.demo.scene import Place, Scene
from tests.requirements import alertmanager, need

pytestmark = [pytest.mark.prometheus, pytest.mark.timeout(120)]

DEPLOY = Path(__file__).parents[2] / "deploy"
WAITS = re.compile(r"\b(scrape_interval|evaluation_interval|for|group_wait|group_interval): \d+[smh]")
"""What is shortened to a second, so that a test need not take the minutes that a false alarm is worth."""


class Webhook:
    """Keeps what is posted to it."""

    def __init__(self) -> None:
        self.told: queue.Queue[dict[str, Any]] = queue.Queue()
        told = self.told

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def names(self, wanted: str, status: str, timeout_s: float = 40) -> set[str]:
        """The names of alerts told so far, the wanted one with this status among them."""
        told: set[str] = set()
        limit = time.monotonic() + timeout_s
        while time.monotonic() < limit:
            try:
                notification = self.told.get(timeout=0.2)
            except queue.Empty:
                continue
            told |= {alert["labels"]["alertname"] for alert in notification["alerts"]}
            if (wanted, status) in {(a["labels"]["alertname"], a["status"]) for a in notification["alerts"]}:
                return told
        raise AssertionError(f"{wanted} was not told as {status}; told were {sorted(told)}")

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    made = Webhook()
    yield made
    made.close()


@contextmanager
def running(program: str, *options: str, ready: str, log: Path) -> Iterator[None]:
    """A program that answers at `ready`; ended afterwards."""
    with log.open("wb") as stream:
        process = subprocess.Popen([program, *options], stdout=stream, stderr=stream)
    try:
        until(lambda: ask(ready) is not None, f"{program} is ready: {log.read_text()[-1000:]}")
        yield
    finally:
        process.terminate()
        process.wait(15)


def ask(url: str, body: Any = None) -> Any:
    """The JSON or text at an address, None where nothing answers yet."""
    data = None if body is None else json.dumps(body).encode()
    try:
        with urlopen(Request(url, data, {"Content-Type": "application/json"}), timeout=5) as answer:
            text = answer.read().decode()
    except (URLError, ConnectionError):
        return None
    return json.loads(text) if text.startswith(("{", "[")) else text


def until(condition: Callable[[], bool], what: str, timeout_s: float = 40) -> None:
    limit = time.monotonic() + timeout_s
    while time.monotonic() < limit:
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError(f"this did not come true within {timeout_s:g} s: {what}")


def hastened(text: str) -> str:
    return WAITS.sub(r"\1: 1s", text)


@contextmanager
def telling(folder: Path, worker_port: int, webhook: Webhook) -> Iterator[tuple[str, str]]:
    """Both, started on the files that docker-compose.yml mounts; their addresses."""
    need("prometheus")
    prometheus_port, alertmanager_port = free_ports(2)
    (folder / ".env").write_text(f"ALERT_WEBHOOK_URL={webhook.url}\n")
    subprocess.run([sys.executable, DEPLOY / "make_env.py", folder], capture_output=True, check=False)
    routes = folder / "deploy/secrets/alertmanager.yml"
    subprocess.run(["amtool", "check-config", routes], check=True, capture_output=True)
    (folder / "alertmanager.yml").write_text(hastened(routes.read_text()))
    rules = shutil.copytree(DEPLOY / "prometheus", folder / "prometheus")
    for file in rules.iterdir():
        text = hastened(file.read_text()).replace("worker:9464", f"127.0.0.1:{worker_port}")
        file.write_text(text.replace("alertmanager:9093", f"127.0.0.1:{alertmanager_port}"))
    program = alertmanager()
    assert program is not None
    here, there = (f"http://127.0.0.1:{port}" for port in (prometheus_port, alertmanager_port))
    with (
        running(
            program,
            f"--config.file={folder / 'alertmanager.yml'}",
            f"--storage.path={folder / 'routes'}",
            f"--web.listen-address=127.0.0.1:{alertmanager_port}",
            "--cluster.listen-address=",
            ready=f"{there}/-/ready",
            log=folder / "alertmanager.log",
        ),
        running(
            "prometheus",
            f"--config.file={rules / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'series'}",
            f"--web.listen-address=127.0.0.1:{prometheus_port}",
            ready=f"{here}/-/ready",
            log=folder / "prometheus.log",
        ),
    ):
        yield here, there


def value(prometheus: str, expression: str) -> float | None:
    """The one value of an expression, None where it has none."""
    answer = ask(f"{prometheus}/api/v1/query?query={quote(expression)}")
    found = answer["data"]["result"] if answer else []
    return float(found[0]["value"][1]) if found else None


def test_a_worker_that_stops_is_told_to_the_webhook_and_so_is_its_return(tmp_path: Path, webhook: Webhook) -> None:
    """Scraped while it runs, fired when it is gone, delivered, and taken back when another answers in its place."""
    with (
        Scene(Place(tmp_path / "scene")) as scene,
        telling(tmp_path, scene.metrics_port, webhook) as (prometheus, _),
    ):
        worker = scene.start_worker()
        until(lambda: value(prometheus, 'up{job="ent-worker"}') == 1, "the worker is scraped")
        until(lambda: value(prometheus, "job:ent_figures_age_seconds:max") is not None, "its figures are recorded")
        worker.stop()
        assert "EntWorkerDown" in webhook.names("EntWorkerDown", "firing")
        scene.start_worker()
        webhook.names("EntWorkerDown", "resolved")


def test_a_cause_silences_what_follows_from_it(tmp_path: Path, webhook: Webhook) -> None:
    """Figures fall behind because the database is away: one message, until they are behind for another reason."""
    with telling(tmp_path, free_ports(1)[0], webhook) as (_, alertmanager_at):
        # `job` is another than the scraped one's, for which Prometheus itself says EntWorkerDown.
        for name, severity in (("EntDatabaseAway", "critical"), ("EntFiguresBehind", "warning")):
            tell(alertmanager_at, name, severity, "one")
        tell(alertmanager_at, "EntFiguresBehind", "warning", "two")
        told = {("EntDatabaseAway", "one"), ("EntFiguresBehind", "two")}
        heard: set[tuple[str, str]] = set()
        limit = time.monotonic() + 30
        while not told <= heard and time.monotonic() < limit:
            for alert in webhook.told.get(timeout=30)["alerts"]:
                heard.add((alert["labels"]["alertname"], alert["labels"]["job"]))
        assert told <= heard
        assert ("EntFiguresBehind", "one") not in heard
        states = {
            (alert["labels"]["alertname"], alert["labels"]["job"]): alert["status"]["state"]
            for alert in ask(f"{alertmanager_at}/api/v2/alerts")
        }
        assert states["EntFiguresBehind", "one"] == "suppressed"


def tell(alertmanager_at: str, name: str, severity: str, job: str) -> None:
    ask(f"{alertmanager_at}/api/v2/alerts", [{"labels": {"alertname": name, "severity": severity, "job": job}}])
