"""A short name for counts in windows: equal for equal counts, whoever counted."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

Window = tuple[int, str, str]
"""Start of the minute (seconds since 1970 UTC), school, application."""


def digest(windows: Mapping[Window, int]) -> str:
    """16 hex digits."""
    made = hashlib.sha256()
    for minute, uai, app in sorted(windows):
        made.update(f"{minute}|{uai}|{app}|{windows[minute, uai, app]}\n".encode())
    return made.hexdigest()[:16]
