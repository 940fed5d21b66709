"""Records of the directory's topics as they arrive: read one by one, refused one by one, with a typed reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from schemas.directory import DirectoryRecord, Manifest, ProfileRecord, School, SchoolClass
from schemas.reason import Reason

_MODELS: Final[dict[str, type[School | SchoolClass | ProfileRecord]]] = {
    model.topic: model for model in (School, SchoolClass, ProfileRecord)
}


@dataclass(frozen=True, slots=True)
class DirectoryRefusal:
    """A record that is none of the directory's; its revision will not come into force and the one before stays."""

    index: int
    """Place in the batch."""
    key: str
    reason: Reason
    message: str
    """What is wrong, without the record's content."""


@dataclass(frozen=True, slots=True)
class DirectoryBatch:
    """What the records of a batch came to; every record is in exactly one of the three."""

    records: list[DirectoryRecord]
    withdrawn: int
    """Tombstones."""
    refusals: list[DirectoryRefusal]


def read_directory_records(topic: str, keys: Sequence[bytes | None], values: Sequence[bytes | None]) -> DirectoryBatch:
    """Read records of a directory's topic. Raises KeyError for a topic that is none of them."""
    model = _MODELS[topic]
    records: list[DirectoryRecord] = []
    refusals: list[DirectoryRefusal] = []
    withdrawn = 0
    for index, (raw_key, value) in enumerate(zip(keys, values, strict=True)):
        if value is None:
            withdrawn += 1
            continue
        key = (raw_key or b"").decode(errors="replace")
        manifest = model is School and key == Manifest.KEY
        try:
            record = (Manifest if manifest else model).model_validate_json(value)
        except ValidationError as error:
            refusals.append(_refusal(index, key, error))
            continue
        if record.key != key:
            message = f"the record's key must be {record.key}"
            refusals.append(DirectoryRefusal(index, key, Reason.BAD_VALUE, message))
            continue
        records.append(record)
    return DirectoryBatch(records, withdrawn, refusals)


def _refusal(index: int, key: str, error: ValidationError) -> DirectoryRefusal:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    kind = first["type"]
    if kind == "json_invalid":
        reason = Reason.BAD_JSON
    elif kind == "missing":
        reason = Reason.MISSING_FIELD
    elif kind.endswith(("_type", "_parsing")):
        reason = Reason.BAD_TYPE
    else:
        reason = Reason.BAD_VALUE
    place = ".".join(str(step) for step in first["loc"])
    return DirectoryRefusal(index, key, reason, f"{place}: {first['msg']}" if place else first["msg"])
