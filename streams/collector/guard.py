"""Connections that waste our time: slow heads, and too many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from weakref import WeakKeyDictionary


class Guard:
    """Counts connections, and closes those that do not come to a whole head in time."""

    def __init__(self, make: Callable[[], asyncio.Protocol], max_connections: int, header_timeout_s: float) -> None:
        """`make` gives the protocol that serves a connection."""
        self._make = make
        self._max_connections = max_connections
        self._header_timeout_s = header_timeout_s
        self._guarded: WeakKeyDictionary[asyncio.BaseTransport, _Guarded] = WeakKeyDictionary()
        self.connections = 0

    def __call__(self) -> asyncio.Protocol:
        """A protocol for a new connection."""
        return _Guarded(self, self._make(), self._header_timeout_s)

    def enter(self, connection: _Guarded, transport: asyncio.BaseTransport) -> bool:
        """Note a connection; whether there is room for it."""
        self.connections += 1
        self._guarded[transport] = connection
        return self.connections <= self._max_connections

    def leave(self) -> None:
        """Note the end of a connection."""
        self.connections -= 1

    def begin(self, transport: asyncio.BaseTransport | None) -> None:
        """A whole head has come."""
        if transport is not None and (connection := self._guarded.get(transport)):
            connection.begin()

    def finish(self, transport: asyncio.BaseTransport | None) -> None:
        """Its request has been answered; what comes next is another head."""
        if transport is not None and (connection := self._guarded.get(transport)):
            connection.finish()


class _Guarded(asyncio.Protocol):
    def __init__(self, guard: Guard, inner: asyncio.Protocol, header_timeout_s: float) -> None:
        self._guard = guard
        self._inner = inner
        self._header_timeout_s = header_timeout_s
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._busy = False
        self._turned_away = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._turned_away = not self._guard.enter(self, transport)
        if self._turned_away:
            transport.abort()
            return
        self._inner.connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        if self._turned_away:
            return
        if not self._busy and self._deadline is None:
            self._expect_head()
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return None if self._turned_away else self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_deadline()
        self._guard.leave()
        if not self._turned_away:
            self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def begin(self) -> None:
        self._busy = True
        self._forget_deadline()

    def finish(self) -> None:
        self._busy = False

    def _expect_head(self) -> None:
        assert self._transport is not None
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(self._header_timeout_s, self._transport.abort)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
