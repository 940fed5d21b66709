"""The keys of school years against the calendar: is there one for today, and one for after the next 1 August?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import structlog

from schemas.keyring import Keyring, MissingKeyError
from streams.settings import SettingsError

AHEAD: Final = timedelta(days=60)
"""How long before 1 August the next year's key is asked for."""
_log = structlog.get_logger(__name__)


def require_keys(keyring: Keyring, now: datetime) -> None:
    """Raise SettingsError where the school year of `now` has no key; warn where the next one will have none."""
    try:
        keyring.of(now)
    except MissingKeyError as missing:
        raise SettingsError(str(missing)) from None
    advice = missing_next_key(keyring, now)
    if advice:
        _log.warning("pseudonym_key_missing_soon", advice=advice)


def missing_next_key(keyring: Keyring, now: datetime) -> str | None:
    """What to do where the key of the school year that begins soon is not there yet; None where nothing is to do."""
    try:
        keyring.of(now + AHEAD)
    except MissingKeyError as missing:
        return f"{missing}, or the worker stops on 1 August"
    return None
