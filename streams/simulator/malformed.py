"""Records that no platform should send, each with the reason for which it must be refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from schemas.reason import Reason


@dataclass(frozen=True)
class Base:
    """What a malformed record is made of: a good one's values."""

    identifier: bytes
    time: bytes
    """RFC 3339."""
    moment_ms: int
    uai: bytes
    user: bytes


@dataclass(frozen=True)
class Variety:
    """A way to be malformed; never with a raw line break, so that a file of lines can hold it."""

    name: str
    reason: Reason
    make: Callable[[Base], bytes]


def _event(
    base: Base,
    data: bytes = b"",
    *,
    identifier: bytes | None = None,
    kind: bytes = b"fr.ent.login.v1",
    time: bytes | None = None,
    profile: bytes = b'"parent"',
    uai: bytes | None = None,
) -> bytes:
    """A login whose parts may be replaced by any JSON."""
    return (
        b'{"specversion":"1.0",%b"source":"urn:ent:beneylu","type":"%b","time":%b,"data":{"uai":%b,"profile":%b%b}}'
        % (
            b'"id":"%b",' % base.identifier if identifier is None else identifier,
            kind,
            time or b'"%b"' % base.time,
            uai or b'["%b"]' % base.uai,
            profile,
            data or b',"user":"%b"' % base.user,
        )
    )


def _document(base: Base, *, date: bytes, structures: bytes = b',"structures":["str-0001"]') -> bytes:
    """A login of entcore's."""
    return b'{"event-type":"LOGIN","module":"Auth","date":%b,"userId":"%b","profil":"Relative"%b}' % (
        date,
        base.user,
        structures,
    )


VARIETIES: Final = (
    Variety("cut off", Reason.BAD_JSON, lambda base: _event(base)[:-40]),
    Variety("no JSON", Reason.BAD_JSON, lambda base: b"<login user='%b'/>" % base.user),
    Variety("not UTF-8", Reason.BAD_JSON, lambda base: _event(base, b',"user":"\xff\xfe%b"' % base.user)),
    Variety("zero bytes", Reason.BAD_JSON, lambda _: bytes(64)),
    Variety("deeply nested", Reason.BAD_JSON, lambda base: _event(base, b',"x":' + b"[" * 300 + b"]" * 300)),
    Variety("huge number", Reason.BAD_JSON, lambda base: _event(base, b',"x":' + b"9" * 5000)),
    Variety("another document", Reason.UNKNOWN_FORMAT, lambda base: b'{"utilisateur":"%b"}' % base.user),
    Variety("a list", Reason.UNKNOWN_FORMAT, lambda base: b'["%b"]' % base.user),
    Variety("another type", Reason.UNKNOWN_FORMAT, lambda base: _event(base, kind=b"fr.ent.logout.v1")),
    Variety("no id", Reason.MISSING_FIELD, lambda base: _event(base, identifier=b"")),
    Variety("no school", Reason.MISSING_FIELD, lambda base: _event(base, uai=b"[]")),
    Variety(
        "no structure", Reason.MISSING_FIELD, lambda base: _document(base, date=b"%d" % base.moment_ms, structures=b"")
    ),
    Variety("uai as text", Reason.BAD_TYPE, lambda base: _event(base, uai=b'"%b"' % base.uai)),
    Variety("time as number", Reason.BAD_TYPE, lambda base: _event(base, time=b"%d" % base.moment_ms)),
    Variety("time without zone", Reason.BAD_TYPE, lambda base: _event(base, time=b'"%b"' % base.time[:-1])),
    Variety("date as text", Reason.BAD_TYPE, lambda base: _document(base, date=b'"%b"' % base.time)),
    Variety("another profile", Reason.BAD_VALUE, lambda base: _event(base, profile=b'"directeur"')),
    Variety("NUL in a label", Reason.BAD_VALUE, lambda base: _event(base, b',"classes":["CP\\u0000A"]')),
    Variety("a long text", Reason.BAD_VALUE, lambda base: _event(base, b',"user":"' + b"u" * 65_536 + b'"')),
    Variety("short UAI", Reason.BAD_UAI_FORMAT, lambda base: _event(base, uai=b'["%b"]' % base.uai[1:])),
    Variety(
        "seconds",
        Reason.SECONDS_FOR_MILLISECONDS,
        lambda base: _document(base, date=b"%d" % (base.moment_ms // 1000)),
    ),
    Variety("far future", Reason.FUTURE, lambda base: _event(base, time=b'"2098-01-01T00:00:00Z"')),
    Variety("long ago", Reason.TOO_OLD, lambda base: _event(base, time=b'"2016-01-01T00:00:00Z"')),
)
"""In the order of the numbers that stand for them."""
