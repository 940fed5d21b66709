"""The bridge from entcore's list: every event comes to Kafka, late ones too, from where the last reading ended."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from aiohttp import ClientSession

from schemas.formats import FORMATS
from schemas.pseudonym import Key, Pseudonyms
from streams.bridge.feed import Feed, FeedRefusedError, FeedUnavailableError
from streams.bridge.poller import Poller
from streams.bridge.settings import BridgeSettings
from streams.collector.admission import Admitter, Outgoing
from streams.pipeline import Limits
from tests.unit.streams.bridge.platform import TOKEN, Platform, serving

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
MS = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ADMITTER = Admitter(Pseudonyms(Key(bytes(range(32)))), Key(bytes(range(1, 33))), FORMATS, Limits())


def ms(moment: datetime) -> int:
    return (moment - EPOCH) // MS


class Positions:
    """In memory; the real ones are in the database."""

    def __init__(self) -> None:
        self.moment: datetime | None = None

    def read(self, bridge: str) -> datetime | None:
        return self.moment

    def record(self, bridge: str, read_through: datetime) -> None:
        assert bridge == "one"
        assert self.moment is None or read_through > self.moment, "a position never goes back"
        self.moment = read_through


class Kafka:
    """What was confirmed; it can be away."""

    def __init__(self) -> None:
        self.events: list[Outgoing] = []
        self.confirms = 10**9

    async def send(self, events: Sequence[Outgoing]) -> None:
        if events and self.confirms <= 0:
            raise ConnectionError("Kafka is away")
        self.confirms -= 1
        self.events += events

    def ids(self) -> list[str]:
        return [json.loads(one.value)["id"] for one in self.events]


@asynccontextmanager
async def polling(
    platform: Platform, positions: Positions, kafka: Kafka, token: str = TOKEN, **settings: float
) -> AsyncIterator[Poller]:
    """A bridge as after a start."""
    told = BridgeSettings.model_validate({"platform": "one", **settings})
    async with serving(platform) as url, ClientSession(headers={"Authorization": token}) as session:
        yield Poller(told, Feed(session, url, told.max_answer_bytes, 5), ADMITTER, kafka.send, positions)


async def test_all_pages_and_windows_are_read_once() -> None:
    """Three windows, many pages; the edges of pages come twice from the platform and once to Kafka."""
    platform, positions, kafka = Platform(page=7), Positions(), Kafka()
    platform.store(100, ms(NOW - timedelta(hours=2.5)), step_ms=80_000)
    async with polling(platform, positions, kafka, lateness_s=3 * 3600) as poller:
        reading = await poller.read(NOW)
    assert (reading.sent, reading.known) == (100, len(platform.requests) - 3)
    assert len(set(kafka.ids())) == len(kafka.ids()) == 100
    assert positions.moment == reading.read_through == NOW
    assert not any(sign in one.value for one in kafka.events for sign in (b'"u-', b"192.0.2"))


async def test_a_bridge_goes_on_from_its_position() -> None:
    """A second reading asks for the overlap only; a third, new process for the lateness before the position."""
    platform, positions, kafka = Platform(), Positions(), Kafka()
    platform.store(10, ms(NOW - timedelta(minutes=2)))
    async with polling(platform, positions, kafka) as poller:
        await poller.read(NOW)
        platform.requests.clear()
        platform.store(5, ms(NOW + timedelta(seconds=10)), user="v")
        reading = await poller.read(NOW + timedelta(minutes=1))
        assert (reading.sent, reading.known) == (5, 10)
        assert platform.requests[0][0] == ms(NOW - timedelta(minutes=5))
    platform.requests.clear()
    async with polling(platform, positions, kafka) as poller:
        await poller.read(NOW + timedelta(minutes=2))
    assert platform.requests[0][0] == ms(NOW + timedelta(minutes=1) - timedelta(days=1))
    assert len(set(kafka.ids())) == 15


async def test_events_that_come_a_day_late_come() -> None:
    """They are found by the next sweep, and not sent again by the one after it."""
    platform, positions, kafka = Platform(), Positions(), Kafka()
    async with polling(platform, positions, kafka) as poller:
        await poller.read(NOW)
        platform.store(10, ms(NOW - timedelta(hours=22)))
        assert (await poller.read(NOW + timedelta(minutes=1))).sent == 0
        assert (await poller.read(NOW + timedelta(hours=1))).sent == 10
        again = await poller.read(NOW + timedelta(hours=2))
        assert (again.sent, again.known) == (0, 10)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_breaks_off_nothing_is_lost(seed: int) -> None:
    """Kafka goes away at any page, the process ends at any reading: in the end each event is there."""
    rng = Random(seed)
    platform, positions, kafka = Platform(page=rng.randrange(3, 30)), Positions(), Kafka()
    now = NOW
    for _ in range(6):
        platform.store(rng.randrange(40), ms(now - timedelta(hours=rng.choice([0, 0, 0, 20]))), user=f"u{now}")
        kafka.confirms = rng.choice([0, 1, 2, 10**9])
        async with polling(platform, positions, kafka) as poller:
            for _ in range(rng.randrange(1, 4)):
                now += timedelta(minutes=rng.randrange(1, 50))
                try:
                    await poller.read(now)
                except ConnectionError:
                    break
    kafka.confirms = 10**9
    async with polling(platform, positions, kafka) as poller:
        await poller.read(now + timedelta(minutes=1))
    assert len(set(kafka.ids())) == len({(one["userId"], one["date"]) for one in platform.documents})


async def test_the_position_waits_for_kafka() -> None:
    """What Kafka has not confirmed does not count as read."""
    platform, positions, kafka = Platform(page=5), Positions(), Kafka()
    platform.store(30, ms(NOW - timedelta(minutes=30)), step_ms=1000)
    kafka.confirms = 24
    async with polling(platform, positions, kafka) as poller:
        with pytest.raises(ConnectionError):
            await poller.read(NOW)
    first_missing = min(one["date"] for one in platform.documents[len(set(kafka.ids())) :])
    assert positions.moment is not None
    assert ms(positions.moment) <= first_missing


async def test_bad_documents_cost_themselves_only() -> None:
    """They are counted by reason; those of other types are not even asked for."""
    platform, positions, kafka = Platform(), Positions(), Kafka()
    platform.store(3, ms(NOW - timedelta(minutes=1)))
    platform.documents[1].pop("structures")
    platform.documents.append({**platform.documents[0], "event-type": "SHARE"})
    async with polling(platform, positions, kafka) as poller:
        reading = await poller.read(NOW)
    assert (reading.sent, reading.refused, reading.ignored) == (2, {"missing_field": 1}, 0)


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        ({"failing": 500}, FeedUnavailableError),
        ({"failing": 302}, FeedUnavailableError),
        ({"failing": 403}, FeedRefusedError),
        ({"nonsense": b"<html>"}, FeedUnavailableError),
        ({"nonsense": b'{"a": 1}'}, FeedUnavailableError),
        ({"nonsense": b"[" + b" " * 300_000 + b"]"}, FeedUnavailableError),
    ],
)
async def test_a_platform_in_trouble_moves_nothing(trouble: dict[str, object], error: type[Exception]) -> None:
    """The position stays; whether it is worth trying again is told apart."""
    positions, kafka = Positions(), Kafka()
    platform = Platform(**trouble)  # type: ignore[arg-type]
    async with polling(platform, positions, kafka, max_answer_bytes=200_000) as poller:
        with pytest.raises(error):
            await poller.read(NOW)
    assert positions.moment is None


async def test_a_wrong_token_is_told() -> None:
    """401 is for an operator to mend, and the token is not in the message."""
    async with polling(Platform(), Positions(), Kafka(), token="Bearer s3cret") as poller:
        with pytest.raises(FeedRefusedError, match="401") as caught:
            await poller.read(NOW)
    assert "s3cret" not in str(caught.value)


async def test_a_platform_that_turns_in_circles_is_left() -> None:
    """More events in one millisecond than a page holds: an error, not an endless loop."""
    platform = Platform(page=3)
    platform.store(10, ms(NOW - timedelta(minutes=1)), step_ms=0)
    async with polling(platform, Positions(), Kafka()) as poller:
        with pytest.raises(FeedUnavailableError, match="further"):
            await poller.read(NOW)
