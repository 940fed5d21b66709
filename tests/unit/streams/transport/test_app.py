"""The app without a broker: settings, versions, agents, the web server."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import faust
import pytest
from faust.exceptions import ImproperlyConfigured
from faust.types import TP

from streams.batch import Batch
from streams.transport import BatchApp, TransportSettings
from streams.transport import settings as transport_settings
from streams.transport.message import BatchMessage
from streams.transport.positions import Partition
from streams.transport.settings import PINNED, TransportVersionError, check_versions

NOWHERE = "127.0.0.1:1"


def empty_batch() -> Batch:
    return Batch("t", 0, 10, 20, [], [], [], first=20)


def test_the_pinned_versions_are_the_installed_ones() -> None:
    check_versions()
    assert {name: version(name) for name in PINNED} == PINNED


def test_another_version_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(transport_settings.PINNED, "aiokafka", "0.0.1")
    with pytest.raises(TransportVersionError, match=r"install aiokafka==0\.0\.1"):
        BatchApp("g", bootstrap=NOWHERE)


def test_a_stop_deadline_within_the_drain_is_refused() -> None:
    with pytest.raises(ValueError, match="must be above drain_timeout_s"):
        TransportSettings(drain_timeout_s=30, stop_deadline_s=30)


async def test_batch_topics_are_read_from_the_earliest_offset_only() -> None:
    app = BatchApp("g", bootstrap=NOWHERE, consumer_auto_offset_reset="latest")
    app.batch_topic("t")
    with pytest.raises(ImproperlyConfigured, match="earliest"):
        _ = app.consumer


async def test_an_agent_receives_batches() -> None:
    """Faust's own way to test an agent works with batches."""
    app = BatchApp("g", bootstrap=NOWHERE)
    received: list[Batch] = []

    async def take(stream: Any) -> None:
        async for event in stream.noack().events():
            received.append(event.value)
            event.ack()

    agent = app.agent(app.batch_topic("t"), name="take")(take)
    app.finalize()
    batch = empty_batch()
    async with agent.test_context() as testing:
        await testing.put(batch)
    assert received == [batch]


def test_several_brokers_become_several_addresses() -> None:
    app = BatchApp("g", bootstrap="one:9092, two:9093")
    assert [str(url) for url in app.conf.broker] == ["kafka://one:9092", "kafka://two:9093"]


def test_settings_of_ones_own_win_over_the_defaults() -> None:
    app = BatchApp("g", bootstrap=NOWHERE, broker_session_timeout=33.0)
    assert (app.conf.broker_session_timeout, app.conf.broker_heartbeat_interval) == (33.0, 1.0)


def test_the_web_server_is_off_whatever_is_set() -> None:
    """Faust's command line switches the setting on again; what decides here is the boot strategy."""
    app = BatchApp("g", bootstrap=NOWHERE, web_enabled=True)
    app.worker_init_post_autodiscover()
    assert app.web not in list(app.boot_strategy.server())
    assert app.web not in list(app.boot_strategy.producer_only())
    stock = faust.App("stock", broker=f"kafka://{NOWHERE}", web_enabled=True)
    assert stock.web in list(stock.boot_strategy.server())


def test_the_queue_of_a_batch_topic_is_as_long_as_asked() -> None:
    """Faust's App.topic takes the length and drops it."""
    app = BatchApp("g", bootstrap=NOWHERE)
    assert app.batch_topic("t", maxsize=3).maxsize == 3


def test_acknowledging_a_message_reaches_the_commit_rule() -> None:
    """Through the attribute that both of Faust's ways to acknowledge set."""
    partition = Partition(expected=10, watermark=10, committed=10)
    message = BatchMessage(TP("t", 0), empty_batch(), partition.deliver(10, 20), generation_id=1)
    assert (message.acked, message.offset, partition.acknowledged()) == (False, 19, 10)
    message.acked = True
    assert (message.acked, partition.acknowledged()) == (True, 20)
