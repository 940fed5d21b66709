"""Mends dead letters: reads their originals, judges them, sends what is accepted, and marks it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from schemas.formats import formats_at
from sinks.clickhouse.client import connect
from sinks.clickhouse.dead_letters import Letter, write_mends
from sinks.clickhouse.directory import current_revision, read_directory
from streams.batch import Batch
from streams.directory.snapshot import Directory
from streams.incarnation import identify
from streams.mending.originals import Originals
from streams.mending.replay import Verdict, judge
from streams.pipeline import Keys, Limits, Work, process
from streams.producer import Producer
from streams.settings import Settings
from streams.topics import BACKFILL, EVENT_TOPICS


class Mender:
    """What a replay needs, connected once."""

    def __init__(self, settings: Settings) -> None:
        """Raise SettingsError without the keys, TopicError without the broker, and as the store does."""
        self.client, self.database = connect(settings.database), settings.database.database
        self._keys = Keys(settings.keyring(), settings.key("event_id_key"))
        revision = current_revision(self.client, self.database)
        self._directory = Directory.empty()
        if revision is not None:
            self._directory = Directory(revision, read_directory(self.client, self.database, revision))
        self._formats = formats_at(settings.formats)
        kafka = settings.kafka
        self._incarnations = identify(kafka.bootstrap, [*EVENT_TOPICS, BACKFILL], kafka.log_identity, kafka.security)
        self._originals = Originals(kafka.bootstrap, kafka.api_version, self._incarnations, kafka.security)

    def mend(self, letters: Sequence[Letter], producer: Producer | None) -> list[Verdict]:
        """Judge some dead letters; with a producer, send what is accepted, and mark it once Kafka has it."""
        originals = self._originals.read(letter.place for letter in letters)
        verdicts = list(judge(letters, originals, self._keys.pseudonyms, self._process, datetime.now(UTC)))
        if producer is not None:
            self._send(verdicts, producer)
            write_mends(self.client, self.database, [verdict.mend for verdict in verdicts if verdict.mend])
        return verdicts

    def _send(self, verdicts: Sequence[Verdict], producer: Producer) -> None:
        partitions = producer.partitions(BACKFILL)
        for verdict in verdicts:
            if verdict.accepted and (source := verdict.source):
                partition = verdict.letter.offset % partitions
                producer.send(BACKFILL, source.value, partition=partition, headers=list(source.headers))
        producer.flush()

    def _process(self, batches: list[Batch]) -> Work:
        return process(batches, self._directory, self._keys, self._incarnations, Limits(), self._formats)
