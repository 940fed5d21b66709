"""What a failure of the database asks for: wait, give up on rows, or stop and have something put right.

Codes are those of ClickHouse (`src/Common/ErrorCodes.cpp`), which the embedded database uses too.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from clickhouse_connect.driver.exceptions import Error as DriverError
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as HttpTimeoutError

from sinks import base


class Answer(StrEnum):
    """What to do about a failure."""

    WAIT = "wait"
    """Try the same again later: nothing is wrong with what was sent."""
    BISECT = "bisect"
    """One of the rows sent is at fault, and will be at every try."""
    STOP = "stop"
    """Someone has to put something right first."""


class DatabaseFailure(Exception):
    """Any failure of the database. `code` is ClickHouse's, None where it gave none.

    The text is safe to log: no credentials, no URL, and for refused rows not the server's text, which quotes values.
    """

    def __init__(self, reason: str, code: int | None = None) -> None:
        super().__init__(reason if code is None else f"{reason} [code {code}]")
        self.code = code


class Unavailable(DatabaseFailure, base.StoreUnavailable):
    """The database is away or overloaded: try again later."""


class RowsRefused(DatabaseFailure, base.RowsRefused):
    """The database will never take these rows as they are: bisect, do not repeat."""


class Misconfigured(DatabaseFailure, base.StoreMisconfigured):
    """Settings, grants or tables are not what they must be; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What one of ClickHouse's codes means here."""

    name: str
    answer: Answer
    reason: str


_MIGRATE = "run `ent migrate` with this version of the program"
_GRANT = "grant it, or name another user in ENT_DATABASE__USER"

RULES: dict[int, Rule] = {
    code: Rule(name, answer, reason)
    for answer, rules in {
        Answer.WAIT: {
            159: ("TIMEOUT_EXCEEDED", "the statement took longer than it may"),
            160: ("TOO_SLOW", "the statement was too slow"),
            198: ("DNS_ERROR", "a server's name could not be resolved"),
            201: ("QUOTA_EXCEEDED", "the user's quota is spent for now"),
            202: ("TOO_MANY_SIMULTANEOUS_QUERIES", "too many statements at once"),
            203: ("NO_FREE_CONNECTION", "no free connection between the servers"),
            209: ("SOCKET_TIMEOUT", "a server did not answer in time"),
            210: ("NETWORK_ERROR", "the network between the servers failed"),
            225: ("NO_ZOOKEEPER", "Keeper is away"),
            236: ("ABORTED", "the statement was given up, by a restart for instance"),
            241: ("MEMORY_LIMIT_EXCEEDED", "the server's memory is taken for now"),
            242: ("TABLE_IS_READ_ONLY", "the replica is read-only until it reaches Keeper again"),
            243: ("NOT_ENOUGH_SPACE", "the server's disk is full"),
            252: ("TOO_MANY_PARTS", "merges have to catch up with inserts"),
            254: ("NO_ACTIVE_REPLICAS", "no replica is active"),
            271: ("CANNOT_DECOMPRESS", "the request was damaged on its way"),
            279: ("ALL_CONNECTION_TRIES_FAILED", "no replica could be reached"),
            285: ("TOO_FEW_LIVE_REPLICAS", "too few replicas for the quorum"),
            286: ("UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE", "the write before has no quorum yet"),
            289: ("REPLICA_IS_NOT_IN_QUORUM", "this replica is behind the quorum"),
            319: ("UNKNOWN_STATUS_OF_INSERT", "whether the insert was stored is not known: it may be repeated"),
            341: ("UNFINISHED", "the change is not done on all replicas yet"),
            394: ("QUERY_WAS_CANCELLED", "the statement was cancelled, by a stop for instance"),
            425: ("SYSTEM_ERROR", "a system call failed on the server"),
            439: ("CANNOT_SCHEDULE_TASK", "the server has no free thread"),
            473: ("DEADLOCK_AVOIDED", "a lock could not be had in time"),
            517: ("CANNOT_ASSIGN_ALTER", "another change of the table came first"),
            733: ("TABLE_IS_BEING_RESTARTED", "the table is being restarted"),
            745: ("SERVER_OVERLOADED", "the server is overloaded"),
            999: ("KEEPER_EXCEPTION", "Keeper refused or lost the request"),
            1000: ("POCO_EXCEPTION", "the server's network or system layer failed"),
            1001: ("STD_EXCEPTION", "the server's system layer failed"),
        },
        Answer.BISECT: {
            6: ("CANNOT_PARSE_TEXT", "a value cannot be read"),
            25: ("CANNOT_PARSE_ESCAPE_SEQUENCE", "an escape in a value cannot be read"),
            26: ("CANNOT_PARSE_QUOTED_STRING", "a quoted value cannot be read"),
            27: ("CANNOT_PARSE_INPUT_ASSERTION_FAILED", "a value is not of its column's type"),
            32: ("ATTEMPT_TO_READ_AFTER_EOF", "the rows end too early"),
            33: ("CANNOT_READ_ALL_DATA", "the rows end too early"),
            38: ("CANNOT_PARSE_DATE", "a date cannot be read"),
            41: ("CANNOT_PARSE_DATETIME", "a time cannot be read"),
            53: ("TYPE_MISMATCH", "a value is not of its column's type"),
            69: ("ARGUMENT_OUT_OF_BOUND", "a value is out of its bounds"),
            70: ("CANNOT_CONVERT_TYPE", "a value cannot become its column's type"),
            72: ("CANNOT_PARSE_NUMBER", "a number cannot be read"),
            117: ("INCORRECT_DATA", "the rows are not in the format they are said to be in"),
            128: ("TOO_LARGE_ARRAY_SIZE", "a list is too long"),
            131: ("TOO_LARGE_STRING_SIZE", "a text is too long"),
            190: ("SIZES_OF_ARRAYS_DONT_MATCH", "lists that belong together differ in length"),
            307: ("TOO_MANY_BYTES", "the rows are more than may be sent at once"),
            321: ("VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE", "a value does not fit its column"),
            349: ("CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN", "a value is missing"),
            376: ("CANNOT_PARSE_UUID", "a UUID cannot be read"),
            395: ("FUNCTION_THROW_IF_VALUE_IS_NON_ZERO", "a row breaks a condition of the table"),
            407: ("DECIMAL_OVERFLOW", "a value does not fit its column"),
            469: ("VIOLATED_CONSTRAINT", "a row breaks a constraint of the table"),
            691: ("UNKNOWN_ELEMENT_OF_ENUM", "a value is not of its column's list"),
        },
        Answer.STOP: {
            10: ("NOT_FOUND_COLUMN_IN_BLOCK", f"a column is missing: {_MIGRATE}"),
            16: ("NO_SUCH_COLUMN_IN_TABLE", f"a column is missing in the table: {_MIGRATE}"),
            20: ("NUMBER_OF_COLUMNS_DOESNT_MATCH", f"the table has other columns: {_MIGRATE}"),
            46: ("UNKNOWN_FUNCTION", "the server does not know a function: ClickHouse 26.3 or later is needed"),
            47: ("UNKNOWN_IDENTIFIER", f"the table has other columns: {_MIGRATE}"),
            48: ("NOT_IMPLEMENTED", "the server does not do this: ClickHouse 26.3 or later is needed"),
            60: ("UNKNOWN_TABLE", f"a table is missing: {_MIGRATE}"),
            62: ("SYNTAX_ERROR", "the server does not read the statement: ClickHouse 26.3 or later is needed"),
            73: ("UNKNOWN_FORMAT", "the server does not know the format: ClickHouse 26.3 or later is needed"),
            81: ("UNKNOWN_DATABASE", f"the database is missing: {_MIGRATE}"),
            115: ("UNKNOWN_SETTING", "the server does not know a setting: ClickHouse 26.3 or later is needed"),
            164: ("READONLY", f"the user may only read: {_GRANT}"),
            192: ("UNKNOWN_USER", "the server does not know the user: set ENT_DATABASE__USER"),
            193: ("WRONG_PASSWORD", "the password is wrong: set ENT_DATABASE__PASSWORD"),
            194: ("REQUIRED_PASSWORD", "a password is needed: set ENT_DATABASE__PASSWORD"),
            195: ("IP_ADDRESS_NOT_ALLOWED", "the server does not take this machine's address for this user"),
            452: ("SETTING_CONSTRAINT_VIOLATION", f"the user may not change a setting: {_GRANT}"),
            497: ("ACCESS_DENIED", f"the user lacks a privilege: {_GRANT}"),
            516: (
                "AUTHENTICATION_FAILED",
                "the server refuses user or password: set ENT_DATABASE__USER and ENT_DATABASE__PASSWORD",
            ),
            701: ("CLUSTER_DOESNT_EXIST", "the server does not know the cluster: set ENT_DATABASE__CLUSTER"),
        },
    }.items()
    for code, (name, reason) in rules.items()
}
"""Every code that has a meaning here. Any other stops the program, since nothing is known of it."""

