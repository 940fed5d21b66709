"""The page as a program of its own: ready line, health, stop with its standard input, and words for what is missing."""

import os
import re
import subprocess
import sys
from urllib.request import urlopen

import pytest

from sinks.clickhouse.client import DatabaseSettings

PROGRAM = [sys.executable, "-m", "grafana.viewer", "--port", "0"]


def test_it_serves_until_its_standard_input_ends(city_database: DatabaseSettings) -> None:
    environment = os.environ | {
        "ENT_VIEWER_DATABASE": f"{city_database.host}:{city_database.port}",
        "ENT_VIEWER_USER": city_database.user,
        "ENT_VIEWER_PASSWORD": city_database.password.get_secret_value(),
    }
    program = subprocess.Popen(
        [*PROGRAM, "--stop-with-stdin", "--clock-offset", "-86400"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    )
    try:
        assert program.stdin is not None
        assert program.stdout is not None
        ready = re.fullmatch(r"ready (http://127\.0\.0\.1:\d+)\n", program.stdout.readline())
        assert ready is not None
        with urlopen(f"{ready[1]}/healthz", timeout=10) as answer:
            assert answer.status == 200
        with urlopen(f"{ready[1]}/api/clock", timeout=10) as answer:
            assert b'"simulated":true' in answer.read()
        program.stdin.close()
        assert program.wait(15) == 0
    finally:
        program.kill()
        program.wait()


@pytest.mark.parametrize(
    ("database", "words"), [("", "set ENT_VIEWER_DATABASE to host:port"), ("here:none", "is not host:port")]
)
def test_without_a_database_it_says_what_to_set(database: str, words: str) -> None:
    environment = os.environ | {"ENT_VIEWER_DATABASE": database, "ENT_VIEWER_USER": "viewer"}
    ended = subprocess.run(PROGRAM, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert words in ended.stderr
