"""What every broker of ours offers, whoever runs it."""

from __future__ import annotations

from typing import Protocol


class BrokerError(RuntimeError):
    """A broker could not be started or did not do as told; the message says what to do."""


class Broker(Protocol):
    """A Kafka that this process started and must stop."""

    @property
    def api_version(self) -> tuple[int, int] | None:
        """The version kafka-python must be told; None where the broker tells it."""

    @property
    def bootstrap(self) -> str:
        """`host:port` of every node, separated by commas."""

    def create_topic(self, name: str, partitions: int) -> None:
        """Create a topic and return when it can be used."""

    def stop(self) -> None:
        """End the broker; nothing of it is left running. Stopping twice is the same as once."""
