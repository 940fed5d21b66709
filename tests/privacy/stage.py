"""A world stored, counted by the service's own passes, and published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from schemas.pseudonym import Key
from sinks.clickhouse.client import Client
from sinks.clickhouse.publisher import Publisher
from streams.publication import due, rule_of
from tests.privacy.reading import Exact, exact
from tests.privacy.world import MONDAY, World, make_world, store_world

AFTERWARDS = datetime(2026, 11, 28, tzinfo=UTC)
"""When the week and its late events are over."""
KEY = Key(b"the key of the tests of publication: 0123456789")


@dataclass(frozen=True)
class Stage:
    """What the tests of one database share."""

    client: Client
    world: World
    cells: dict[str, Exact]

    def publisher(self, k: int) -> Publisher:
        """One that publishes rows of at least `k` persons."""
        return Publisher(self.client, "ent", rule_of(KEY, k))

    def publish(self, k: int) -> None:
        """Publish the week anew, as if nothing had been published before."""
        for table in ("cells", "publications"):
            self.client.command(f"TRUNCATE TABLE ent_public.{table}")
        publisher = self.publisher(k)
        for each in due(AFTERWARDS, publisher.days(MONDAY), {}, k):
            publisher.publish(each.grain, each.start, each.stage, each.tick)


def set_stage(client: Client, seed: int = 1, use: float = 1.0) -> Stage:
    """Make a world and store it."""
    world = make_world(seed, use)
    store_world(client, world)
    return Stage(client, world, exact(world))
