"""The bridge as `ent bridge entcore` runs it: a platform's stand-in, a broker, and the position in the database."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from sinks.clickhouse.bridges import BridgePositions
from sinks.clickhouse.embedded.process import EmbeddedDatabase
from sinks.clickhouse.migrate import migrate
from streams.bridge.settings import BridgeSettings
from streams.commands.bridge import run_bridge
from streams.settings import KafkaSettings, Settings, SettingsError
from tests.database import client_of, database, settings_of
from tests.integration.brokers import LiveBroker
from tests.integration.collector.rig import make_topics, stored
from tests.unit.streams.bridge.platform import TOKEN, Platform, serving

__all__ = ["database"]


@pytest.mark.parametrize("broker", ["embedded"], indirect=True)
async def test_a_bridge_reads_and_goes_on(broker: LiveBroker, database: EmbeddedDatabase, tmp_path: Path) -> None:
    """Two runs: the second one asks from the position that the first one kept, and sends what is new."""
    make_topics(broker)
    client = client_of(database)
    migrate(client, "ent")
    file = tmp_path / "authorization"
    file.write_text(TOKEN + "\n")
    platform = Platform(page=30)
    begun = datetime.now(UTC)
    platform.store(100, int((begun - timedelta(hours=2)).timestamp() * 1000), step_ms=10_000)
    positions = BridgePositions(client, "ent")
    assert positions.read("one") is None
    before = set(stored(broker)["ent.login.v1"])
    async with serving(platform) as url:
        settings = Settings(
            kafka=KafkaSettings(bootstrap=broker.bootstrap),
            database=settings_of(database),
            pseudonym_key=SecretStr("0123456789abcdefghijklmnopqrstuvwxyzABCDEF"),
            event_id_key=SecretStr("ABCDEFghijklmnopqrstuvwxyz0123456789abcdef"),
            bridge=BridgeSettings(url=url, platform="one", authorization_file=file),
            metrics_port=0,
        )
        assert await run_bridge(settings, url, once=True)
        first = positions.read("one")
        assert first is not None
        assert begun - timedelta(seconds=1) <= first <= datetime.now(UTC)
        platform.requests.clear()
        platform.store(5, int(begun.timestamp() * 1000), user="v")
        assert await run_bridge(settings, url, once=True)
        assert platform.requests[0][0] == int((first - timedelta(days=1)).timestamp() * 1000)
        platform.failing = 500
        assert not await run_bridge(settings, url, once=True)
        file.write_text("Bearer s3cret")
        with pytest.raises(SettingsError, match="ENT_BRIDGE__AUTHORIZATION_FILE") as caught:
            await run_bridge(settings, url, once=True)
    assert "s3cret" not in str(caught.value)
    values = [value for value in stored(broker)["ent.login.v1"] if value not in before]
    assert len({json.loads(value)["id"] for value in values}) == 105
    second = positions.read("one")
    assert second is not None
    assert second > first
