"""`ent privacy` as an operator uses it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from schemas.keyring import Keyring
from sinks.clickhouse.embedded.process import EmbeddedDatabase
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.store import ClickHouseStore
from streams.commands import app
from streams.settings import SettingsError
from tests.database import client_of, embedded_database
from tests.rows import event, shipment

SECRET = "a-secret-of-the-tests-of-ent-privacy-0123456789"
PERSON = "anna-4711"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedDatabase]:
    with embedded_database(tmp_path_factory.mktemp("commands")) as running:
        migrate(client_of(running), "ent")
        yield running


@pytest.fixture
def environment(database: EmbeddedDatabase, tmp_path: Path) -> dict[str, str]:
    file = tmp_path / "keys"
    file.write_text(SECRET)
    return {
        "ENT_DATABASE__PORT": str(database.port),
        "ENT_DATABASE__USER": database.user,
        "ENT_DATABASE__PASSWORD": database.password.get_secret_value(),
        "ENT_PSEUDONYM_KEY_FILE": str(file),
        "ENT_EVENT_ID_KEY": "another-secret-of-the-tests-of-ent-privacy",
    }


def ent(*arguments: str, given: dict[str, str], stdin: str = "") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ENT_")}
    command = [sys.executable, "-m", "streams", *arguments]
    return subprocess.run(
        command, env=environment | given, input=stdin, capture_output=True, text=True, timeout=50, check=False
    )


def here(*arguments: str, given: dict[str, str], stdin: str = "") -> Result:
    """The same in this process, which is quicker; for commands that set up no log."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ENT_")}
    with mock.patch.dict(os.environ, kept | given, clear=True):
        return CliRunner().invoke(app, arguments, input=stdin)


def test_apply_gives_the_limits_and_check_agrees(environment: dict[str, str]) -> None:
    """Before it, check says what to run and exits 1."""
    before = here("privacy", "check", "--json", given=environment)
    assert before.exit_code == 1
    assert "ent privacy apply" in json.loads(before.stdout)["problems"][0]
    applied = here("privacy", "apply", given=environment)
    assert applied.exit_code == 0
    assert "ent.events: 180 days" in applied.stdout
    after = here("privacy", "check", given=environment)
    assert (after.exit_code, after.stderr) == (0, "")


def test_erase_reads_the_id_from_standard_input_and_prints_a_receipt(
    database: EmbeddedDatabase, environment: dict[str, str]
) -> None:
    """The id is in neither of its outputs, and the person in no event afterwards."""
    now = datetime.now(UTC)
    key = Keyring.read(SecretStr(SECRET)).of(now).number(PERSON)
    store = ClickHouseStore(client_of(database), "ent")
    store.insert(shipment([event(1, 0, user_key=key, event_time=now), event(2, 1, user_key=5, event_time=now)]))
    done = ent("privacy", "erase", "--user-from-stdin", "--settle-s", "0", given=environment, stdin=PERSON + "\n")
    assert done.returncode == 0, done.stderr
    receipt = json.loads(done.stdout)
    assert (receipt["events"], receipt["minutes"]) == (1, 1)
    assert PERSON not in done.stdout + done.stderr
    assert str(key) not in done.stdout + done.stderr
    assert client_of(database).query_rows("SELECT user_key FROM ent.v_events") == [(5,)]


@pytest.mark.parametrize("arguments", [["--user-from-stdin"], []])
def test_erase_without_an_id_says_how(environment: dict[str, str], arguments: list[str]) -> None:
    done = here("privacy", "erase", *arguments, given=environment, stdin="\n")
    assert isinstance(done.exception, SettingsError)
    assert "standard input" in str(done.exception)


def test_publish_once_writes_what_is_due(database: EmbeddedDatabase, environment: dict[str, str]) -> None:
    never = ent("publish", "--check", "--json", given=environment)
    assert (never.returncode, json.loads(never.stdout)) == (1, {"published_ago_s": None})
    done = ent("publish", "--once", given=environment)
    assert done.returncode == 0, done.stderr
    assert "published" in done.stdout
    assert ent("publish", "--check", given=environment).returncode == 0
    assert client_of(database).query_rows("SELECT k FROM ent_public.v_reading") == [(5,)]
