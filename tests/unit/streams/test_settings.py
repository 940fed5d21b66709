"""Settings: what is missing or wrong is said with the variable to set, and secrets are never shown."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from schemas.keyring import Keyring
from schemas.pseudonym import Key
from streams.school_keys import missing_next_key, require_keys
from streams.settings import SettingsError, read_keys, read_settings

SECRET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEF"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    import os

    for name in list(os.environ):
        if name.startswith("ENT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("ENT_KAFKA__BOOTSTRAP", "kafka:9092")
    return monkeypatch


def test_the_smallest_environment_is_enough(environment: pytest.MonkeyPatch) -> None:
    settings = read_settings()
    assert settings.kafka.bootstrap == "kafka:9092"
    assert settings.database.database == "ent"


def test_a_missing_variable_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("ENT_KAFKA__BOOTSTRAP")
    with pytest.raises(SettingsError, match="ENT_KAFKA"):
        read_settings()


def test_a_wrong_value_is_named_without_the_value(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ENT_DATABASE__PORT", "s3cret-typed-here")
    with pytest.raises(SettingsError) as caught:
        read_settings()
    assert "ENT_DATABASE__PORT" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_without_a_key_nothing_starts(environment: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="ENT_PSEUDONYM_KEY is not set"):
        read_settings().keyring()


@pytest.mark.parametrize("weak", ["short", "a" * 64, "", "2026-2027: short", f"2026-2028: {SECRET}"])
def test_a_weak_key_is_refused_and_not_shown(environment: pytest.MonkeyPatch, weak: str) -> None:
    environment.setenv("ENT_PSEUDONYM_KEY", weak)
    with pytest.raises(SettingsError, match="ENT_PSEUDONYM_KEY") as caught:
        read_settings().keyring()
    assert not weak or weak not in str(caught.value)


def test_a_key_comes_from_a_variable_or_a_file(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setenv("ENT_PSEUDONYM_KEY", SECRET)
    file = tmp_path / "key"
    file.write_text(SECRET + "\n")
    environment.setenv("ENT_EVENT_ID_KEY_FILE", str(file))
    settings = read_settings()
    assert settings.key("pseudonym_key").fingerprint == settings.key("event_id_key").fingerprint
    assert SECRET not in repr(settings)


def test_keys_of_school_years_are_never_taken_for_one_key(environment: pytest.MonkeyPatch) -> None:
    """Whoever asks for one key is told, and not given the hash of the lines."""
    environment.setenv("ENT_PSEUDONYM_KEY", f"2026-2027: {SECRET}")
    with pytest.raises(SettingsError, match="each school year"):
        read_settings().key("pseudonym_key")
    assert (
        read_settings().keyring().of(datetime(2026, 9, 1, tzinfo=UTC)).key.fingerprint
        == Key(SecretStr(SECRET)).fingerprint
    )


def test_a_worker_needs_the_key_of_today_and_hears_of_the_next(environment: pytest.MonkeyPatch) -> None:
    """By the calendar: it does not start in a year without a key, and is told in June that August comes."""
    keyring = Keyring({2026: Key(SecretStr(SECRET))})
    with pytest.raises(SettingsError, match="2027-2028"):
        require_keys(keyring, datetime(2027, 8, 1, tzinfo=UTC))
    require_keys(keyring, datetime(2027, 7, 31, tzinfo=UTC))
    assert missing_next_key(keyring, datetime(2027, 3, 1, tzinfo=UTC)) is None
    assert "2027-2028" in (missing_next_key(keyring, datetime(2027, 6, 15, tzinfo=UTC)) or "")


def test_a_key_given_twice_is_refused(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setenv("ENT_PSEUDONYM_KEY", SECRET)
    environment.setenv("ENT_PSEUDONYM_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(SettingsError, match="not both"):
        read_settings()


def test_a_file_that_cannot_be_read_is_named(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setenv("ENT_PSEUDONYM_KEY_FILE", str(tmp_path / "absent"))
    with pytest.raises(SettingsError, match="absent"):
        read_settings().key("pseudonym_key")


def test_a_trial_needs_no_keys(environment: pytest.MonkeyPatch) -> None:
    assert read_keys() == (None, None)
