"""Brokers that this machine runs by itself: `embedded` in this process, `jvm` a real Apache Kafka beside it."""

from streams.brokers.broker import Broker, BrokerError
from streams.brokers.embedded import EmbeddedBroker
from streams.brokers.jvm import JvmBroker

__all__ = ["Broker", "BrokerError", "EmbeddedBroker", "JvmBroker"]
