"""Tokens: kept as hashes, several at once, found in a time that says nothing of them."""

from __future__ import annotations

import hmac
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from streams.collector.tokens import Tokens, TokensError, digest, make_token, read_tokens

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


def test_a_made_token_is_found_and_not_written(tmp_path: Path) -> None:
    """The file holds the hash; the secret has 256 bits and is nowhere in it."""
    made = make_token("one", ["0689901T"], date(2027, 8, 1))
    file = tmp_path / "tokens.toml"
    file.write_text(made.entry)
    assert made.secret not in made.entry
    assert len(made.secret) >= 43
    token = Tokens(file).find(made.secret, NOW)
    assert token is not None
    assert (token.platform, token.expires) == ("one", date(2027, 8, 1))
    assert token.scope == frozenset({"0689901T"})
    for wrong in (made.secret[:-1], made.secret + "x", "", digest(made.secret), "\udcff", "é"):
        assert Tokens(file).find(wrong, NOW) is None


def test_two_tokens_of_a_platform_are_valid_at_once(tmp_path: Path) -> None:
    """A platform changes over while both are in the file; the old one ends when it is taken out."""
    old, new = make_token("one", ["*"], None), make_token("one", ["*"], None)
    file = tmp_path / "tokens.toml"
    file.write_text(old.entry)
    tokens = Tokens(file)
    file.write_text(old.entry + new.entry)
    assert tokens.refresh()
    assert tokens.find(old.secret, NOW)
    assert tokens.find(new.secret, NOW)
    assert not tokens.refresh()
    file.write_text(new.entry)
    assert tokens.refresh()
    assert tokens.find(old.secret, NOW) is None
    assert tokens.find(new.secret, NOW)


def test_a_token_expires_at_midnight_in_paris(tmp_path: Path) -> None:
    """Its last day is the one before `expires`."""
    made = make_token("one", ["*"], date(2026, 11, 20))
    file = tmp_path / "tokens.toml"
    file.write_text(made.entry)
    tokens = Tokens(file)
    assert tokens.find(made.secret, datetime(2026, 11, 19, 22, 59, tzinfo=UTC))
    assert tokens.find(made.secret, datetime(2026, 11, 19, 23, 0, tzinfo=UTC)) is None


def test_every_entry_is_compared_whichever_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first, the last and no entry cost the same comparisons, each in constant time: time tells nothing."""
    made = [make_token(f"p{number}", ["*"], None) for number in range(5)]
    file = tmp_path / "tokens.toml"
    file.write_text("".join(one.entry for one in made))
    tokens = Tokens(file)
    compared: list[int] = []
    compare = hmac.compare_digest

    def noted(a: str, b: str) -> bool:
        compared.append(len(a))
        return compare(a, b)

    monkeypatch.setattr(hmac, "compare_digest", noted)
    for secret in (made[0].secret, made[4].secret, "wrong", "x" * 100_000):
        compared.clear()
        tokens.find(secret, NOW)
        assert compared == [64] * 5


@pytest.mark.parametrize(
    "text",
    [
        "",
        "token = 1",
        "[[token]]\nplatform = 'one'\n",
        "[[token]]\nplatform = 'one'\nsha256 = 's3cret-in-clear'\nschools = ['*']",
        f"[[token]]\nplatform = 'One two'\nsha256 = '{'0' * 64}'\nschools = ['*']",
        f"[[token]]\nplatform = 'one'\nsha256 = '{'0' * 64}'\nschools = []",
        f"[[token]]\nplatform = 'one'\nsha256 = '{'0' * 64}'\nschools = ['*']\nsecret = 's3cret-in-clear'",
        "s3cret-in-clear",
    ],
)
def test_a_wrong_file_is_refused_without_showing_it(text: str, tmp_path: Path) -> None:
    """A token that someone pasted by mistake does not end up in the logs."""
    file = tmp_path / "tokens.toml"
    file.write_text(text)
    with pytest.raises(TokensError) as caught:
        read_tokens(file)
    assert "s3cret" not in str(caught.value)


def test_a_file_that_becomes_wrong_leaves_the_old_entries(tmp_path: Path) -> None:
    """An editor's slip does not lock every platform out."""
    made = make_token("one", ["*"], None)
    file = tmp_path / "tokens.toml"
    file.write_text(made.entry)
    tokens = Tokens(file)
    file.write_text("[[token")
    with pytest.raises(TokensError):
        tokens.refresh()
    assert tokens.find(made.secret, NOW)
    file.unlink()
    with pytest.raises(TokensError, match="cannot be read"):
        tokens.refresh()


def test_a_wrong_entry_is_not_made() -> None:
    """The label of a platform becomes a label of metrics."""
    with pytest.raises(TokensError, match="platform"):
        make_token("École", ["*"], None)
    with pytest.raises(TokensError, match="schools"):
        make_token("one", [], None)
