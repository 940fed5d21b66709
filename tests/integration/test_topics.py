"""Topics are created, checked and identified, and the command line's producer fills them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from confluent_kafka import Consumer, TopicPartition

from streams.producer import Producer, ProducerError, open_producer
from streams.topics import (
    BACKFILL,
    DEAD_LETTER,
    EVENT_TOPICS,
    REFERENCE_TOPICS,
    Cleanup,
    TopicError,
    TopicSpec,
    check_topics,
    create_topics,
    log_identities,
    specs,
)
from tests.integration.brokers import Embedded, LiveBroker, RealKafka
from tests.integration.conftest import real_kafka_only

NOBODY = "127.0.0.1:1"


def ours(name: str) -> list[TopicSpec]:
    """Our topics under names of this test's own."""
    return [replace(spec, name=f"{spec.name}.{name}") for spec in specs(event_partitions=3)]


def test_the_eight_topics() -> None:
    """Names, partitions and how long each keeps its records."""
    by_name = {spec.name: spec for spec in specs(event_partitions=5)}
    assert set(by_name) == {*EVENT_TOPICS, BACKFILL, DEAD_LETTER, *REFERENCE_TOPICS}
    assert by_name["ent.login.v1"].configs() == {"cleanup.policy": "delete", "retention.ms": str(7 * 86_400_000)}
    assert by_name["ent.dead_letter.v1"].configs() == {"cleanup.policy": "delete", "retention.ms": str(30 * 86_400_000)}
    assert by_name["ent.class.v1"].configs() == {"cleanup.policy": "compact"}
    assert {by_name[name].partitions for name in EVENT_TOPICS} == {5}
    assert {by_name[name].partitions for name in REFERENCE_TOPICS} == {1}


@real_kafka_only
def test_topics_are_created_once_and_are_then_as_they_should_be(broker: RealKafka, name: str) -> None:
    wanted = ours(name)
    assert [problem.what for problem in check_topics(broker.bootstrap, wanted)] == ["missing"] * 8
    assert create_topics(broker.bootstrap, wanted) == [spec.name for spec in wanted]
    assert create_topics(broker.bootstrap, wanted) == []
    assert check_topics(broker.bootstrap, wanted) == []


@real_kafka_only
def test_two_may_create_the_same_topics_at_once(broker: RealKafka, name: str) -> None:
    """Every topic is created by exactly one of them, and both return when all can be used."""
    wanted = ours(name)
    with ThreadPoolExecutor(4) as pool:
        created = list(pool.map(lambda _: create_topics(broker.bootstrap, wanted), range(4)))
    assert sorted(topic for one in created for topic in one) == sorted(spec.name for spec in wanted)
    assert check_topics(broker.bootstrap, wanted) == []


@real_kafka_only
def test_what_differs_is_reported_and_left_alone(broker: RealKafka, name: str) -> None:
    """Too few partitions, another policy, another retention, a divided reference topic; more partitions are welcome."""
    few, divided, more = f"few.{name}", f"divided.{name}", f"more.{name}"
    broker.create_topic(few, 1, {"cleanup.policy": "compact"})
    broker.create_topic(divided, 2, {"cleanup.policy": "compact"})
    broker.create_topic(more, 8, {"retention.ms": "1000"})
    wanted = [
        TopicSpec(few, 4, Cleanup.DELETE),
        TopicSpec(divided, 1, Cleanup.COMPACT),
        TopicSpec(more, 4, Cleanup.DELETE, timedelta(days=7)),
    ]
    for _ in range(2):
        problems = check_topics(broker.bootstrap, wanted)
        assert [(problem.topic, problem.what) for problem in problems] == [
            (few, "1 partitions instead of 4"),
            (few, "cleanup.policy is compact instead of delete"),
            (divided, "2 partitions instead of 1, so its records have no common order"),
            (more, "retention.ms is 1000 instead of 604800000"),
        ]
        assert str(problems[0]).endswith(f"kafka-topics.sh --alter --topic {few} --partitions 4")
        assert create_topics(broker.bootstrap, wanted) == []


@real_kafka_only
def test_a_topic_that_kafka_refuses_is_an_error_with_its_reason(broker: RealKafka, name: str) -> None:
    with pytest.raises(TopicError, match=r"(?s)refused the topic.*[Rr]eplication"):
        create_topics(broker.bootstrap, [TopicSpec(name, 1, Cleanup.DELETE)], replication=3)


