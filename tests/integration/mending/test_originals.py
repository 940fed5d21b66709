"""The originals of dead letters, read where they stood, as far as they are there."""

from __future__ import annotations

from sinks.clickhouse.dead_letters import Place
from streams.mending.originals import Originals
from tests.integration.brokers import LiveBroker


def test_what_kafka_still_has_is_read_whatever_lies_between(broker: LiveBroker, name: str) -> None:
    """Not what expired, not what is not there yet, and nothing of another life of the log; far apart or beside."""
    broker.create_topic(name, 2)
    producer = broker.producer(**{"batch.num.messages": 500})
    sent: dict[int | None, bytes | None] = {}
    for n in range(6_000):
        producer.produce(
            name,
            b"%d" % n,
            partition=1,
            headers=[("ce_id", b"x%d" % n)],
            on_delivery=lambda _error, taken: sent.update({taken.offset(): taken.value()}),
        )
        producer.poll(0)
    producer.flush()
    broker.delete_records(name, 1, before=1_000)
    originals = Originals(broker.bootstrap, broker.api_version, {name: 7})
    wanted = [5_999, 1_000, 999, 1_001, 6_000, 3_500, 0]
    found = originals.read(Place(name, 7, 1, offset) for offset in wanted)
    assert sorted(place.offset for place in found) == [1_000, 1_001, 3_500, 5_999]
    for place, original in found.items():
        value = sent[place.offset]
        assert value is not None
        assert original.value == value
        assert list(original.headers) == [("ce_id", b"x" + value)]
    assert originals.read([Place(name, 8, 1, 2_000)]) == {}


def test_nothing_is_asked_for_nothing(name: str) -> None:
    assert Originals("127.0.0.1:1", None, {name: 7}).read([]) == {}