_TOO_MANY_PARTS = 252
_TOO_MANY_PARTITIONS = "partitions for single INSERT block"
"""The same code as for parts, but waiting does not help: fewer rows at once do."""

_GATEWAY_STATUSES = ("429", "502", "503", "504")


def failure(code: int, detail: str = "") -> DatabaseFailure:
    """The failure for one of ClickHouse's codes; `detail` is the server's text."""
    rule = RULES.get(code)
    if rule is None:
        return Misconfigured(f"the database answered with an error that is not known here: {detail}", code)
    if rule.answer is Answer.BISECT or (code == _TOO_MANY_PARTS and _TOO_MANY_PARTITIONS in detail):
        return RowsRefused(rule.reason if rule.answer is Answer.BISECT else "the rows span too many months", code)
    kind = Unavailable if rule.answer is Answer.WAIT else Misconfigured
    return kind(f"{rule.reason} ({detail})" if detail else rule.reason, code)


def from_driver(error: Exception) -> DatabaseFailure:
    """The failure behind an exception that clickhouse-connect (or urllib3 under it) raised."""
    if isinstance(error, DatabaseFailure):
        return error
    code = getattr(error, "code", None)
    if isinstance(code, int) and code > 0:
        return failure(code, _without_preamble(str(error)))
    lost, cause = "", cast("BaseException | None", error)
    while cause is not None:
        if isinstance(cause, NewConnectionError | ConnectionRefusedError):
            return Unavailable("the database does not take connections")
        if isinstance(cause, HttpTimeoutError | TimeoutError):
            return Unavailable("the database does not answer in time")
        lost = lost or (type(cause).__name__ if isinstance(cause, HTTPError | OSError) else "")
        reason = getattr(cause, "reason", None)  # urllib3 keeps what it gave up on there
        cause = reason if isinstance(reason, BaseException) else cause.__cause__ or cause.__context__
    if lost:
        return Unavailable(f"the connection to the database was lost ({lost})")
    if isinstance(error, DriverError):
        text = str(error)
        if any(f"HTTP status {status}" in text for status in _GATEWAY_STATUSES):
            return Unavailable("what stands before the database says that it is away")
        return Misconfigured(f"the driver refused: {text}")
    return Misconfigured(f"the driver failed: {type(error).__name__}")


def _without_preamble(text: str) -> str:
    return text.partition("server response: ")[2] or text
