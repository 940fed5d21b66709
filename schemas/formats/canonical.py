"""The canonical format: CloudEvents 1.0 around the data of `schemas.event`, in both of Kafka's modes."""

from __future__ import annotations

from typing import Final

import polars as pl

from schemas.decode.form import TAG, Form, Split, names_a_school
from schemas.decode.outcome import Judged, Taken
from schemas.event import LAW, MAX_COUNT, MODELS, SHORT_TYPES, AppKind, Channel, Device, Profile, Recipients, Stage
from schemas.formats.attributes import compose
from schemas.formats.format import Batch
from schemas.formats.frame import COLUMNS
from schemas.formats.kept import Kept, application, count, each, flag, identifier, moment, one_of, uai

NAME: Final = "canonical"
FORM: Final = Form(
    NAME,
    LAW,
    dict(zip(SHORT_TYPES, MODELS, strict=True)),
    tag="type",
    rules={"_names_a_school": names_a_school("data.uai", "data.structures")},
    payload="data",
)
RECIPIENTS: Final = tuple(Recipients.model_fields)
_WITHIN = {f"recipients_{name}": f"data.recipients_by_profile.{name}" for name in RECIPIENTS}
_MADE = {
    "type": pl.col(TAG).replace_strict(SHORT_TYPES, return_dtype=COLUMNS["type"]),
    "profile": pl.coalesce("data.profile", "data.sender_profile"),
}
_EVENT: Final = [
    _MADE.get(name, pl.col(_WITHIN.get(name, name if name in FORM.schema else f"data.{name}"))).alias(name)
    for name in COLUMNS
]
KEPT: Final[Kept] = {
    "specversion": one_of(["1.0"]),
    "id": identifier,
    "source": identifier,
    "type": one_of(SHORT_TYPES),
    "time": moment,
    "data": {
        "uai": each(uai),
        "structures": each(identifier),
        "classes": each(identifier),
        "profile": one_of(Profile),
        "channel": one_of(Channel),
        "device": one_of(Device),
        "user": identifier,
        "session": identifier,
        "app": application,
        "app_raw": application,
        "app_kind": one_of(AppKind),
        "stage": one_of(Stage),
        "sender_profile": one_of(Profile),
        "recipient_count": count(MAX_COUNT),
        "recipients_by_profile": dict.fromkeys(RECIPIENTS, count(MAX_COUNT)),
        "push": flag,
        "mail": flag,
    },
}


class Canonical:
    """Adapter of the canonical format."""

    name = NAME
    markers = ('"specversion"',)
    kept = KEPT

    def claims(self, document: object) -> bool:
        """A CloudEvent, or something of a type of ours that lacks its version."""
        if not isinstance(document, dict):
            return False
        kind = document.get("type")
        return "specversion" in document or (isinstance(kind, str) and kind in SHORT_TYPES)

    def take(self, batch: Batch) -> Taken:
        """Structured events as they are, binary ones by their attributes and their data."""
        if batch.attributes is None:
            taken = FORM.take(batch.indexes, batch.records, batch.texts)
            return Taken(to_columns(taken.frame), taken.doubtful)
        binary = [place for place, told in enumerate(batch.attributes) if told is not None]
        others = [place for place, told in enumerate(batch.attributes) if told is None]
        split = Split(
            batch.texts.gather(binary),
            [batch.records[place] for place in binary],
            [told for told in batch.attributes if told is not None],
        )
        first = FORM.take_split([batch.indexes[place] for place in binary], split)
        second = FORM.take(
            [batch.indexes[place] for place in others],
            [batch.records[place] for place in others],
            batch.texts.gather(others),
        )
        frame = to_columns(pl.concat([first.frame, second.frame]).sort("index"))
        return Taken(frame, sorted([*first.doubtful, *second.doubtful]))

    def judge(self, batch: Batch) -> Judged:
        """Binary events are composed into structured ones first."""
        if batch.attributes is None:
            judged = FORM.judge(batch.indexes, batch.records)
            return Judged(to_columns(judged.frame), judged.refusals)
        places, records, refusals = compose(batch.indexes, batch.records, batch.attributes, NAME)
        judged = FORM.judge(places, records)
        return Judged(to_columns(judged.frame), [*refusals, *judged.refusals])


def to_columns(frame: pl.DataFrame) -> pl.DataFrame:
    """The form's columns as those of `COLUMNS`."""
    return frame.select(_EVENT)
