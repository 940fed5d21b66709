"""The platforms' tokens: 256 random bits each, of which only the SHA-256 is kept, and what each may send.

A bare hash is enough for what nobody can guess. Several tokens of one platform are valid at once, so that a platform
can change over without a gap.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

ALL_SCHOOLS: Final = "*"
PREFIX: Final = "ent_"
_BYTES: Final = 32
_PARIS: Final = ZoneInfo("Europe/Paris")


class TokensError(ValueError):
    """The file of tokens cannot be used; the message says what to mend."""


class Token(BaseModel):
    """An entry of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    platform: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")] = Field(
        description="Who sends: a label of metrics and logs."
    )
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(description="Of the token, in hex.")
    schools: frozenset[str] = Field(
        min_length=1, description='UAIs and ids of structures of which it may tell; "*": every school.'
    )
    expires: date | None = Field(None, description="First day in Paris on which it is no longer valid.")

    def is_valid_at(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return self.expires is None or now.astimezone(_PARIS).date() < self.expires

    @property
    def scope(self) -> frozenset[str] | None:
        """The schools of which it may tell; None: all of them."""
        return None if ALL_SCHOOLS in self.schools else self.schools


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    token: list[Token] = Field(min_length=1)


@dataclass(frozen=True)
class Made:
    """A new token, and its entry for the file."""

    secret: str = field(repr=False)
    entry: str


def make_token(platform: str, schools: Sequence[str], expires: date | None) -> Made:
    """A token for a platform; TokensError where the entry would not be valid."""
    secret = PREFIX + secrets.token_urlsafe(_BYTES)
    try:
        token = Token(platform=platform, sha256=digest(secret), schools=frozenset(schools), expires=expires)
    except ValidationError as error:
        raise TokensError(_told(error)) from None
    listed = ", ".join(f'"{school}"' for school in sorted(token.schools))
    lines = ["[[token]]", f'platform = "{token.platform}"', f'sha256 = "{token.sha256}"', f"schools = [{listed}]"]
    return Made(secret, "\n".join([*lines, f"expires = {expires}"] if expires else lines) + "\n")


def digest(secret: str) -> str:
    """What of a token is kept."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def read_tokens(path: Path) -> tuple[Token, ...]:
    """The entries of a file; TokensError says what to mend, and never shows what is written there."""
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TokensError(f"{path} cannot be read ({error.strerror})") from None
    except ValueError:
        raise TokensError(f"{path} is no TOML: add entries as `ent token` prints them") from None
    try:
        return tuple(_File.model_validate(told).token)
    except ValidationError as error:
        raise TokensError(f"{path}: {_told(error)}") from None


def _told(error: ValidationError) -> str:
    details = error.errors(include_input=False, include_url=False)
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in details)


class Tokens:
    """The tokens in force, read again when their file has changed."""

    def __init__(self, path: Path) -> None:
        """Raises TokensError where the file cannot be used."""
        self._path = path
        self._stamp = self._stamped()
        self._tokens = read_tokens(path)

    def refresh(self) -> bool:
        """Read the file again if it has changed; whether it had. TokensError keeps the entries of before."""
        stamp = self._stamped()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        self._tokens = read_tokens(self._path)
        return True

    def find(self, secret: str, now: datetime | None = None) -> Token | None:
        """The valid entry of a token, or None. Every entry is compared, in a time that does not depend on where."""
        wanted = digest(secret)
        moment = now or datetime.now(UTC)
        found = None
        for token in self._tokens:
            if hmac.compare_digest(token.sha256, wanted) and token.is_valid_at(moment):
                found = token
        return found

    @property
    def platforms(self) -> frozenset[str]:
        """Who has a token."""
        return frozenset(token.platform for token in self._tokens)

    def _stamped(self) -> tuple[int, int, int]:
        try:
            found = self._path.stat()
        except OSError as error:
            raise TokensError(f"{self._path} cannot be read ({error.strerror})") from None
        return found.st_mtime_ns, found.st_size, found.st_ino
