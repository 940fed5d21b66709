"""A record as it is handed to a producer."""

from __future__ import annotations

from typing import NamedTuple


class Record(NamedTuple):
    """One record of Kafka."""

    topic: str
    key: bytes
    value: bytes | None
    """None: a tombstone."""
    headers: tuple[tuple[str, bytes], ...] | None
    timestamp_ms: int
    """When it arrives, in milliseconds since 1970 UTC."""
    partition_hint: int | None
    """The partition it goes to whatever its key; None: that of its key."""
