"""What a platform's format must be able to do. A new one is one file beside this, and one line in `FORMATS`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from schemas.decode.form import Attributes
from schemas.decode.outcome import Judged, Taken
from schemas.formats.kept import Kept
from schemas.pseudonym import Key


@dataclass(frozen=True)
class Batch:
    """Some records of one format, none of them empty."""

    indexes: Sequence[int]
    """Their places among all records."""
    records: Sequence[bytes]
    texts: pl.Series
    """The same as text, null where they are not UTF-8."""
    attributes: Sequence[Attributes | None] | None
    """CloudEvents attributes of those that came in Kafka's binary mode; None where none did."""
    event_key: Key
    """Under which ids are made for events that have none."""


class Format(Protocol):
    """A platform's format.

    `take` and `judge` give frames of `schemas.formats.frame.COLUMNS`. The models behind `judge` are the law; what
    `take` takes must be what they accept, with equal values.
    """

    @property
    def name(self) -> str:
        """Short name, as stored with each event."""

    @property
    def markers(self) -> tuple[str, ...]:
        """Texts of which every plainly spelt record of this format contains one: the cheap detection."""

    @property
    def kept(self) -> Kept:
        """What a dead letter keeps of this format's records."""

    def claims(self, document: object) -> bool:
        """Whether a parsed JSON document is of this format: the exact detection, for what is not plain."""

    def take(self, batch: Batch) -> Taken:
        """Many records at once: those that are certainly valid."""

    def judge(self, batch: Batch) -> Judged:
        """The same records one by one, by the law."""
