"""Pseudonyms of people, and the identity of events.

A pseudonym is an HMAC-SHA256 under a secret that lives outside the database, one per school year. As text it is
`hmac:`, eight hex digits that name the key, and the first 128 bits of the MAC; in storage it is the first 64 bits as an
integer, 0 being nobody. Text in that form under our own key stays as it is: the collector has been there before us.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime

import polars as pl
from pydantic import SecretStr

MIN_SECRET_BYTES = 32
MIN_DISTINCT_BYTES = 8
_BLOCK_BYTES = 64
_PREFIX = "hmac:"
_MAC_BYTES = 16


class WeakKeyError(ValueError):
    """The secret is too short or too regular to protect anyone."""


class Key:
    """A secret for keyed hashes. It never shows itself: not in `repr`, not in errors, not in pickles."""

    __slots__ = ("_inner", "_outer", "fingerprint")

    fingerprint: str
    """Eight hex digits that tell keys apart and say nothing of the secret."""

    def __init__(self, secret: SecretStr | bytes) -> None:
        """Prepare the two halves of the HMAC once.

        Raises:
            WeakKeyError: under 32 bytes, fewer than 8 different bytes, or a short piece repeated.
        """
        raw = secret.get_secret_value().encode() if isinstance(secret, SecretStr) else bytes(secret)
        _refuse_weak(raw)
        block = (hashlib.sha256(raw).digest() if len(raw) > _BLOCK_BYTES else raw).ljust(_BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))
        self.fingerprint = self.mac(b"ent: fingerprint of this key").hex()[:8]

    def mac(self, message: bytes) -> bytes:
        """HMAC-SHA256 (RFC 2104), 32 bytes, from the two prepared copies."""
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()

    def macs(self, messages: Iterable[bytes]) -> list[bytes]:
        """`mac` of many messages: 0.6 µs each."""
        copy_inner, copy_outer = self._inner.copy, self._outer.copy
        made: list[bytes] = []
        for message in messages:
            inner, outer = copy_inner(), copy_outer()
            inner.update(message)
            outer.update(inner.digest())
            made.append(outer.digest())
        return made

    def __repr__(self) -> str:
        return f"Key({self.fingerprint})"

    def __reduce__(self) -> str:
        raise TypeError("a key is not copied out of its process: make it again from its secret")


def _refuse_weak(raw: bytes) -> None:
    advice = "make one with: python -c 'import secrets; print(secrets.token_hex(32))'"
    if len(raw) < MIN_SECRET_BYTES:
        raise WeakKeyError(f"the key has {len(raw)} bytes, at least {MIN_SECRET_BYTES} are needed; {advice}")
    if len(set(raw)) < MIN_DISTINCT_BYTES or (raw + raw).find(raw, 1) <= len(raw) // 2:
        raise WeakKeyError(f"the key repeats itself; {advice}")


class Pseudonyms:
    """The pseudonyms under one key."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self._prefix = _PREFIX + key.fingerprint
        self._ours = re.compile(rf"{self._prefix}[0-9a-f]{{{2 * _MAC_BYTES}}}")

    def of(self, _at: datetime) -> Pseudonyms:
        """These: one key for every year. `schemas.keyring` has one for each."""
        return self

    def keys_at(self, raw: pl.Series, _times: pl.Series) -> pl.Series:
        """`keys`, whenever it was."""
        return self.keys(raw)

    def texts_at(self, raw: pl.Series, _times: pl.Series) -> pl.Series:
        """`texts`, whenever it was."""
        return self.texts(raw)

    def text(self, raw: str) -> str:
        """`hmac:` + fingerprint + 32 hex digits; what is in that form under this key already is returned as it is."""
        if self.is_ours(raw):
            return raw
        return self._prefix + self.key.mac(raw.encode()).hex()[: 2 * _MAC_BYTES]

    def number(self, raw: str) -> int:
        """The first eight bytes of the MAC, little endian; never 0, which stands for nobody."""
        mac = bytes.fromhex(raw[len(self._prefix) :]) if self.is_ours(raw) else self.key.mac(raw.encode())
        return int.from_bytes(mac[:8], "little") or 1

    def is_ours(self, raw: str) -> bool:
        """Whether a text is a pseudonym under this key already."""
        return raw.startswith(self._prefix) and self._ours.fullmatch(raw) is not None

    def digest(self, payload: bytes) -> str:
        """HMAC-SHA256 of any bytes, 64 hex digits: names a payload without letting a short one be guessed."""
        return self.key.mac(payload).hex()

    def texts(self, raw: pl.Series) -> pl.Series:
        """`text` over a column of strings; null stays null. One MAC per distinct value."""
        ours = pl.col("raw").str.contains(f"^{self._ours.pattern}$")
        mac = pl.col("mac").bin.slice(0, _MAC_BYTES).bin.encode("hex")
        return self._by_distinct(raw, pl.when(ours).then("raw").otherwise(self._prefix + mac))

    def keys(self, raw: pl.Series) -> pl.Series:
        """`number` over a column of strings, as UInt64; null becomes 0, nobody. One MAC per distinct value."""
        ours = pl.col("raw").str.contains(f"^{self._ours.pattern}$")
        told = pl.col("raw").str.slice(len(self._prefix)).str.decode("hex", strict=False)
        mac = pl.when(ours).then(told).otherwise("mac").bin.slice(0, 8)
        number = mac.bin.reinterpret(dtype=pl.UInt64, endianness="little").replace(0, 1)
        return self._by_distinct(raw, number).fill_null(0)

    def _by_distinct(self, raw: pl.Series, made: pl.Expr) -> pl.Series:
        """An expression over `raw` and its `mac`, asked once per distinct value."""
        distinct = raw.drop_nulls().unique().cast(pl.String).alias("raw")
        macs = pl.Series("mac", self.key.macs(value.encode() for value in distinct.to_list()), pl.Binary)
        table = pl.DataFrame([distinct, macs]).select("raw", made.alias("made"))
        rows = pl.DataFrame({"raw": raw.cast(pl.String)})
        return rows.join(table, on="raw", how="left", maintain_order="left")["made"].alias(raw.name)


def event_id(source: str, identifier: str) -> bytes:
    """`event_ids` of one event."""
    message = f"{len(source.encode())}:{source}{identifier}".encode()
    return hashlib.blake2b(message, digest_size=16).digest()


def event_ids(source: pl.Series, identifier: pl.Series) -> pl.Series:
    """What an event is for ever: BLAKE2b-128 (RFC 7693) over the source's length, the source and its id.

    Two strings without nulls -> Binary of 16 bytes. Unkeyed, so that it survives every change of keys; both parts are
    the producer's and name no person.
    """
    lengths = source.str.len_bytes().cast(pl.String)
    messages = (lengths + ":" + source + identifier).to_list()
    blake2b = hashlib.blake2b
    digests = [blake2b(message.encode(), digest_size=16).digest() for message in messages]
    return pl.Series("event_id", digests, pl.Binary)
