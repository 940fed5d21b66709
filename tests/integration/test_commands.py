"""The command line as an operator uses it: what it prints, what it exits with, what it says when things go wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.applications import APPLICATIONS
from sinks.base import LogStart
from sinks.clickhouse.embedded.process import EmbeddedDatabase
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.store import ClickHouseStore
from tests.database import client_of, embedded_database
from tests.rows import TOPIC, event, shipment

LOGIN = {
    "specversion": "1.0",
    "id": "1",
    "source": "urn:ent:test",
    "type": "fr.ent.login.v1",
    "time": "2026-11-17T07:41:12.345Z",
    "data": {"uai": ["0689901T"], "profile": "parent", "user": "u-000123", "session": "s-1", "name": "never read"},
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedDatabase]:
    with embedded_database(tmp_path_factory.mktemp("commands")) as running:
        yield running


@pytest.fixture
def environment(database: EmbeddedDatabase) -> dict[str, str]:
    return {
        "ENT_DATABASE__PORT": str(database.port),
        "ENT_DATABASE__USER": database.user,
        "ENT_DATABASE__PASSWORD": database.password.get_secret_value(),
    }


def ent(*arguments: str, given: dict[str, str] | None = None, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ENT_")}
    command = [sys.executable, "-m", "streams", *arguments]
    return subprocess.run(
        command, env=environment | (given or {}), input=stdin, capture_output=True, timeout=50, check=False
    )


def lines(output: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.decode().splitlines()]


def test_decode_prints_events_in_order_and_refusals_with_their_line(tmp_path: Path) -> None:
    second = LOGIN | {"id": "2"}
    feed = tmp_path / "feed.ndjson"
    records = [json.dumps(LOGIN), "{broken", "", json.dumps(second), json.dumps(LOGIN | {"type": "fr.ent.other.v1"})]
    feed.write_text("\n".join(records) + "\n")
    answer = ent("decode", str(feed))
    assert answer.returncode == 1
    assert [told["id"] for told in lines(answer.stdout)] == ["1", "2"]
    assert [(told["line"], told["reason"]) for told in lines(answer.stderr)] == [
        (2, "bad_json"),
        (3, "empty"),
        (5, "unknown_format"),
    ]


def test_decode_shows_pseudonyms_and_no_raw_id() -> None:
    answer = ent("decode", "-", stdin=json.dumps(LOGIN).encode())
    assert answer.returncode == 0
    (told,) = lines(answer.stdout)
    assert told["specversion"] == "1.0"
    assert told["data"]["user"].startswith("hmac:")
    assert told["data"]["session"].startswith("hmac:")
    assert b"u-000123" not in answer.stdout
    assert b"never read" not in answer.stdout


def test_decode_reads_its_own_answer_again_under_the_same_key() -> None:
    key = {"ENT_PSEUDONYM_KEY": "0123456789abcdefghijklmnopqrstuvwxyz"}
    once = ent("decode", "-", given=key, stdin=json.dumps(LOGIN).encode())
    twice = ent("decode", "-", given=key, stdin=once.stdout)
    assert lines(once.stdout) == lines(twice.stdout)


def test_decode_names_the_file_that_cannot_be_read() -> None:
    answer = ent("decode", "no-such-file.ndjson")
    assert answer.returncode == 2
    assert b"no-such-file.ndjson" in answer.stderr


def test_migrate_check_says_what_is_missing_and_writes_nothing(environment: dict[str, str]) -> None:
    elsewhere = environment | {"ENT_DATABASE__DATABASE": "elsewhere"}
    assert ent("migrate", "--check", given=elsewhere).returncode == 1
    assert ent("migrate", "--check", given=elsewhere).returncode == 1
    assert ent("migrate", given=elsewhere).returncode == 0
    assert ent("migrate", "--check", given=elsewhere).returncode == 0


def test_migrate_takes_the_name_of_a_cluster(environment: dict[str, str]) -> None:
    refused = ent("migrate", "--cluster", "two words", given=environment)
    assert refused.returncode == 2
    assert b"'two words' is no name of a database or a cluster" in refused.stderr


def test_migrate_writes_the_catalogue_of_applications(database: EmbeddedDatabase, environment: dict[str, str]) -> None:
    named = environment | {"ENT_DATABASE__DATABASE": "catalogue"}
    for _ in range(2):
        assert ent("migrate", given=named).returncode == 0
    rows = client_of(database).query_rows("SELECT app, label, service FROM catalogue.v_applications")
    assert len(rows) == len(APPLICATIONS) + 1
    assert ("cahier_textes", "Cahier de textes", "cahier_textes") in rows


@pytest.mark.parametrize(("offsets", "code"), [((0, 1), 0), ((0, 2), 1)])
def test_the_ledger_exits_1_where_it_does_not_close(
    database: EmbeddedDatabase, environment: dict[str, str], offsets: tuple[int, int], code: int
) -> None:
    client = client_of(database)
    client.command("DROP DATABASE IF EXISTS ent")
    migrate(client, "ent")
    store = ClickHouseStore(client, "ent")
    store.open_logs([LogStart(TOPIC, 1, 0, 0)])
    store.insert(shipment([event(n, offset) for n, offset in enumerate(offsets)]))
    table = ent("ledger", given=environment)
    told = ent("ledger", "--json", given=environment)
    assert (table.returncode, told.returncode) == (code, code)
    assert json.loads(told.stdout)["closes"] == (code == 0)
    assert b"missing" in table.stdout


def test_the_ledger_explains_a_gap_down_to_its_offsets(database: EmbeddedDatabase, environment: dict[str, str]) -> None:
    client = client_of(database)
    client.command("DROP DATABASE IF EXISTS ent")
    migrate(client, "ent")
    store = ClickHouseStore(client, "ent")
    store.open_logs([LogStart(TOPIC, 1, 0, 0)])
    store.insert(shipment([event(1, 0), event(1, 1), event(2, 7)], rejected=[0]))
    told = ent("ledger", "explain", "--duplicates", given=environment)
    assert told.returncode == 1
    gap, overlap, duplicate = told.stdout.decode().splitlines()
    assert gap.startswith(f"{TOPIC}/1/0: 5 offsets, 2 to 6: no end (the one before arrived 2026-11-17T")
    assert overlap.startswith(f"{TOPIC}/1/0: 1 offsets, 0 to 0: accepted and rejected")
    assert duplicate.startswith(f"{TOPIC}/1/0: 1 offsets, 0 to 0: duplicate")
    days = json.loads(ent("ledger", "--json", "--days", given=environment).stdout)["days"]
    assert [(one["day"], one["consumed"], one["stored"], one["duplicate"]) for one in days] == [("2026-11-17", 3, 2, 1)]
    frozen = ent("ledger", "freeze", given=environment)
    assert b"no month waits" in frozen.stdout or b"2026-11" in frozen.stdout


def test_a_database_that_is_away_is_said_in_one_line() -> None:
    answer = ent("ledger", given={"ENT_DATABASE__PORT": "1"})
    assert answer.returncode == 2
    assert len(answer.stderr.splitlines()) == 1


def test_a_worker_without_a_key_says_which_variable_to_set() -> None:
    answer = ent("worker", given={"ENT_KAFKA__BOOTSTRAP": "127.0.0.1:1"})
    assert answer.returncode == 2
    assert b"ENT_PSEUDONYM_KEY" in answer.stderr


def test_what_is_simulated_to_a_file_is_decoded_as_its_truth_says(tmp_path: Path) -> None:
    feed, truth = tmp_path / "feed.ndjson", tmp_path / "truth.json"
    options = ["--seed", "5", "--days", "1", "--scale", "0.05", "--duplicates", "0.02", "--malformed", "0.02"]
    made = ent("simulate", "--to", str(feed), "--truth", str(truth), *options)
    assert made.returncode == 0, made.stderr
    counts = json.loads(truth.read_text())["counts"]
    answer = ent("decode", str(feed))
    refused = lines(answer.stderr)
    assert len(answer.stdout.splitlines()) == counts["accepted"] + counts["duplicates"]
    assert len(refused) == sum(counts["rejected"].values())
