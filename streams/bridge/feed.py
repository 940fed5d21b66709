"""Entcore's list of events over HTTP: `GET /v2/event/list/events/{ms}?duration=…&sorted=true`, a page at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout

EVENT_TYPES: Final = ("LOGIN", "ACTIVATION", "ACCESS", "CONNECTOR")
"""What is asked for; the platform keeps the rest to itself."""
_PATH: Final = "v2/event/list/events"
_MORE: Final = "X-HAS-MORE"
_REFUSED: Final = (401, 403, 404)


class FeedUnavailableError(RuntimeError):
    """The platform did not answer, or not as it should: to be tried again."""


class FeedRefusedError(RuntimeError):
    """The platform does not let us in, or has no such list: an operator must mend the settings."""


class _Dated(msgspec.Struct):
    date: Annotated[int, msgspec.Meta(ge=0)] | None = None


@dataclass(frozen=True)
class Page:
    """Documents in the order of their dates."""

    documents: list[bytes]
    through_ms: int
    """Every event before this moment that the platform has is in this page or an earlier one."""


class Feed:
    """One platform's list."""

    def __init__(self, session: ClientSession, url: str, max_bytes: int, timeout_s: float) -> None:
        """`session` brings the authorisation."""
        self._session = session
        self._url = f"{url.rstrip('/')}/{_PATH}"
        self._max_bytes = max_bytes
        self._timeout = ClientTimeout(total=timeout_s)

    async def pages(self, start_ms: int, end_ms: int) -> AsyncIterator[Page]:
        """The events of [start, end) in milliseconds since 1970 UTC; those on a page's edge come twice.

        Raises:
            FeedUnavailableError: try again; FeedRefusedError: mend the settings.
        """
        while start_ms < end_ms:
            documents, more = await self._read(start_ms, end_ms - start_ms)
            if not more:
                yield Page(documents, end_ms)
                return
            last_ms = _last_date(documents)
            if last_ms is None or last_ms <= start_ms:
                raise FeedUnavailableError(
                    "the platform says that there is more, and its page does not get any further"
                )
            yield Page(documents, last_ms)
            start_ms = last_ms

    async def _read(self, start_ms: int, duration_ms: int) -> tuple[list[bytes], bool]:
        query: Mapping[str, str] = {
            "duration": str(duration_ms),
            "event-types": ",".join(EVENT_TYPES),
            "sorted": "true",
        }
        try:
            async with self._session.get(
                f"{self._url}/{start_ms}", params=query, timeout=self._timeout, allow_redirects=False
            ) as answer:
                if answer.status in _REFUSED:
                    raise FeedRefusedError(f"the platform answers {answer.status}: look at the address and the token")
                if answer.status != 200:
                    raise FeedUnavailableError(f"the platform answers {answer.status}")
                body = await self._body(answer.content.iter_any())
                more = answer.headers.get(_MORE, "").lower() == "true"
        except (ClientError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise FeedUnavailableError(f"the platform does not answer ({type(error).__name__})") from None
        try:
            return [bytes(one) for one in msgspec.json.decode(body, type=list[msgspec.Raw])], more
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise FeedUnavailableError("the platform's answer is no list of documents") from None

    async def _body(self, pieces: AsyncIterator[bytes]) -> bytes:
        whole = bytearray()
        async for piece in pieces:
            whole += piece
            if len(whole) > self._max_bytes:
                raise FeedUnavailableError(f"the answer has more than {self._max_bytes} bytes: ask for shorter windows")
        return bytes(whole)


def _last_date(documents: list[bytes]) -> int | None:
    """The date of the last document that has a plain one."""
    for document in reversed(documents):
        try:
            date_ms = msgspec.json.decode(document, type=_Dated).date
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        if date_ms is not None:
            return date_ms
    return None
