"""The topics: what they are, how they are created and checked, and which log each of them is.

They are made before workers start. Creating is idempotent and safe when two do it at once; nothing here changes,
shrinks or deletes a topic that is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeAlias

from kafka.admin import ConfigResource, KafkaAdminClient
from kafka.errors import KafkaError, NoError, TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code

from streams.kafka_security import OPEN, KafkaSecurity

LOGIN = "ent.login.v1"
APP_VISIT = "ent.app_visit.v1"
NOTIFICATION = "ent.notification.v1"
BACKFILL = "ent.backfill.v1"
DEAD_LETTER = "ent.dead_letter.v1"
SCHOOL = "ent.school.v1"
CLASS = "ent.class.v1"
PROFILE = "ent.profile.v1"

EVENT_TOPICS = (LOGIN, APP_VISIT, NOTIFICATION)
REFERENCE_TOPICS = (SCHOOL, CLASS, PROFILE)


class Lane(StrEnum):
    """Which events a worker reads: each lane has topics and a consumer group of its own."""

    LIVE = "live"
    """What platforms send."""
    BACKFILL = "backfill"
    """History from files, and dead letters that are replayed."""

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics of its events."""
        return EVENT_TOPICS if self is Lane.LIVE else (BACKFILL,)

    def group(self, base: str) -> str:
        """Its consumer group, where `base` is the live one's."""
        return base if self is Lane.LIVE else f"{base}-{self}"


ApiVersion: TypeAlias = tuple[int, int] | None
"""The Kafka version kafka-python is told; None asks the broker. For the embedded one: `EmbeddedBroker.api_version`."""

_ANSWER_TIMEOUT_S = 30
_LONGEST_PAUSE_MS = 1000
"""Between two tries to connect: stock waits up to half a minute after the broker is back."""


class TopicError(RuntimeError):
    """Topics could not be created, checked or identified; the message says what to do."""


class Cleanup(StrEnum):
    """What Kafka does with old records: Kafka's own names."""

    DELETE = "delete"
    COMPACT = "compact"


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """What a topic should be."""

    name: str
    partitions: int
    cleanup: Cleanup
    retention: timedelta | None = None
    """How long records are kept where old ones are deleted; None leaves it to the broker."""

    def configs(self) -> dict[str, str]:
        """Kafka's settings of the topic."""
        configs = {"cleanup.policy": str(self.cleanup)}
        if self.retention is not None:
            configs["retention.ms"] = str(self.retention // timedelta(milliseconds=1))
        return configs


@dataclass(frozen=True, slots=True)
class TopicProblem:
    """One thing about one topic that is not as it should be."""

    topic: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.what}; {self.remedy}"


def specs(event_partitions: int) -> tuple[TopicSpec, ...]:
    """Our topics: events keep 7 days and dead letters 30, reference data keeps the last record of every key."""
    kept = {**dict.fromkeys((*EVENT_TOPICS, BACKFILL), timedelta(days=7)), DEAD_LETTER: timedelta(days=30)}
    return (
        *(TopicSpec(name, event_partitions, Cleanup.DELETE, retention) for name, retention in kept.items()),
        *(TopicSpec(name, 1, Cleanup.COMPACT) for name in REFERENCE_TOPICS),
    )


def create_topics(
    bootstrap: str,
    wanted: Iterable[TopicSpec],
    *,
    replication: int = 1,
    api_version: ApiVersion = None,
    security: KafkaSecurity = OPEN,
) -> list[str]:
    """Create those of the topics that are missing, wait until all can be used, and return the names of the new ones.

    Raises TopicError where the broker is away or refuses.
    """
    topics = {
        spec.name: {"num_partitions": spec.partitions, "replication_factor": replication, "configs": spec.configs()}
        for spec in wanted
    }
    with _administration(bootstrap, api_version, security) as admin:
        results = admin.create_topics(topics, raise_errors=False)["topics"]
        created = []
        for result in results:
            error = for_code(result["error_code"])
            if error is NoError:
                created.append(result["name"])
            elif error is not TopicAlreadyExistsError:
                reason = result["error_message"] or error.__name__
                raise TopicError(f"Kafka refused the topic {result['name']}: {reason}")
        admin.wait_for_topics(list(topics), timeout_ms=_ANSWER_TIMEOUT_S * 1000)
    return created


