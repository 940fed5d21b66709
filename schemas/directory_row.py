"""The rows of the directory: the columns of its tables in their order, as polars types, and one revision as frames.

`sinks/clickhouse/migrations` says the same in SQL with a comment for each column.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final, NamedTuple

import polars as pl

from schemas.directory import DirectoryRecord, Manifest, ProfileRecord, School, SchoolClass

SCHOOL_ROW: Final[dict[str, pl.DataType]] = {
    "revision": pl.UInt64(),
    "uai": pl.String(),
    "valid_from": pl.Date(),
    "valid_to": pl.Date(),
    "name": pl.String(),
    "commune": pl.String(),
    "circonscription": pl.String(),
    "pole": pl.String(),
    "education_prioritaire": pl.String(),
    "nature": pl.String(),
    "academie": pl.String(),
    "zone": pl.String(),
    "holidays": pl.String(),
    "deployed_from": pl.Date(),
    "pilot": pl.Boolean(),
    "mobile_classes": pl.UInt16(),
    "structure_ids": pl.List(pl.String()),
    "pupils": pl.UInt16(),
    "ips": pl.Float64(),
    "digest": pl.Binary(),
}

CLASS_ROW: Final[dict[str, pl.DataType]] = {
    "revision": pl.UInt64(),
    "class_id": pl.String(),
    "uai": pl.String(),
    "valid_from": pl.Date(),
    "valid_to": pl.Date(),
    "label": pl.String(),
    "levels": pl.List(pl.String()),
    "cycle": pl.String(),
    "pupils": pl.UInt16(),
    "projector": pl.Boolean(),
    "teacher_trained": pl.Boolean(),
    "pilot": pl.Boolean(),
    "names": pl.List(pl.String()),
    "digest": pl.Binary(),
}

PROFILE_ROW: Final[dict[str, pl.DataType]] = {
    "revision": pl.UInt64(),
    "profile": pl.String(),
    "label": pl.String(),
    "dnma": pl.String(),
    "rank": pl.UInt8(),
    "digest": pl.Binary(),
}

ACCOUNTS_ROW: Final[dict[str, pl.DataType]] = {
    "revision": pl.UInt64(),
    "uai": pl.String(),
    "class_id": pl.String(),
    "profile": pl.String(),
    "loaded": pl.UInt32(),
    "activated": pl.UInt32(),
}

MANIFEST_ROW: Final[dict[str, pl.DataType]] = {
    "revision": pl.UInt64(),
    "schools": pl.UInt32(),
    "classes": pl.UInt32(),
    "profiles": pl.UInt32(),
    "content": pl.String(),
}


@dataclass(frozen=True)
class DirectoryRows:
    """Rows of the directory: of one revision where they were read, of any where they are to be stored."""

    schools: pl.DataFrame
    classes: pl.DataFrame
    profiles: pl.DataFrame
    accounts: pl.DataFrame
    manifests: pl.DataFrame


def to_rows(records: Iterable[DirectoryRecord]) -> DirectoryRows:
    """The rows of `records`. Accounts are one row per profile, with an empty class where they belong to the school.

    Versions of one school or class all tell the same accounts, those of today, and so the same rows.
    """
    schools: list[School] = []
    classes: list[SchoolClass] = []
    profiles: list[ProfileRecord] = []
    manifests: list[Manifest] = []
    for record in records:
        match record:
            case School():
                schools.append(record)
            case SchoolClass():
                classes.append(record)
            case ProfileRecord():
                profiles.append(record)
            case Manifest():
                manifests.append(record)
    accounts = [
        *(_Place(school, school.uai, "") for school in schools),
        *(_Place(school_class, school_class.uai, school_class.class_id) for school_class in classes),
    ]
    return DirectoryRows(
        _frame(schools, SCHOOL_ROW),
        _frame(classes, CLASS_ROW),
        _frame(profiles, PROFILE_ROW),
        _accounts(accounts),
        _frame(manifests, MANIFEST_ROW),
    )


class _Place(NamedTuple):
    record: School | SchoolClass
    uai: str
    class_id: str


def _accounts(places: Sequence[_Place]) -> pl.DataFrame:
    rows = [
        (record.revision, uai, class_id, accounts.profile, accounts.loaded, accounts.activated)
        for record, uai, class_id in places
        for accounts in record.accounts
    ]
    return pl.DataFrame(rows, schema=ACCOUNTS_ROW, orient="row").unique(maintain_order=True)


def _frame(records: Sequence[DirectoryRecord], schema: dict[str, pl.DataType]) -> pl.DataFrame:
    columns: dict[str, list[object]] = {
        name: [record.digest() for record in records] if name == "digest" else list(map(attrgetter(name), records))
        for name in schema
    }
    return pl.DataFrame(columns, schema=schema)
