"""The door of the metrics: on loopback, honest about health, and not held by a client that says nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from streams.metrics import Door


@pytest.fixture
def trouble() -> list[str]:
    return []


@pytest.fixture
def door(trouble: list[str]) -> Iterator[Door]:
    door = Door("127.0.0.1", 0, lambda: None, lambda: trouble[0] if trouble else None)
    door.open()
    yield door
    door.close()


def get(door: Door, path: str) -> tuple[int, str]:
    try:
        with urlopen(f"http://127.0.0.1:{door.port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def test_metrics_are_there(door: Door) -> None:
    status, text = get(door, "/metrics")
    assert status == 200
    assert "ent_ledger_missing_offsets" in text


def test_it_is_ready_or_says_why_not(door: Door, trouble: list[str]) -> None:
    assert get(door, "/readyz") == (200, "ok\n")
    trouble.append("the database is away")
    assert get(door, "/readyz") == (503, "the database is away\n")
    assert get(door, "/healthz")[0] == 200


def test_anything_else_is_not_here(door: Door) -> None:
    assert get(door, "/etc/passwd")[0] == 404


def test_a_silent_client_does_not_hold_it(door: Door) -> None:
    with socket.create_connection(("127.0.0.1", door.port)):
        assert get(door, "/healthz")[0] == 200
