"""When a platform is read, and from where.

A platform tells of some events a day late, and in bulk: each reading goes back a little behind the last one; every
hour, and after every start, the whole lateness is swept again. What was sent already is not sent again, as far as this
process remembers; of what is sent twice the database counts one.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final, Protocol

from streams.bridge.feed import Feed
from streams.bridge.settings import BridgeSettings, first_moment
from streams.collector.admission import Admitter, Outgoing
from streams.collector.bodies import Records

_REMEMBERED: Final = 5_000_000
"""Documents, at 100 bytes each: some days of a large platform."""
_MS: Final = timedelta(milliseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Positions(Protocol):
    """Where positions are kept."""

    def read(self, bridge: str) -> datetime | None:
        """Up to when the platform has been read; None where it never was."""

    def record(self, bridge: str, read_through: datetime) -> None:
        """Note it."""


@dataclass
class Reading:
    """What one reading came to."""

    read_through: datetime
    sent: int = 0
    known: int = 0
    """Documents that were sent before."""
    ignored: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """By reason. The documents stay at the platform; nothing of them is kept here."""


class Poller:
    """Reads one platform into Kafka."""

    def __init__(
        self,
        settings: BridgeSettings,
        feed: Feed,
        admitter: Admitter,
        send: Callable[[Sequence[Outgoing]], Awaitable[None]],
        positions: Positions,
    ) -> None:
        """`send` returns when Kafka has confirmed."""
        self._settings = settings
        self._feed = feed
        self._admitter = admitter
        self._send = send
        self._positions = positions
        self._swept_at: datetime | None = None
        self._sent: OrderedDict[bytes, None] = OrderedDict()

    async def read(self, now: datetime) -> Reading:
        """Read what is new at `now`, the whole lateness if it is time for it.

        The position is noted after each page, when Kafka has it; a failure loses nothing but the rest of the reading.
        """
        settings = self._settings
        known = self._positions.read(settings.platform)
        lateness, overlap = timedelta(seconds=settings.lateness_s), timedelta(seconds=settings.overlap_s)
        at = first_moment(settings, known) or now - lateness
        sweeping = self._is_time_to_sweep(now)
        if known is not None:
            at -= lateness if sweeping else overlap
        reading = Reading(read_through=known or at)
        while at < now:
            end = min(at + timedelta(seconds=settings.window_s), now)
            async for page in self._feed.pages(_ms(at), _ms(end)):
                await self._take(page.documents, now, reading)
                through = _EPOCH + page.through_ms * _MS
                if through > reading.read_through:
                    self._positions.record(settings.platform, through)
                    reading.read_through = through
            at = end
        if sweeping:
            self._swept_at = now
        return reading

    def _is_time_to_sweep(self, now: datetime) -> bool:
        return self._swept_at is None or (now - self._swept_at).total_seconds() >= self._settings.sweep_interval_s

    async def _take(self, documents: Sequence[bytes], now: datetime, reading: Reading) -> None:
        named = {blake2b(document, digest_size=16).digest(): document for document in documents}
        new = {name: document for name, document in named.items() if name not in self._sent}
        reading.known += len(documents) - len(new)
        admission = self._admitter.admit(Records(list(new.values())), None, now)
        await self._send(admission.events)
        reading.sent += len(admission.events)
        reading.ignored += len(admission.ignored)
        reading.refused.update(one.reason for one in admission.refused)
        self._sent.update(dict.fromkeys(new))
        while len(self._sent) > _REMEMBERED:
            self._sent.popitem(last=False)


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // _MS
