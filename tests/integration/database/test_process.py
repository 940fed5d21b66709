"""The embedded database as a process: it starts, is killed, stops, and leaves nothing behind but its files."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr

from sinks.clickhouse.embedded.process import DatabaseNotReady, EmbeddedDatabase
from tests.database import embedded_database
from tests.integration.database.raw import ask

TABLE = "CREATE TABLE IF NOT EXISTS kept (n UInt64) ENGINE = MergeTree ORDER BY n"
ENDLESS = "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))"


def test_what_was_confirmed_survives_kill_9(tmp_path: Path) -> None:
    """Killed four times while rows are being written; each confirmed row is there, each row in doubt at most once."""
    with embedded_database(tmp_path / "db") as database:
        ask(database, TABLE)
        confirmed: set[int] = set()
        tried = 0
        for _ in range(4):
            killer = threading.Timer(0.4, database.kill)
            killer.start()
            try:
                while True:
                    tried += 1
                    if ask(database, b"%d\n" % tried, {"query": "INSERT INTO kept FORMAT TSV"}).status == 200:
                        confirmed.add(tried)
            except OSError:
                killer.join()
            assert not database.running
            database.start()
        found = [int(line) for line in ask(database, "SELECT n FROM kept").text.split()]
    assert len(confirmed) > 20
    assert confirmed <= set(found)
    assert len(found) == len(set(found)) <= tried


def test_it_stops_cleanly_and_starts_again_on_the_same_port_and_files(tmp_path: Path) -> None:
    with embedded_database(tmp_path / "db") as database:
        port = database.port
        ask(database, TABLE)
        ask(database, "INSERT INTO kept SELECT number FROM numbers(1000)")
        started = time.monotonic()
        database.stop()
        assert time.monotonic() - started < 3
        assert not database.running
        database.start()
        assert database.port == port
        assert ask(database, "SELECT count() FROM kept").text == "1000\n"


def test_it_stops_soon_though_a_statement_runs(tmp_path: Path) -> None:
    """The statement is cancelled and its client told so."""
    with embedded_database(tmp_path / "db") as database:
        codes: list[int | None] = []
        client = threading.Thread(target=lambda: codes.append(ask(database, ENDLESS).code))
        client.start()
        time.sleep(0.3)
        started = time.monotonic()
        database.stop()
        assert time.monotonic() - started < 8
        client.join()
    assert codes == [394]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_status_0(tmp_path: Path, number: signal.Signals) -> None:
    with embedded_database(tmp_path / "db") as database:
        process = psutil.Process(database.pid)
        os.kill(database.pid, number)
        assert process.wait(10) == 0 or not process.is_running()


def test_a_second_owner_of_the_folder_is_told_who_the_first_is(tmp_path: Path) -> None:
    """And the first is not disturbed."""
    with embedded_database(tmp_path / "db") as first:
        second = EmbeddedDatabase(tmp_path / "db", log=tmp_path / "second.log")
        with pytest.raises(DatabaseNotReady, match=f"in use by process {first.pid}"):
            second.start()
        assert ask(first, "SELECT 1").text == "1\n"


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(DatabaseNotReady, match=f"port {port}.*in use"):
            EmbeddedDatabase(tmp_path / "db", port=port).start()


def test_broken_files_are_an_error_that_names_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "db"
    folder.mkdir()
    (folder / "data").write_text("a file where a folder should be")
    with pytest.raises(DatabaseNotReady, match=f"files in {folder} cannot be opened.*File exists"):
        EmbeddedDatabase(folder).start()


def test_without_a_password_it_does_not_start(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ENT_")}
    command = [sys.executable, "-m", "sinks.clickhouse.embedded", str(tmp_path / "db"), "--port", "0"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "set ENT_DATABASE_PASSWORD" in done.stderr
    assert not (tmp_path / "db").exists()


def test_the_password_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("from a file\n")
    command = [sys.executable, "-m", "sinks.clickhouse.embedded", str(tmp_path / "db"), "--port", "0"]
    command += ["--password-file", str(tmp_path / "password"), "--stop-with-stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        ready = process.stdout.readline().decode()
        port = int(ready.rpartition(":")[2])
        database = EmbeddedDatabase(tmp_path, port=port, password=SecretStr("from a file"))
        assert ask(database, "SELECT 1").text == "1\n"
        assert ask(database, "SELECT 1", reader=True).code == 516
        process.communicate(timeout=10)
        assert process.returncode == 0


def test_it_ends_with_whoever_started_it(tmp_path: Path) -> None:
    """Even when that one is killed and can tell it nothing."""
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom sinks.clickhouse.embedded.process import EmbeddedDatabase\n"
        "print(EmbeddedDatabase(Path(sys.argv[1])).start().pid, flush=True)\ntime.sleep(60)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        database = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    _, alive = psutil.wait_procs([database], timeout=10)
    assert not alive


def test_passwords_are_neither_on_the_command_line_nor_in_any_file(tmp_path: Path) -> None:
    with embedded_database(tmp_path / "db") as database:
        secrets = [database.password.get_secret_value(), database.reader_password.get_secret_value()]
        assert ask(database, "SELECT nothing").code == 47
        shown = " ".join(psutil.Process(database.pid).cmdline()) + repr(database) + str(vars(database))
        written = b"".join(path.read_bytes() for path in (tmp_path / "db").rglob("*") if path.is_file())
    for secret in secrets:
        assert secret not in shown
        assert secret.encode() not in written


def test_it_keeps_to_its_folder_and_to_loopback(tmp_path: Path) -> None:
    with embedded_database(tmp_path / "db") as database:
        ask(database, TABLE)
        ask(database, "INSERT INTO kept SELECT number FROM numbers(1000)")
        process = psutil.Process(database.pid)
        listening = [c.laddr for c in process.net_connections() if c.status == psutil.CONN_LISTEN]
        assert [(address.ip, address.port) for address in listening] == [("127.0.0.1", database.port)]
        writable = [f.path for f in process.open_files() if f.mode != "r"]
        assert all(Path(path).is_relative_to(tmp_path) for path in writable), writable
        assert process.num_threads() < 60


def test_idle_it_is_small_and_parts_are_merged_behind_the_scenes(tmp_path: Path) -> None:
    with embedded_database(tmp_path / "db") as database:
        ask(database, TABLE)
        for n in range(40):
            ask(database, f"INSERT INTO kept VALUES ({n})")
        parts = "SELECT count() FROM system.parts WHERE table = 'kept' AND active"
        limit = time.monotonic() + 15
        while int(ask(database, parts).text) >= 20 and time.monotonic() < limit:
            time.sleep(0.1)
        assert int(ask(database, parts).text) < 20
        assert psutil.Process(database.pid).memory_info().rss < 450 * 1024 * 1024