@real_kafka_only
def test_a_topic_made_again_is_another_log(broker: RealKafka, name: str) -> None:
    broker.create_topic(name, 1)
    before = log_identities(broker.bootstrap, [name])
    assert log_identities(broker.bootstrap, [name]) == before
    broker.delete_topic(name)
    broker.create_topic(name, 1)
    assert log_identities(broker.bootstrap, [name])[name] != before[name]


@real_kafka_only
def test_a_missing_topic_has_no_identity(broker: RealKafka, name: str) -> None:
    with pytest.raises(TopicError, match=r"missing.*ent topics"):
        log_identities(broker.bootstrap, [name])


def test_the_embedded_broker_has_no_topic_ids_and_says_so() -> None:
    """A log that starts over could not be told from the one before it."""
    broker = Embedded()
    try:
        broker.create_topic("t", 1)
        with pytest.raises(TopicError, match="gives topics no id"):
            log_identities(broker.bootstrap, ["t"], api_version=broker.api_version)
    finally:
        broker.stop()


@pytest.mark.parametrize("call", [create_topics, check_topics])
def test_a_broker_that_is_away_is_an_error_that_says_so(call: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.topics._ANSWER_TIMEOUT_S", 1)
    with pytest.raises(TopicError, match="is it running and reachable"):
        call(NOBODY, specs(4))  # type: ignore[operator]


def test_the_producer_keeps_the_order_of_a_key_and_its_partition(broker: LiveBroker, name: str) -> None:
    """Records of one key are in one partition, the one Kafka's own clients choose, in the order they were sent."""
    broker.create_topic(name, 4)
    sent: dict[bytes, list[bytes]] = {}
    with open_producer(broker.bootstrap, api_version=broker.api_version) as producer:
        for i in range(3000):
            key = b"0680%03dX" % (i % 20)
            sent.setdefault(key, []).append(b"%d" % i)
            producer.send(name, b"%d" % i, key, timestamp_ms=1_700_000_000_000 + i)
    librdkafka = broker.producer(partitioner="murmur2")
    for key in sent:
        librdkafka.produce(name, key=key, value=b"last")
    assert librdkafka.flush(10) == 0
    found: dict[bytes, list[bytes]] = {}
    places: dict[bytes, set[int]] = {}
    for partition in range(4):
        for record_key, value, timestamp_ms in read(broker, name, partition):
            found.setdefault(record_key, []).append(value)
            places.setdefault(record_key, set()).add(partition)
            if value != b"last":
                assert timestamp_ms == 1_700_000_000_000 + int(value)
    assert found == {key: [*values, b"last"] for key, values in sent.items()}
    assert {len(partitions) for partitions in places.values()} == {1}


def test_records_that_are_not_taken_are_an_error(name: str) -> None:
    """Nothing is lost in silence: the next flush says how many and why."""
    broker = Embedded()
    broker.create_topic(name, 1)
    producer = open_producer(broker.bootstrap, delivery_timeout_s=1.0, linger_ms=0, api_version=broker.api_version)
    producer.send(name, b"taken", b"k")
    producer.flush()
    broker.outage().__enter__()
    producer.send(name, b"lost", b"k")
    producer.send(name, b"lost too", b"k")
    with pytest.raises(ProducerError, match="did not take 2 records"):
        producer.flush()
    producer.close()
    broker.stop()


def test_a_producer_without_a_broker_is_an_error_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.producer._START_TIMEOUT_S", 1)
    with pytest.raises(TopicError, match="no Kafka answers"):
        open_producer(NOBODY)


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """kafka-python queues without a limit: the producer waits for the broker when too much is on its way."""

    class Endless:
        flushed = 0

        def send(self, *_args: object, **_options: object) -> Endless:
            return self

        def add_errback(self, _callback: object) -> None:
            """Never called."""

        def flush(self) -> None:
            self.flushed += 1

    monkeypatch.setattr("streams.producer._MAX_WAITING_BYTES", 1000)
    kafka = Endless()
    producer = Producer(kafka)
    for _ in range(30):
        producer.send("t", b"x" * 100)
    assert kafka.flushed == 2


def read(broker: LiveBroker, topic: str, partition: int) -> list[tuple[bytes, bytes, int]]:
    """Key, value and timestamp of everything in a partition."""
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "read", "log_level": 0})
    end = broker.log_end(topic, partition)
    consumer.assign([TopicPartition(topic, partition, 0)])
    found: list[tuple[bytes, bytes, int]] = []
    while len(found) < end:
        message = consumer.poll(5)
        assert message is not None, "the broker hands out nothing"
        assert message.error() is None
        found.append((message.key() or b"", message.value() or b"", message.timestamp()[1]))
    consumer.close()
    return found
