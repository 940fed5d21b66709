"""Loading a folder to Kafka: what stands on the compacted topics afterwards, on every broker."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from kafka import KafkaConsumer, TopicPartition

from schemas.directory import TOPICS, Manifest, School, SchoolClass
from streams.directory.difference import TooManyLostError
from streams.directory.folder import DirectoryFolderError, read_folder
from streams.directory.loading import load_directory, preview_directory
from streams.producer import open_producer
from streams.topics import TopicError
from tests.integration.brokers import LiveBroker

MULHOUSE = Path(__file__).parents[2] / "examples" / "mulhouse"
Logged = tuple[bytes, bytes | None]


@pytest.fixture
def empty_topics(broker: LiveBroker) -> LiveBroker:
    """The three topics of the directory, just made."""
    for topic in TOPICS:
        if _has(broker, topic):
            broker.delete_topic(topic)
        broker.create_topic(topic, 1)
    return broker


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the example, to be changed."""
    return Path(shutil.copytree(MULHOUSE, tmp_path / "directory"))


def log_of(broker: LiveBroker, topic: str) -> list[Logged]:
    """All records of a topic, in their order."""
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, api_version=broker.api_version)
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    consumer.seek_to_beginning(partition)
    end = consumer.end_offsets([partition])[partition]
    log: list[Logged] = []
    while consumer.position(partition) < end:
        for records in consumer.poll(timeout_ms=500).values():
            log += [(record.key, record.value) for record in records]
    consumer.close()
    return log


def load(broker: LiveBroker, folder: Path, *, even_if_unchanged: bool = False) -> tuple[int, bool, int]:
    done = load_directory(folder, broker.bootstrap, api_version=broker.api_version, even_if_unchanged=even_if_unchanged)
    return done.revision, done.changed, done.withdrawn


def test_every_record_carries_the_revision_and_the_manifest_comes_last(empty_topics: LiveBroker, folder: Path) -> None:
    """What is sent is what the files say, and the manifest says how much it is."""
    revision, changed, withdrawn = load(empty_topics, folder)
    assert (changed, withdrawn) == (True, 0)
    found = read_folder(folder, revision)
    *schools, (last_key, last) = log_of(empty_topics, School.topic)
    assert schools == found.records[School.topic]
    assert log_of(empty_topics, SchoolClass.topic) == found.records[SchoolClass.topic]
    assert last_key == b"manifest"
    assert Manifest.model_validate_json(last or b"") == found.manifest()


def test_the_same_files_are_not_sent_twice_unless_asked(empty_topics: LiveBroker, folder: Path) -> None:
    """Nothing new, nothing sent; `again` makes a new revision of the same."""
    revision, _, _ = load(empty_topics, folder)
    before = len(log_of(empty_topics, School.topic))
    assert load(empty_topics, folder) == (revision, False, 0)
    assert len(log_of(empty_topics, School.topic)) == before
    again, changed, _ = load(empty_topics, folder, even_if_unchanged=True)
    assert changed
    assert again > revision


def test_what_is_gone_is_withdrawn(empty_topics: LiveBroker, folder: Path) -> None:
    """A class that is no longer in the files gets a tombstone, once."""
    first, _, _ = load(empty_topics, folder)
    for file in ("classes.csv", "accounts.csv"):
        lines = (folder / file).read_text().splitlines(keepends=True)
        (folder / file).write_text("".join(line for line in lines if "cl-0689901T-01;" not in line))
    second, changed, withdrawn = load(empty_topics, folder)
    assert (changed, withdrawn) == (True, 1)
    assert second > first
    assert (b"cl-0689901T-01@2025-09-01", None) in log_of(empty_topics, SchoolClass.topic)
    assert load(empty_topics, folder, even_if_unchanged=True)[2] == 0


def test_a_load_that_was_cut_is_not_taken_for_a_whole_one(empty_topics: LiveBroker, folder: Path) -> None:
    """Records of a later revision without its manifest: the same files are sent again, above it."""
    revision, _, _ = load(empty_topics, folder)
    cut = read_folder(folder, revision + 1_000_000_000)
    with open_producer(empty_topics.bootstrap, api_version=empty_topics.api_version) as producer:
        for key, value in cut.records[School.topic][:5]:
            producer.send(School.topic, value, key)
    again, changed, _ = load(empty_topics, folder)
    assert changed
    assert again == revision + 1_000_000_001


def test_files_with_mistakes_send_nothing(empty_topics: LiveBroker, folder: Path) -> None:
    """All or nothing, and the error names every line."""
    text = (folder / "schools.csv").read_text()
    (folder / "schools.csv").write_text(text.replace("0689901T;", "0689901A;"))
    with pytest.raises(DirectoryFolderError, match="the check letter of 0689901 is T"):
        load(empty_topics, folder)
    assert log_of(empty_topics, School.topic) == []


def test_missing_topics_are_said(broker: LiveBroker, folder: Path) -> None:
    """The operator is told which topic, and what makes it."""
    if not _has(broker, School.topic):
        broker.create_topic(School.topic, 1)
    if _has(broker, SchoolClass.topic):
        broker.delete_topic(SchoolClass.topic)
    with pytest.raises(TopicError, match=r"ent\.class\.v1 is missing .* `ent topics`"):
        load(broker, folder)


def _has(broker: LiveBroker, topic: str) -> bool:
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, api_version=broker.api_version)
    try:
        return bool(consumer.partitions_for_topic(topic))
    finally:
        consumer.close()


def test_a_load_that_loses_too_many_schools_sends_nothing(empty_topics: LiveBroker, folder: Path) -> None:
    """It is refused before the first record, and taken where the loss is allowed; the preview says the same before."""
    day = date(2026, 10, 1)
    load(empty_topics, folder)
    before = log_of(empty_topics, School.topic)
    lines = (folder / "schools.csv").read_text().splitlines()
    kept = {line.split(";")[0] for line in lines[1:31]}
    for name in ("schools", "classes", "accounts"):
        path = folder / f"{name}.csv"
        head, *rest = path.read_text().splitlines()
        place = head.split(";").index("uai")
        path.write_text("\n".join([head, *(line for line in rest if line.split(";")[place] in kept)]) + "\n")
    difference = preview_directory(folder, empty_topics.bootstrap, day, api_version=empty_topics.api_version)
    assert difference.lost
    assert not difference.added
    told = {"api_version": empty_topics.api_version, "today": day}
    with pytest.raises(TooManyLostError, match="would be lost"):
        load_directory(folder, empty_topics.bootstrap, **told)  # type: ignore[arg-type]
    assert log_of(empty_topics, School.topic) == before
    done = load_directory(folder, empty_topics.bootstrap, max_loss_share=1.0, **told)  # type: ignore[arg-type]
    assert done.withdrawn >= len(difference.lost)
