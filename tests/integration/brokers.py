"""The brokers that the integration tests run on, behind one interface: embedded, on the JVM, in a container."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from kafka import TopicPartition as KafkaPythonPartition
from kafka.admin import KafkaAdminClient

from streams.brokers import EmbeddedBroker, JvmBroker
from streams.brokers.jars import KAFKA_VERSION


class LiveBroker(ABC):
    """A running Kafka and what a test may do to it."""

    bootstrap: str
    api_version: tuple[int, int] | None = None

    @abstractmethod
    def create_topic(self, name: str, partitions: int, configs: Mapping[str, str] | None = None) -> None: ...

    @abstractmethod
    def delete_topic(self, name: str) -> None: ...

    @abstractmethod
    def delete_records(self, topic: str, partition: int, before: int) -> None:
        """Forget the records below the offset `before`, as retention does."""

    @abstractmethod
    def outage(self) -> Any:
        """A context in which the broker is away; at its end it serves again."""

    @abstractmethod
    def stop(self) -> None: ...

    def producer(self, **configs: Any) -> Producer:
        return Producer({"bootstrap.servers": self.bootstrap, "linger.ms": 20, "log_level": 0, **configs})

    def committed(self, group: str, topic: str, partitions: int) -> dict[int, int | None]:
        """What the group committed, read by a client of its own; None for a partition without a commit."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": group, "log_level": 0})
        try:
            found = consumer.committed([TopicPartition(topic, p) for p in range(partitions)], timeout=10)
            return {each.partition: each.offset if each.offset >= 0 else None for each in found}
        finally:
            consumer.close()

    def log_end(self, topic: str, partition: int = 0) -> int:
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "log-end", "log_level": 0})
        try:
            _, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
            return int(end)
        finally:
            consumer.close()


class Embedded(LiveBroker):
    def __init__(self) -> None:
        self._broker = EmbeddedBroker(rebalance_delay_ms=100)
        self.bootstrap = self._broker.bootstrap
        self.api_version = self._broker.api_version

    def create_topic(self, name: str, partitions: int, configs: Mapping[str, str] | None = None) -> None:
        assert not configs, "the embedded broker has no topic settings"
        self._broker.create_topic(name, partitions)

    def delete_topic(self, name: str) -> None:
        self._broker.delete_topic(name)

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        self._broker.delete_records(topic, partition, before)

    @contextmanager
    def outage(self) -> Iterator[None]:
        self._broker.set_down()
        yield
        self._broker.set_up()

    def stop(self) -> None:
        self._broker.stop()


class RealKafka(LiveBroker):
    """Any Apache Kafka, administered through kafka-python."""

    @contextmanager
    def administration(self) -> Iterator[Any]:
        with KafkaAdminClient(bootstrap_servers=self.bootstrap.split(","), bootstrap_timeout_ms=10_000) as admin:
            yield admin

    def create_topic(self, name: str, partitions: int, configs: Mapping[str, str] | None = None) -> None:
        topic = {"num_partitions": partitions, "replication_factor": 1, "configs": dict(configs or {})}
        with self.administration() as admin:
            admin.create_topics({name: topic}, wait_for_metadata=True)

    def delete_topic(self, name: str) -> None:
        with self.administration() as admin:
            admin.delete_topics([name])
            while not admin.describe_topics([name])[0]["error_code"]:
                time.sleep(0.05)

    def add_partitions(self, name: str, total: int) -> None:
        with self.administration() as admin:
            admin.create_partitions({name: total})
            admin.wait_for_topics([name])

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        with self.administration() as admin:
            admin.delete_records({KafkaPythonPartition(topic, partition): before})


class Jvm(RealKafka):
    def __init__(self) -> None:
        self._broker = JvmBroker()
        self.bootstrap = self._broker.bootstrap

    @contextmanager
    def outage(self) -> Iterator[None]:
        """kill -9 and a start on the same data."""
        self._broker.kill()
        yield
        self._broker.start_node()

    def stop(self) -> None:
        self._broker.stop()


class Docker(RealKafka):
    """Apache's own image; testcontainers' KafkaContainer knows Confluent's only."""

    def __init__(self) -> None:
        from testcontainers.core.container import DockerContainer
        from testcontainers.core.docker_client import DockerClient
        from testcontainers.core.wait_strategies import LogMessageWaitStrategy

        from streams.brokers.jvm import free_ports

        (port,) = free_ports(1)
        self.bootstrap = f"{DockerClient().host()}:{port}"
        environment = {
            "KAFKA_NODE_ID": "1",
            "KAFKA_PROCESS_ROLES": "broker,controller",
            "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
            "KAFKA_LISTENERS": f"PLAINTEXT://0.0.0.0:{port},CONTROLLER://localhost:9093",
            "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{self.bootstrap}",
            "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
            "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
            "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
            "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
            "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
            "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
            "KAFKA_LOG_CLEANER_BACKOFF_MS": "500",
        }
        self._container = DockerContainer(f"apache/kafka:{KAFKA_VERSION}").with_bind_ports(port, port)
        for name, value in environment.items():
            self._container.with_env(name, value)
        self._started = LogMessageWaitStrategy("Kafka Server started").with_startup_timeout(60)
        self._container.waiting_for(self._started).start()

    @contextmanager
    def outage(self) -> Iterator[None]:
        """SIGKILL and a start of the same container, with its data."""
        container = self._container.get_wrapped_container()
        container.kill()
        yield
        container.start()
        self._started.wait_until_ready(self._container)

    def stop(self) -> None:
        self._container.stop()
