"""`ent doctor` and `ent status`: what is wrong is found and told with its remedy, and what is right is left alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from schemas.directory import School
from sinks.base import LogStart, Progress
from sinks.clickhouse.client import Client
from sinks.clickhouse.directory import activate_if_complete, store_directory_records
from sinks.clickhouse.embedded.process import EmbeddedDatabase
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.store import ClickHouseStore
from streams.collector.tokens import make_token
from streams.commands import app
from streams.commands.status import Status, look, screen
from streams.directory.folder import read_folder
from streams.doctor import looks
from streams.doctor.finding import Verdict
from streams.topics import LOGIN, TopicError
from tests.database import client_of, database
from tests.rows import event, shipment

__all__ = ["database"]

SECRET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEF"
MULHOUSE = Path(__file__).parents[2] / "examples" / "mulhouse"
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def client(database: EmbeddedDatabase) -> Client:
    return client_of(database)


@pytest.fixture(scope="module")
def bare(client: Client) -> str:
    """A database with its tables, without a directory."""
    migrate(client, "bare")
    return "bare"


@pytest.fixture(scope="module")
def loaded(client: Client) -> str:
    """One with a directory."""
    migrate(client, "loaded")
    load_mulhouse(client, "loaded")
    return "loaded"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, database: EmbeddedDatabase) -> pytest.MonkeyPatch:
    """A Kafka whose topics are right, a database that is there, and good keys."""
    monkeypatch.setenv("ENT_KAFKA__BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("ENT_DATABASE__PORT", str(database.port))
    monkeypatch.setenv("ENT_DATABASE__USER", database.user)
    monkeypatch.setenv("ENT_DATABASE__PASSWORD", database.password.get_secret_value())
    monkeypatch.setenv("ENT_PSEUDONYM_KEY", SECRET)
    monkeypatch.setenv("ENT_EVENT_ID_KEY", SECRET[::-1])
    monkeypatch.setattr(looks, "check_topics", lambda *_, **__: [])
    return monkeypatch


def found(*words: str) -> tuple[int, dict[str, list[dict[str, str]]]]:
    """Exit status, and the findings by what was looked at."""
    answer = CliRunner().invoke(app, ["doctor", "--json", *words])
    by_check: dict[str, list[dict[str, str]]] = {}
    for one in json.loads(answer.stdout)["findings"]:
        by_check.setdefault(one["check"], []).append(one)
    return answer.exit_code, by_check


def verdicts(findings: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    """The worst verdict of each."""
    order = [verdict.value for verdict in (Verdict.SKIPPED, Verdict.OK, Verdict.WARNING, Verdict.WRONG)]
    return {check: max((one["verdict"] for one in many), key=order.index) for check, many in findings.items()}


def load_mulhouse(client: Client, name: str) -> None:
    folder = read_folder(MULHOUSE, 7)
    for topic, pairs in folder.records.items():
        keys, values = zip(*pairs, strict=True)
        store_directory_records(client, name, topic, list(keys), list(values))
    manifest = folder.manifest()
    store_directory_records(client, name, School.topic, [b"manifest"], [manifest.model_dump_json().encode()])
    assert activate_if_complete(client, name) == 7


def work_through(client: Client, name: str, *, through: datetime, stored: int = 3) -> None:
    """A worker that stored some events and told of its progress."""
    store = ClickHouseStore(client, name)
    store.open_logs([LogStart(LOGIN, 1, 0, 0)])
    store.insert(shipment([event(n, n, arrived_at=through) for n in range(stored)]))
    store.record_progress([Progress(LOGIN, 0, 1, through, 5)])


def test_all_is_well(environment: pytest.MonkeyPatch, client: Client, loaded: str, tmp_path: Path) -> None:
    """With tables, a directory and a worker that keeps up, nothing is wrong."""
    environment.setenv("ENT_DATABASE__DATABASE", loaded)
    ClickHouseStore(client, loaded).record_progress([Progress(LOGIN, 0, 1, datetime.now(UTC), 0)])
    tokens = tmp_path / "tokens.toml"
    tokens.write_text(make_token("one", ["*"], None).entry)
    environment.setenv("ENT_COLLECTOR__TOKENS_FILE", str(tokens))
    status, findings = found()
    assert status == 0
    told = verdicts(findings)
    assert told.pop("disk") in {"ok", "warning", "wrong"}
    assert told.pop("calendar") in {"skipped", "warning"}
    assert told.pop("grafana") == "skipped"
    assert set(told.values()) == {"ok"}
    assert {"settings", "secrets", "broker", "topics", "database", "clock", "migrations", "directory", "tokens"} <= set(
        told
    )


def test_each_fault_is_told_with_its_remedy(
    environment: pytest.MonkeyPatch, client: Client, bare: str, tmp_path: Path
) -> None:
    """A weak key, old figures, no directory, ended tokens: each by its name, and no secret in the answer."""
    environment.setenv("ENT_DATABASE__DATABASE", bare)
    environment.setenv("ENT_PSEUDONYM_KEY", "s3cret")
    ClickHouseStore(client, bare).record_progress([Progress(LOGIN, 0, 1, NOW - timedelta(hours=2), 100)])
    tokens = tmp_path / "tokens.toml"
    tokens.write_text(make_token("one", ["*"], date(2020, 1, 1)).entry)
    environment.setenv("ENT_COLLECTOR__TOKENS_FILE", str(tokens))
    status, findings = found()
    assert status == 1
    told = verdicts(findings)
    assert (told["secrets"], told["figures"], told["directory"], told["tokens"]) == (
        "wrong",
        "wrong",
        "wrong",
        "warning",
    )
    assert "s3cret" not in json.dumps(findings)
    assert all(one["remedy"] for many in findings.values() for one in many if one["verdict"] in {"wrong", "warning"})


def test_missing_tables_and_a_missing_database_stop_what_needs_them(environment: pytest.MonkeyPatch) -> None:
    """What cannot be looked at is skipped and not blamed."""
    environment.setenv("ENT_DATABASE__DATABASE", f"d{uuid4().hex[:12]}")
    _, findings = found()
    assert verdicts(findings)["migrations"] == "wrong"
    assert "ent migrate" in findings["migrations"][0]["remedy"]
    assert verdicts(findings)["figures"] == "skipped"
    environment.setenv("ENT_DATABASE__PORT", "1")
    _, findings = found()
    assert (verdicts(findings)["database"], verdicts(findings)["figures"]) == ("wrong", "skipped")


def test_a_broker_that_is_away_is_told(environment: pytest.MonkeyPatch, loaded: str) -> None:
    """The look goes on behind it."""
    environment.setenv("ENT_DATABASE__DATABASE", loaded)

    def away(*_: Any, **__: Any) -> Any:
        raise TopicError("no Kafka answers at 127.0.0.1:1: is it running, and reachable?")

    environment.setattr(looks, "check_topics", away)
    _, findings = found()
    assert verdicts(findings)["broker"] == "wrong"
    assert verdicts(findings)["database"] == "ok"


def test_settings_that_cannot_be_read_are_all_that_is_told(environment: pytest.MonkeyPatch) -> None:
    """Without them nothing else can be asked."""
    environment.delenv("ENT_KAFKA__BOOTSTRAP")
    status, findings = found()
    assert status == 1
    assert verdicts(findings) == {"settings": "wrong"}
    assert "ENT_KAFKA__BOOTSTRAP" in findings["settings"][0]["told"]


@pytest.fixture
def grafana() -> Iterator[tuple[str, dict[str, Any]]]:
    """Its address, and what it answers."""
    answer: dict[str, Any] = {"database": "ok", "version": "13.2"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/api/health" else 404)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", answer
    server.shutdown()
    server.server_close()


def test_grafana_is_asked(grafana: tuple[str, dict[str, Any]]) -> None:
    """Well, unwell, away, and no address at all."""
    url, answer = grafana
    assert [one.verdict for one in looks.look_at_grafana(url)] == [Verdict.OK]
    answer["database"] = "failing"
    assert [one.verdict for one in looks.look_at_grafana(url)] == [Verdict.WRONG]
    assert [one.verdict for one in looks.look_at_grafana("http://127.0.0.1:1")] == [Verdict.WRONG]
    assert [one.verdict for one in looks.look_at_grafana("file:///etc/passwd")] == [Verdict.WRONG]


def test_status_tells_lag_rates_and_ledger(environment: pytest.MonkeyPatch, client: Client, loaded: str) -> None:
    """On a screen and as JSON; an open ledger is said in capitals and by the exit status."""
    environment.setenv("ENT_DATABASE__DATABASE", loaded)
    work_through(client, loaded, through=NOW)
    found_now = look(client, loaded)
    assert [(one.topic, one.lag) for one in found_now.partitions] == [(LOGIN, 5)]
    text = screen(found_now)
    assert "ledger  3 records: closes" in text
    answer = CliRunner().invoke(app, ["status", "--json"])
    assert answer.exit_code == 0
    told = json.loads(answer.stdout)
    assert told["closes"] is True
    assert told["partitions"][0]["lag"] == 5
    ClickHouseStore(client, loaded).insert(shipment([event(9, 9, arrived_at=NOW)]))
    answer = CliRunner().invoke(app, ["status"])
    assert answer.exit_code == 1
    assert "DOES NOT CLOSE: 6 offsets" in answer.stdout


def test_status_of_an_empty_database_says_so() -> None:
    """Nothing came in, and nobody told of anything."""
    text = screen(Status(NOW, [], [], [], []))
    assert "alerts  none stands" in text
    assert "no worker has told of its progress yet" in text
    assert "nothing came in" in text
