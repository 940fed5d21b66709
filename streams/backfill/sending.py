"""A file's records on the backfill lane: resumed where it was cut, never further ahead of the worker than allowed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from kafka.errors import KafkaError

from streams.backfill.files import lines
from streams.producer import Producer
from streams.topics import BACKFILL

_CHECKPOINT_LINES = 10_000
_ASK_EVERY_S = 0.5


class BackfillError(RuntimeError):
    """A file could not be sent; the message says why and what to do."""


@dataclass(frozen=True)
class Sent:
    """How far a file was sent."""

    lines: int
    """Lines that the broker has for certain, blank ones included."""
    finished: bool


@dataclass(frozen=True)
class Step:
    """Where the sending of a file stands."""

    sent: Sent
    read_bytes: int
    """Of the file, compressed as it is."""
    waiting: int
    """Records by which the worker is behind, if that is why nothing is sent; else 0."""


class Distance(Protocol):
    """How far the backfill worker is behind what was sent."""

    def behind(self, sent: int) -> int:
        """Records not in the windows yet, of `sent` since the beginning."""


@dataclass
class Sending:
    """Sends files one after the other."""

    producer: Producer
    distance: Distance
    ahead: int
    """Records that may be sent and not be in the windows yet."""
    remember: Callable[[Path, str, Sent], None]
    """Keeps how far a file is, by its digest."""
    records: int = 0
    """Sent since the beginning."""

    def send(self, path: Path, digest: str, before: Sent) -> Iterator[Step]:
        """Send the lines of `path` that come after `before`, and tell now and then how far it is.

        Raises BackfillError for a line that Kafka does not take, and whatever the producer and the file raise; what was
        told before is remembered, so the next run goes on there.
        """
        partitions = self.producer.partitions(BACKFILL)
        sent, read_bytes = before, 0
        for number, (line, read_bytes) in enumerate(lines(path), 1):
            if number <= before.lines:
                continue
            if line:
                self._put(path, number, line, partition=number // _CHECKPOINT_LINES % partitions)
            if number % _CHECKPOINT_LINES == 0:
                sent = self._confirm(path, digest, Sent(number, finished=False))
                yield Step(sent, read_bytes, 0)
                yield from self._wait(Step(sent, read_bytes, 0))
            sent = replace(sent, lines=number)
        yield Step(self._confirm(path, digest, replace(sent, finished=True)), read_bytes, 0)

    def _put(self, path: Path, number: int, line: bytes, partition: int) -> None:
        try:
            self.producer.send(BACKFILL, line, partition=partition)
        except KafkaError as error:
            raise BackfillError(
                f"{path}: line {number} of {len(line)} bytes is not taken ({error}): cut it out of the file and go on"
            ) from error
        self.records += 1

    def _confirm(self, path: Path, digest: str, sent: Sent) -> Sent:
        self.producer.flush()
        self.remember(path, digest, sent)
        return sent

    def _wait(self, step: Step) -> Iterator[Step]:
        while (waiting := self.distance.behind(self.records)) > self.ahead:
            yield replace(step, waiting=waiting)
            time.sleep(_ASK_EVERY_S)
