"""Pseudonyms: keyed, stable, recognisable as ours, and made by a key that does not show itself."""

from __future__ import annotations

import hashlib
import hmac
import pickle

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from schemas.pseudonym import Key, Pseudonyms, WeakKeyError, event_ids

SECRET = bytes(range(7, 47))
KEY = Key(SECRET)
OURS = Pseudonyms(KEY)
THEIRS = Pseudonyms(Key(bytes(range(8, 48))))
TEXTS = st.text(min_size=1, max_size=140)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_a_mac_is_hmac_sha256(message: bytes) -> None:
    """As the standard library computes it, for short keys and for keys longer than a block."""
    for secret in (SECRET, SECRET * 2 + b"odd"):
        assert Key(secret).mac(message) == hmac.digest(secret, message, "sha256")
        assert Key(secret).macs([message, b""]) == [Key(secret).mac(message), Key(secret).mac(b"")]


@settings(deadline=None)
@given(st.lists(st.none() | TEXTS, max_size=20))
def test_a_pseudonym_of_a_pseudonym_is_itself(raw: list[str | None]) -> None:
    """Text and number of what the collector pseudonymised are those of the raw id."""
    series = pl.Series("user", raw, pl.String)
    texts = OURS.texts(series)
    assert OURS.texts(texts).equals(texts)
    assert OURS.keys(texts).equals(OURS.keys(series))


@settings(deadline=None)
@given(st.lists(st.none() | TEXTS, max_size=20))
def test_a_column_is_its_values_one_by_one(raw: list[str | None]) -> None:
    """Null stays null as text and is nobody, 0, as a number."""
    ours = [OURS.text(one) if one else one for one in raw]
    series = pl.Series("user", [*raw, *ours], pl.String)
    assert OURS.texts(series).to_list() == [None if one is None else OURS.text(one) for one in series]
    assert OURS.keys(series).to_list() == [0 if one is None else OURS.number(one) for one in series]
    assert OURS.keys(series).dtype == pl.UInt64
    assert OURS.texts(series).name == "user"


@pytest.mark.parametrize(
    "text",
    [
        THEIRS.text("u-1"),
        "hmac:" + "0" * 40,
        OURS.text("u-1").upper(),
        OURS.text("u-1") + "0",
        OURS.text("u-1") + "\n",
        " " + OURS.text("u-1"),
        "hmac:",
    ],
)
def test_what_is_not_exactly_ours_is_keyed_like_any_id(text: str) -> None:
    """Nobody can choose the pseudonym under which he is stored."""
    keyed = f"hmac:{KEY.fingerprint}{KEY.mac(text.encode()).hex()[:32]}"
    assert OURS.text(text) == keyed
    assert OURS.texts(pl.Series([text])).to_list() == [keyed]
    assert OURS.keys(pl.Series([text])).to_list() == [int.from_bytes(KEY.mac(text.encode())[:8], "little")]


def test_nobody_is_not_somebody() -> None:
    """0 stands for no user, so a MAC that begins with eight zero bytes becomes 1."""
    zero = f"hmac:{KEY.fingerprint}{'0' * 32}"
    assert OURS.number(zero) == 1
    assert OURS.keys(pl.Series([zero, None])).to_list() == [1, 0]


def test_another_key_makes_other_pseudonyms() -> None:
    """And says so in its fingerprint."""
    assert OURS.text("u-1") != THEIRS.text("u-1")
    assert OURS.text("u-1")[5:13] == KEY.fingerprint != THEIRS.key.fingerprint


def test_a_digest_is_keyed() -> None:
    """A short payload cannot be found by trying."""
    assert OURS.digest(b"{}") != hashlib.sha256(b"{}").hexdigest()
    assert OURS.digest(b"{}") != THEIRS.digest(b"{}")
    assert len(OURS.digest(b"")) == 64


@pytest.mark.parametrize(
    "secret",
    [b"", b"short", bytes(range(31)), b"a" * 64, b"ab" * 32, b"changeme" * 4, b"0123456789abcdef" * 2, b"\0" * 40],
)
def test_a_weak_key_is_refused(secret: bytes) -> None:
    """Too short, too few different bytes, a piece repeated; the error tells how to make one and not the secret."""
    with pytest.raises(WeakKeyError, match="make one with") as caught:
        Key(secret)
    with pytest.raises(WeakKeyError):
        Key(SecretStr(secret.decode("latin-1")))
    assert not secret or repr(secret)[2:-1] not in str(caught.value)


def test_a_key_does_not_show_itself() -> None:
    """Neither when printed nor when copied out of the process."""
    secret = "7d1f0a9c5e3b8d2646c1e0f9b7a35d8812ff00aa"
    key = Key(SecretStr(secret))
    assert key.fingerprint in repr(key)
    assert secret not in repr(key) + str(key) + repr(Pseudonyms(key))
    assert secret[:8] != key.fingerprint
    with pytest.raises(TypeError, match="make it again"):
        pickle.dumps(key)
    assert not hasattr(key, "__dict__")


def test_an_events_identity_is_that_of_source_and_id() -> None:
    """Stable for ever: BLAKE2b-128, the source's length before both, so that no two pairs run together."""
    sources = pl.Series(["urn:x", "urn:x", "urn:", "é"])
    ids = pl.Series(["1a", "1b", "x1a", "1"])
    made = event_ids(sources, ids)
    assert made.dtype == pl.Binary
    assert made.to_list() == [
        hashlib.blake2b(text.encode(), digest_size=16).digest()
        for text in ("5:urn:x1a", "5:urn:x1b", "4:urn:x1a", "2:é1")
    ]
    assert made[0].hex() == "f1d59b00e9deacff28ea408f4ed70208"
    assert made.n_unique() == 4


@settings(deadline=None)
@given(st.tuples(TEXTS, TEXTS), st.tuples(TEXTS, TEXTS))
def test_different_events_have_different_identities(one: tuple[str, str], two: tuple[str, str]) -> None:
    """However source and id are cut."""
    pair = event_ids(pl.Series([one[0], two[0]]), pl.Series([one[1], two[1]]))
    assert (pair[0] == pair[1]) == (one == two)
