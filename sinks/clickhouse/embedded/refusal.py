"""Errors as ClickHouse's HTTP interface tells them: a code, its name, and a text."""

import re
from http import HTTPStatus

_ENGINE_ERROR = re.compile(r"Code: (\d+)\. DB::\w*Exception: (.*)", re.DOTALL)
_STACK = re.compile(r",?\s*Stack trace \(when copying.*", re.DOTALL)
_TRAILING_NAME = re.compile(r"\s*\(([A-Z][A-Z_0-9]+)\)\s*$")
_PREAMBLE = re.compile(r"^(?:Code: \d+\. DB::\w*Exception: )+")
_VERSION = re.compile(r"\s*\(version [^()]*(?:\([^()]*\))?[^()]*\)")

_STATUS = {
    46: HTTPStatus.NOT_FOUND,
    47: HTTPStatus.NOT_FOUND,
    60: HTTPStatus.NOT_FOUND,
    73: HTTPStatus.NOT_FOUND,
    81: HTTPStatus.NOT_FOUND,
    115: HTTPStatus.NOT_FOUND,
    27: HTTPStatus.BAD_REQUEST,
    36: HTTPStatus.BAD_REQUEST,
    41: HTTPStatus.BAD_REQUEST,
    43: HTTPStatus.BAD_REQUEST,
    53: HTTPStatus.BAD_REQUEST,
    62: HTTPStatus.BAD_REQUEST,
    117: HTTPStatus.BAD_REQUEST,
    456: HTTPStatus.BAD_REQUEST,
    457: HTTPStatus.BAD_REQUEST,
    497: HTTPStatus.FORBIDDEN,
    516: HTTPStatus.FORBIDDEN,
    159: HTTPStatus.REQUEST_TIMEOUT,
    48: HTTPStatus.NOT_IMPLEMENTED,
}

UNKNOWN_EXCEPTION = 1002


class Refusal(Exception):
    """A request that is answered with an error.

    `code` and `name` are ClickHouse's own, so that clients treat it as a server's.
    """

    def __init__(self, code: int, name: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.name = name
        self.message = message

    @property
    def status(self) -> HTTPStatus:
        return _STATUS.get(self.code, HTTPStatus.INTERNAL_SERVER_ERROR)

    def text(self, version: str) -> str:
        """The body of the answer, in the server's own form."""
        return f"Code: {self.code}. DB::Exception: {self.message} ({self.name}) (version {version} (embedded))\n"


def from_engine(error: Exception) -> Refusal:
    """Read an engine's exception, of which only the text is given."""
    text = _STACK.sub("", str(error))
    match = _ENGINE_ERROR.search(text)
    if match is None:
        return Refusal(UNKNOWN_EXCEPTION, "UNKNOWN_EXCEPTION", text or type(error).__name__)
    message = _VERSION.sub("", match.group(2)).strip()
    name = "ERROR"
    while trailing := _TRAILING_NAME.search(message):
        name = trailing.group(1)
        message = message[: trailing.start()]
    return Refusal(int(match.group(1)), name, _PREAMBLE.sub("", message))


def bad_request(message: str) -> Refusal:
    """A request that does not hold together, seen before the engine."""
    return Refusal(36, "BAD_ARGUMENTS", message)


def several_statements() -> Refusal:
    """More than one statement in a request."""
    return Refusal(62, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed)")


def access_denied(message: str) -> Refusal:
    """A statement that this user may not run."""
    return Refusal(497, "ACCESS_DENIED", message)


def read_only(message: str) -> Refusal:
    """A statement that changes something, in a request that may not."""
    return Refusal(164, "READONLY", message)
