"""`ent smoke` against a small stand-in of Grafana's interface: what is wrong is told, and nothing else is."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from grafana.dashboards import GENERATED
from grafana.smoke import FOLDER, Finding, GrafanaAwayError, door, smoke
from streams.commands import app

PASSWORD = "drawn"
FINE = ["logger=provisioning.alerting t=2026-11-20 level=info msg=finished", "logger=sqlstore level=error msg=other"]
BOARDS = {path.stem: json.loads(path.read_text()) for path in GENERATED.glob("*.json")}
PROVISIONED = yaml.safe_load((FOLDER / "provisioning/alerting/rules.yaml").read_text())
RULES = [rule["uid"] for group in PROVISIONED["groups"] for rule in group["rules"]]
QUERIES = sum(len(panel.get("targets", [])) for board in BOARDS.values() for panel in board["panels"])


@dataclass
class StandIn:
    """What Grafana would answer, as far as `ent smoke` asks; tests spoil parts of it."""

    health: dict[str, Any] = field(default_factory=lambda: {"database": "ok", "version": "13.2.1"})
    source: dict[str, Any] = field(default_factory=lambda: {"status": "OK", "message": "Data source is working"})
    boards: dict[str, Any] = field(default_factory=lambda: dict(BOARDS))
    rules: list[str] = field(default_factory=lambda: [*RULES, "another"])
    evaluated: list[dict[str, Any]] = field(default_factory=list)
    refuse: Callable[[str], str] = lambda sql: ""
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str, body: Any) -> tuple[int, Any]:
        if path == "/api/ds/query":
            (query,) = body["queries"]
            assert query["datasource"]["uid"] == "ent-clickhouse"
            self.asked.append(query["rawSql"])
            if error := self.refuse(query["rawSql"]):
                return 400, {"results": {query["refId"]: {"status": 500, "error": error, "frames": []}}}
            frame = {"schema": {"fields": []}, "data": {"values": [["0680001A", "0680002B"], ["École A", "École B"]]}}
            return 200, {"results": {query["refId"]: {"status": 200, "frames": [frame]}}}
        if path.startswith("/api/dashboards/uid/"):
            board = self.boards.get(path.rpartition("/")[2])
            return (200, {"dashboard": board}) if board else (404, {"message": "Dashboard not found"})
        return {
            "/api/health": (200, self.health),
            "/api/datasources/uid/ent-clickhouse/health": (200, self.source),
            "/api/v1/provisioning/alert-rules": (200, [{"uid": uid} for uid in self.rules]),
            "/api/prometheus/grafana/api/v1/rules": (200, {"data": {"groups": [{"rules": self.evaluated}]}}),
        }[path]


@pytest.fixture
def stand_in() -> StandIn:
    return StandIn()


@pytest.fixture
def address(stand_in: StandIn) -> Iterator[str]:
    expected = "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()

    class Door(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            known = self.headers["Authorization"] == expected
            status, content = stand_in.answer(self.path, body) if known else (401, {"message": "Unauthorized"})
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        do_GET = do_POST = _answer  # noqa: N815 (the names are the library's)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def wrong(address: str, log: list[str] | None = None) -> list[Finding]:
    return [finding for finding in smoke(door(address, "admin", PASSWORD), log or FINE) if finding.problem]


def test_a_grafana_that_has_everything_is_fine(address: str, stand_in: StandIn) -> None:
    """Each query of each panel was asked, with the choices of its variables filled in."""
    assert wrong(address) == []
    assert len(stand_in.asked) >= QUERIES
    assert not [sql for sql in stand_in.asked if "${" in sql or "$__conditionalAll" in sql]


@pytest.mark.parametrize(
    ("spoil", "what", "problem"),
    [
        (lambda s: s.health.update(database="failing"), "Grafana", "failing"),
        (lambda s: s.source.update(status="ERROR", message="no route"), "data source", "no route"),
        (lambda s: s.boards.pop("ent-accueil"), "dashboard ent-accueil", "Dashboard not found"),
        (lambda s: s.rules.remove("ent-registre-ouvert"), "alert rule ent-registre-ouvert", "it is not loaded"),
        (
            lambda s: s.evaluated.append({"name": "Données", "health": "error", "lastError": "Code: 60"}),
            "alert rule Données, evaluated",
            "Code: 60",
        ),
    ],
    ids=["health", "data source", "dashboard", "rule missing", "rule failing"],
)
def test_what_is_missing_is_named(
    address: str, stand_in: StandIn, spoil: Callable[[StandIn], object], what: str, problem: str
) -> None:
    spoil(stand_in)
    (finding,) = wrong(address)
    assert finding.what == what
    assert problem in finding.problem


def test_a_query_that_fails_is_named_with_its_panel_and_the_databases_words(address: str, stand_in: StandIn) -> None:
    title, sql = next(
        (panel["title"], panel["targets"][0]["rawSql"])
        for panel in BOARDS["ent-accueil"]["panels"]
        if panel.get("targets")
    )
    begin = sql.partition("$")[0]
    stand_in.refuse = lambda asked: "Code: 47. DB::Exception" if asked.startswith(begin) else ""
    found = wrong(address)
    assert any(finding.what.endswith(title) and "Code: 47" in finding.problem for finding in found)


def test_an_error_of_provisioning_in_the_log_is_told(address: str) -> None:
    line = 'logger=provisioning.alerting level=error msg="invalid alert rule"'
    assert [(f.what, f.problem) for f in wrong(address, [*FINE, line])] == [("provisioning, in the log", line)]


def test_a_wrong_password_is_wrong_everywhere(address: str) -> None:
    findings = list(smoke(door(address, "admin", "guessed"), FINE))
    assert [finding.what for finding in findings if not finding.problem] == ["provisioning, in the log"]


def test_nobody_there_is_told() -> None:
    with pytest.raises(GrafanaAwayError, match=r"127\.0\.0\.1:9/api/health"):
        list(smoke(door("http://127.0.0.1:9", "admin", PASSWORD), FINE))


def test_the_command_ends_with_1_where_anything_is_wrong(address: str, stand_in: StandIn, tmp_path: Path) -> None:
    secret, log = tmp_path / "password", tmp_path / "log"
    secret.write_text(PASSWORD + "\n")
    log.write_text("\n".join(FINE))
    command = ["smoke", "--url", address, "--password-file", str(secret), "--log", str(log)]
    fine = CliRunner().invoke(app, command)
    assert fine.exit_code == 0, fine.output
    assert "0 wrong" in fine.output
    stand_in.source["status"] = "ERROR"
    spoilt = CliRunner().invoke(app, command)
    assert spoilt.exit_code == 1
    assert "WRONG  data source" in spoilt.output


def test_every_rule_of_the_files_is_looked_for(address: str, stand_in: StandIn) -> None:
    """The ids are found in the text, without a reader of YAML, which an installation may lack."""
    stand_in.rules.clear()
    assert [finding.what for finding in wrong(address)] == [f"alert rule {uid}" for uid in RULES]
