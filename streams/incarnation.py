"""The number of a log: another one whenever the log starts over, so that the same offsets can be told apart."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from streams.kafka_security import OPEN, KafkaSecurity
from streams.topics import log_identities

_BYTES = 4


def incarnations_of(topics: Iterable[str], identities: Mapping[str, str]) -> dict[str, int]:
    """Topic -> incarnation (32 bits), from what names its log: Kafka's topic id, or the identity of a broker in memory.

    A function of the identity alone, so that all workers agree without asking anyone.
    """
    return {topic: _number(topic, identities[topic]) for topic in topics}


def identify(
    bootstrap: str, topics: Sequence[str], log_identity: str | None, security: KafkaSecurity = OPEN
) -> dict[str, int]:
    """The same, asked of the broker; `log_identity` names the logs of one that gives topics no id.

    Raises TopicError where the broker is away or a topic is missing.
    """
    if log_identity is not None:
        return incarnations_of(topics, dict.fromkeys(topics, log_identity))
    return incarnations_of(topics, log_identities(bootstrap, topics, security=security))


def _number(topic: str, identity: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{topic}\n{identity}".encode()).digest()[:_BYTES], "big")
