"""Which key an event's ids get: that of the school year in which it happened."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from schemas.keyring import Keyring, MalformedKeysError, MissingKeyError, end_of_school_year, school_year
from schemas.pseudonym import Key, Pseudonyms, WeakKeyError

SECRETS = {year: f"the secret of the school year {year} 0123456789" for year in (2025, 2026)}
KEYS = {year: Key(SecretStr(secret)) for year, secret in SECRETS.items()}
RING = Keyring(KEYS)
LAST = datetime(2026, 7, 31, 21, 59, 59, tzinfo=UTC)
FIRST = datetime(2026, 7, 31, 22, 0, 0, tzinfo=UTC)
"""The last second of a school year and the first of the next one, by the clocks of Paris."""


def column(values: list[datetime]) -> pl.Series:
    return pl.Series("time", values, dtype=pl.Datetime("us", "UTC"))


def test_the_year_turns_on_1_august_in_paris() -> None:
    assert [school_year(at) for at in (LAST, FIRST)] == [2025, 2026]
    assert end_of_school_year(2025) == FIRST


def test_an_event_of_july_that_arrives_in_august_is_of_july() -> None:
    """The time of the event decides, row by row; the same person is another one in each year."""
    ids = pl.Series("user", ["anna", "anna", None, "bruno"])
    numbers = RING.keys_at(ids, column([LAST, FIRST, FIRST, LAST])).to_list()
    old, new = Pseudonyms(KEYS[2025]), Pseudonyms(KEYS[2026])
    assert numbers == [old.number("anna"), new.number("anna"), 0, old.number("bruno")]
    assert RING.texts_at(ids, column([LAST, FIRST, FIRST, LAST])).to_list() == [
        old.text("anna"), new.text("anna"), None, old.text("bruno"),
    ]  # fmt: skip


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["anna", "bruno", None]),
            st.datetimes(datetime(2025, 9, 1), datetime(2027, 7, 1), timezones=st.just(UTC)),
        ),
        max_size=20,
    )
)
def test_columns_and_single_values_agree(rows: list[tuple[str | None, datetime]]) -> None:
    """Whatever mixture of years comes in a batch, an empty one included."""
    ids = pl.Series("user", [name for name, _ in rows], dtype=pl.String)
    expected = [0 if name is None else RING.of(at).number(name) for name, at in rows]
    assert RING.keys_at(ids, column([at for _, at in rows])).to_list() == expected


def test_where_a_key_was_destroyed_nobody_can_be_told_any_more() -> None:
    """Events of that year still count; for a digest the first key that is left does."""
    ring = Keyring({2026: KEYS[2026]})
    ids = pl.Series("user", ["anna", "anna"])
    assert ring.keys_at(ids, column([LAST, FIRST])).to_list() == [0, Pseudonyms(KEYS[2026]).number("anna")]
    assert ring.texts_at(ids, column([LAST, FIRST]))[0] is None
    assert ring.of(LAST).key is KEYS[2026]


def test_a_key_that_was_forgotten_stops_the_work() -> None:
    """Of a year that has begun without a key: nothing is stored as nobody, and the message says what to add."""
    ring = Keyring({2025: KEYS[2025]})
    with pytest.raises(MissingKeyError, match="2026-2027: secret"):
        ring.keys_at(pl.Series(["anna"]), column([FIRST]))


def test_one_secret_gives_every_year_a_key_of_its_own() -> None:
    ring = Keyring.read(SecretStr(SECRETS[2025]))
    assert ring.of(LAST).number("anna") != ring.of(FIRST).number("anna")
    assert ring.of(FIRST).number("anna") == Keyring(Key(SecretStr(SECRETS[2025]))).of(FIRST).number("anna")
    assert list(ring.years(LAST, FIRST)) == [2025, 2026]
    assert ring.years(LAST, FIRST)[2025].number("anna") == ring.of(LAST).number("anna")  # fmt: skip


def test_lines_give_each_year_its_key() -> None:
    secrets = {year: secret.replace(" ", "-") for year, secret in SECRETS.items()}
    ring = Keyring.read(SecretStr("\n".join(f"{year}-{year + 1}: {secret}" for year, secret in secrets.items())))
    for at, year in ((LAST, 2025), (FIRST, 2026)):
        assert ring.of(at).key.fingerprint == Key(SecretStr(secrets[year])).fingerprint


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("2026-2027: too-short", WeakKeyError),
        (f"2026-2028: {'0123456789abcdef' * 2}xyz", MalformedKeysError),
        (f"2026-2027: {'0123456789abcdef' * 2}xyz\nand another line", MalformedKeysError),
        (f"2026-2027: {'0123456789abcdef' * 2}xyz\n2026-2027: {'fedcba9876543210' * 2}xyz", MalformedKeysError),
    ],
)
def test_lines_that_are_none_are_refused_and_not_shown(text: str, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        Keyring.read(SecretStr(text))
    assert not any(len(word) > 12 and word in str(caught.value) for word in text.split())
    assert repr(RING) == "Keyring([2025, 2026])"
