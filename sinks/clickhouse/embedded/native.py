"""The one answer that is encoded by hand: how clickhouse-go learns the revision it then decodes with.

clickhouse-go (and with it Grafana's data source) asks for name, version, revision and time zone first, and reads every
later block of the Native format as of that revision. The engine writes blocks of revision 0, without block
information, so this first block is written as the client expects it and says that the revision is 0.
"""

import re
import struct

HELLO = re.compile(r"\s*SELECT\s+displayName\(\),\s*version\(\),\s*revision\(\),\s*timezone\(\)\s*;?\s*", re.IGNORECASE)

_BLOCK_INFO_SINCE = 1
_CUSTOM_SERIALIZATION_SINCE = 54454


def hello_block(display_name: str, version: str, timezone: str, client_revision: int) -> bytes:
    """One Native block of four columns and one row, in the form that `client_revision` reads."""
    info = b""
    if client_revision >= _BLOCK_INFO_SINCE:
        info = _varint(1) + b"\0" + _varint(2) + struct.pack("<i", -1) + _varint(0)
    custom = b"\0" if client_revision >= _CUSTOM_SERIALIZATION_SINCE else b""
    columns = [
        ("displayName()", "String", _text(display_name)),
        ("version()", "String", _text(version)),
        ("revision()", "UInt32", struct.pack("<I", 0)),
        ("timezone()", "String", _text(timezone)),
    ]
    body = b"".join(_text(name) + _text(kind) + custom + value for name, kind, value in columns)
    return info + _varint(len(columns)) + _varint(1) + body


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _text(value: str) -> bytes:
    raw = value.encode()
    return _varint(len(raw)) + raw
