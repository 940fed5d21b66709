"""What each failure of the database asks for."""

import socket

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, DataError, OperationalError, ProgrammingError
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError, ReadTimeoutError

from sinks import base
from sinks.clickhouse.errors import (
    RULES,
    Answer,
    DatabaseFailure,
    Misconfigured,
    RowsRefused,
    Unavailable,
    failure,
    from_driver,
)

BUSY = (159, 160, 201, 202, 203, 209, 210, 225, 236, 241, 242, 243, 252, 279, 285, 319, 394, 517, 745, 999, 1000)
ROWS = (6, 27, 33, 38, 41, 53, 69, 70, 72, 117, 131, 307, 321, 349, 376, 469, 691)
SETUP = (16, 47, 48, 60, 62, 73, 81, 115, 164, 192, 193, 452, 497, 516, 701)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        *((code, Unavailable) for code in BUSY),
        *((code, RowsRefused) for code in ROWS),
        *((code, Misconfigured) for code in SETUP),
    ],
)
def test_each_code_has_its_answer(code: int, kind: type[DatabaseFailure]) -> None:
    found = failure(code, "the server's text")
    assert type(found) is kind
    assert found.code == code
    assert str(code) in str(found)
    assert RULES[code].reason in str(found)


def test_the_failures_are_what_the_delivery_knows() -> None:
    """`sinks.delivery` retries, bisects or stops on the failures of `sinks.base`, whatever the store."""
    assert issubclass(Unavailable, base.StoreUnavailable)
    assert issubclass(RowsRefused, base.RowsRefused)
    assert issubclass(Misconfigured, base.StoreMisconfigured)


def test_every_rule_has_a_name_of_clickhouse_and_a_reason() -> None:
    for rule in RULES.values():
        assert rule.name.isupper()
        assert rule.reason
    assert len({rule.name for rule in RULES.values()}) == len(RULES)


def test_what_must_be_put_right_says_how() -> None:
    for code, rule in RULES.items():
        if rule.answer is Answer.STOP:
            advice = ("run `ent migrate`", "set ENT_", "grant it", "is needed", "this machine's address", "name it as")
            assert any(words in rule.reason for words in advice), code


def test_refused_rows_are_not_quoted() -> None:
    assert "Dupont" not in str(failure(27, "Cannot parse input: expected UInt64, got Dupont"))


def test_an_unknown_code_stops() -> None:
    """Nothing is known of it: neither that waiting helps, nor that the rows are at fault."""
    found = failure(123456, "something new")
    assert type(found) is Misconfigured
    assert "something new" in str(found)


def test_too_many_partitions_are_not_too_many_parts() -> None:
    """One code, two meanings: merges catch up with parts, but a block that spans too many months must be split."""
    assert type(failure(252, "Too many parts (300) in table")) is Unavailable
    assert type(failure(252, "Too many partitions for single INSERT block (more than 100).")) is RowsRefused


CONNECTION = HTTPConnection("localhost", 1)
POOL = HTTPConnectionPool("localhost", 1)
URL = "/?param_name=secret"


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (MaxRetryError(POOL, URL, NewConnectionError(CONNECTION, "refused")), "does not take connections"),
        (MaxRetryError(POOL, URL, ReadTimeoutError(POOL, URL, "slow")), "does not answer in time"),
        (ProtocolError("Connection aborted.", ConnectionResetError(104, "reset")), "was lost"),
        (ProtocolError("Connection aborted.", ConnectionRefusedError(111, "refused")), "was lost"),
        (TimeoutError("timed out"), "does not answer in time"),
        (socket.gaierror(-2, "no such name"), "was lost"),
        (BrokenPipeError(32, "pipe"), "was lost"),
    ],
)
def test_a_connection_that_fails_is_waited_for(cause: Exception, words: str) -> None:
    error = OperationalError("Error executing HTTP request")
    error.__cause__ = cause
    found = from_driver(error)
    assert type(found) is Unavailable
    assert words in str(found)
    assert "secret" not in str(found)


def test_the_server_s_code_comes_before_all_else() -> None:
    text = "Received ClickHouse exception, code: 516, server response: Code: 516. DB::Exception: no"
    found = from_driver(DatabaseError(text, code=516))
    assert type(found) is Misconfigured
    assert "Received ClickHouse exception" not in str(found)
    assert "Code: 516. DB::Exception: no" in str(found)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_gateway_that_answers_for_the_database_is_waited_for(status: int) -> None:
    assert type(from_driver(DatabaseError(f"HTTP driver received HTTP status {status}"))) is Unavailable


@pytest.mark.parametrize(
    "error",
    [
        DatabaseError("HTTP driver received HTTP status 401"),
        ProgrammingError("wrong use"),
        DataError("cannot serialise"),
        ValueError("other"),
    ],
)
def test_what_the_driver_refuses_stops(error: Exception) -> None:
    assert type(from_driver(error)) is Misconfigured


def test_our_own_failures_pass() -> None:
    found = Unavailable("away")
    assert from_driver(found) is found
