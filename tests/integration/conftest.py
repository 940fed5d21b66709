"""The brokers that the same tests run on, one after the other: `broker` is each of them in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from tests.integration.brokers import Docker, Embedded, Jvm, LiveBroker
from tests.requirements import need

START: dict[str, Callable[[], LiveBroker]] = {"embedded": Embedded, "jvm": Jvm, "docker": Docker}


@pytest.fixture(
    scope="session",
    params=["embedded", pytest.param("jvm", marks=pytest.mark.jvm), pytest.param("docker", marks=pytest.mark.docker)],
)
def broker(request: pytest.FixtureRequest) -> Iterator[LiveBroker]:
    """A running Kafka, shared by the session's tests; each test makes topics of its own."""
    if request.param != "embedded":
        need(request.param)
    live = START[request.param]()
    yield live
    live.stop()


@pytest.fixture
def name() -> str:
    """A name for a topic and a group that no other test uses."""
    return f"t-{uuid4().hex[:12]}"


real_kafka_only = pytest.mark.parametrize(
    "broker",
    [pytest.param("jvm", marks=pytest.mark.jvm), pytest.param("docker", marks=pytest.mark.docker)],
    indirect=True,
)
"""For what the embedded broker does not have: compaction, transaction markers, topic settings, more partitions."""
