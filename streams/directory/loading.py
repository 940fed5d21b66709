"""A folder of CSV files becomes a revision on the compacted topics: records, tombstones for what is gone, manifest."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from pydantic import ValidationError

from schemas.directory import TOPICS, Manifest, School, SchoolClass
from schemas.directory_reader import read_directory_records
from streams.directory.difference import MAX_LOSS_SHARE, Difference, compare
from streams.directory.folder import DirectoryFolderError, Folder, read_folder
from streams.kafka_security import OPEN, KafkaSecurity
from streams.producer import open_producer
from streams.topics import ApiVersion, TopicError

_ANSWER_TIMEOUT_S: Final = 30.0
_PARIS: Final = ZoneInfo("Europe/Paris")
_REVISION: Final = re.compile(rb'^\{"revision":(\d+)')


@dataclass(frozen=True)
class Loaded:
    """What a load did."""

    revision: int
    """The one that was sent, or the one that says the same already."""
    changed: bool
    """Whether anything was sent."""
    schools: int
    classes: int
    profiles: int
    withdrawn: int
    """Keys that were there and are no longer."""


@dataclass
class _Present:
    """What the topics hold."""

    records: dict[str, dict[bytes, bytes]] = field(default_factory=lambda: defaultdict(dict))
    """topic -> key -> value, without the manifest."""
    revision: int = 0
    """The highest one of any record, that of an unfinished load included."""
    manifest: Manifest | None = None

    def take(self, topic: str, key: bytes, value: bytes | None) -> None:
        """Note one record."""
        if value is None:
            self.records[topic].pop(key, None)
            return
        if found := _REVISION.match(value):
            self.revision = max(self.revision, int(found[1]))
        if topic == Manifest.topic and key == Manifest.KEY.encode():
            self.manifest = _manifest_or_none(value)
        else:
            self.records[topic][key] = value

    def says(self, manifest: Manifest) -> bool:
        """Whether a complete revision with the content of `manifest` is what they hold."""
        last = self.manifest
        return last is not None and last.content == manifest.content and last.revision == self.revision


def preview_directory(
    folder: Path, bootstrap: str, on: date, *, api_version: ApiVersion = None, security: KafkaSecurity = OPEN
) -> Difference:
    """What a load of `folder` would change of what the topics hold, as of a day. Raises as a load does."""
    found = read_folder(folder)
    if found.problems:
        raise DirectoryFolderError(found.problems)
    return _difference(_read_topics(bootstrap, api_version, security), found, on)


def _difference(present: _Present, found: Folder, on: date) -> Difference:
    new = {topic: dict(records) for topic, records in found.records.items()}
    return compare(_described(present.records), _described(new), on)


def _described(records: Mapping[str, Mapping[bytes, bytes]]) -> Iterator[School | SchoolClass]:
    """Those that can be read: one of another version describes nothing that could be lost."""
    for topic in (School.topic, SchoolClass.topic):
        told = records.get(topic, {})
        for record in read_directory_records(topic, list(told), list(told.values())).records:
            if isinstance(record, School | SchoolClass):
                yield record


def load_directory(
    folder: Path,
    bootstrap: str,
    *,
    api_version: ApiVersion = None,
    security: KafkaSecurity = OPEN,
    even_if_unchanged: bool = False,
    max_loss_share: float = MAX_LOSS_SHARE,
    today: date | None = None,
) -> Loaded:
    """Send the directory in `folder` as a new revision, unless the topics say the same already.

    `max_loss_share` is how many of the schools that hold `today` (in Paris, by default) it may lose.

    The revision is the present time in milliseconds, or one more than the last if that is greater. Receivers put it in
    force when they have all of it; until then, and if this is interrupted, the one before stays in force.

    Raises DirectoryFolderError with all that is to be mended, TooManyLostError where it would lose more than that,
    TopicError where Kafka or a topic is missing, and ProducerError where Kafka did not take everything.
    """
    found = read_folder(folder)
    if found.problems:
        raise DirectoryFolderError(found.problems)
    present = _read_topics(bootstrap, api_version, security)
    found = found.numbered(max(int(time.time() * 1000), present.revision + 1))
    manifest = found.manifest()
    counts = (manifest.schools, manifest.classes, manifest.profiles)
    if present.says(manifest) and not even_if_unchanged:
        return Loaded(present.revision, changed=False, withdrawn=0, **_named(counts))
    _difference(present, found, today or datetime.now(_PARIS).date()).check(max_loss_share)
    withdrawn = 0
    with open_producer(bootstrap, api_version=api_version, security=security) as producer:
        for topic in TOPICS:
            gone = present.records[topic].keys() - {key for key, _ in found.records[topic]}
            withdrawn += len(gone)
            for key, value in found.records[topic]:
                producer.send(topic, value, key)
            for key in sorted(gone):
                producer.send(topic, None, key)
        producer.flush()
        producer.send(Manifest.topic, manifest.model_dump_json().encode(), Manifest.KEY.encode())
    return Loaded(found.revision, changed=True, withdrawn=withdrawn, **_named(counts))


def _named(counts: tuple[int, int, int]) -> dict[str, int]:
    return dict(zip(("schools", "classes", "profiles"), counts, strict=True))


def _read_topics(bootstrap: str, api_version: ApiVersion, security: KafkaSecurity) -> _Present:
    """Read the topics from their beginning to their present end."""
    present = _Present()
    try:
        consumer = KafkaConsumer(
            bootstrap_servers=bootstrap.split(","),
            api_version=api_version,
            group_id=None,
            enable_auto_commit=False,
            **security.options(),
        )
    except KafkaError as error:
        raise TopicError(f"no Kafka answers at {bootstrap} ({error}): is it running, and reachable?") from error
    try:
        for topic, key, value in _records(consumer, bootstrap):
            present.take(topic, key, value)
    except KafkaError as error:
        raise TopicError(f"Kafka at {bootstrap} cannot be read ({error}): is it running, and reachable?") from error
    finally:
        consumer.close()
    return present


def _records(consumer: Any, bootstrap: str) -> Iterator[tuple[str, bytes, bytes | None]]:
    partitions = []
    for topic in TOPICS:
        numbers = consumer.partitions_for_topic(topic)
        if not numbers:
            raise TopicError(f"the topic {topic} is missing at {bootstrap}: create it with `ent topics`")
        partitions += [TopicPartition(topic, number) for number in numbers]
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    ends = consumer.end_offsets(partitions)
    silent_since_s = time.monotonic()
    while any(consumer.position(partition) < end for partition, end in ends.items()):
        fetched = consumer.poll(timeout_ms=200, max_records=20_000)
        if fetched:
            silent_since_s = time.monotonic()
        elif time.monotonic() - silent_since_s > _ANSWER_TIMEOUT_S:
            raise TopicError(f"Kafka at {bootstrap} sent nothing for {_ANSWER_TIMEOUT_S:g} s: is it overloaded?")
        for partition, records in fetched.items():
            for record in records:
                yield partition.topic, record.key or b"", record.value


def _manifest_or_none(value: bytes) -> Manifest | None:
    """A manifest that cannot be read says nothing: the directory is then loaded anew."""
    try:
        return Manifest.model_validate_json(value)
    except ValidationError:
        return None