def check_topics(
    bootstrap: str, wanted: Iterable[TopicSpec], *, api_version: ApiVersion = None, security: KafkaSecurity = OPEN
) -> list[TopicProblem]:
    """What is not as it should be, in the order of `wanted`; raises TopicError where the broker is away."""
    by_name = {spec.name: spec for spec in wanted}
    with _administration(bootstrap, api_version, security) as admin:
        found = {topic["name"]: topic for topic in admin.describe_topics(list(by_name)) if not topic["error_code"]}
        resources = [ConfigResource("topic", name) for name in by_name if name in found]
        configs = admin.describe_configs(resources, config_filter="all").get("topic", {}) if resources else {}
    problems: list[TopicProblem] = []
    for name, spec in by_name.items():
        if name not in found:
            problems.append(TopicProblem(name, "missing", "create it with `ent topics`"))
            continue
        problems += _partition_problems(spec, len(found[name]["partitions"]))
        problems += _config_problems(spec, {key: config["value"] for key, config in configs[name].items()})
    return problems


def log_identities(
    bootstrap: str, topics: Iterable[str], *, api_version: ApiVersion = None, security: KafkaSecurity = OPEN
) -> dict[str, str]:
    """Kafka's id of each topic's log: a topic that was deleted and made again has another one.

    Raises TopicError where the broker is away, a topic is missing, or the broker (the embedded one) has no ids.
    """
    names = list(topics)
    with _administration(bootstrap, api_version, security) as admin:
        described = {topic["name"]: topic for topic in admin.describe_topics(names)}
    identities = {}
    for name in names:
        topic = described[name]
        if for_code(topic["error_code"]) is UnknownTopicOrPartitionError:
            raise TopicError(f"the topic {name} is missing at {bootstrap}: create it with `ent topics`")
        if topic.get("topic_id") is None:
            raise TopicError(
                f"the broker at {bootstrap} gives topics no id, so a log that starts over could not be told from the "
                "one before: use Kafka 2.8 or later, or name the log yourself (ENT_KAFKA__LOG_IDENTITY)"
            )
        identities[name] = str(topic["topic_id"])
    return identities


def _partition_problems(spec: TopicSpec, partitions: int) -> Iterator[TopicProblem]:
    if partitions < spec.partitions:
        command = f"kafka-topics.sh --alter --topic {spec.name} --partitions {spec.partitions}"
        yield TopicProblem(spec.name, f"{partitions} partitions instead of {spec.partitions}", f"add them: {command}")
    elif partitions > spec.partitions and spec.cleanup is Cleanup.COMPACT:
        yield TopicProblem(
            spec.name,
            f"{partitions} partitions instead of {spec.partitions}, so its records have no common order",
            "delete the topic, create it with `ent topics` and load the directory again",
        )


def _config_problems(spec: TopicSpec, actual: dict[str, str | None]) -> Iterator[TopicProblem]:
    for name, value in spec.configs().items():
        if actual.get(name) != value:
            command = f"kafka-configs.sh --alter --entity-type topics --entity-name {spec.name}"
            remedy = f"set it: {command} --add-config {name}={value}"
            yield TopicProblem(spec.name, f"{name} is {actual.get(name)} instead of {value}", remedy)


@contextmanager
def _administration(bootstrap: str, api_version: ApiVersion, security: KafkaSecurity) -> Iterator[Any]:
    try:
        with KafkaAdminClient(
            bootstrap_servers=bootstrap.split(","),
            api_version=api_version,
            bootstrap_timeout_ms=_ANSWER_TIMEOUT_S * 1000,
            **security.options(),
            reconnect_backoff_max_ms=_LONGEST_PAUSE_MS,
        ) as admin:
            yield admin
    except KafkaError as error:
        raise TopicError(
            f"Kafka at {bootstrap} did not do as asked ({error}): is it running and reachable from here? "
            "The embedded broker neither creates nor describes topics this way"
        ) from error
