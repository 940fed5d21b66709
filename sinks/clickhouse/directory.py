"""The directory in the database: records as they arrive, revisions put in force when all there, and their reading.

Several workers each see a part of a revision. Each stores what it sees; whoever finds the parts of a manifest complete,
in number and in content, puts that revision in force. Every step may be repeated and happen in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from schemas.directory_reader import DirectoryRefusal, read_directory_records
from schemas.directory_row import ACCOUNTS_ROW, CLASS_ROW, MANIFEST_ROW, PROFILE_ROW, SCHOOL_ROW, DirectoryRows, to_rows
from sinks.clickhouse.client import Client

KEPT_REVISIONS: Final = 3
"""The one in force and those before it that a slow worker may still be reading."""
_TABLES: Final = {
    "accounts": ACCOUNTS_ROW,
    "profiles": PROFILE_ROW,
    "classes": CLASS_ROW,
    "schools": SCHOOL_ROW,
    "directory_manifests": MANIFEST_ROW,
}
"""Accounts first: they have no digest of their own, and are there wherever the record is that they came with."""
_COUNTED: Final = ("schools", "classes", "profiles")


class DirectoryGoneError(ValueError):
    """The revision is not in the database, or no longer: read the one in force."""


def store_directory_records(
    client: Client, database: str, topic: str, keys: Sequence[bytes | None], values: Sequence[bytes | None]
) -> list[DirectoryRefusal]:
    """Store records of one of the directory's topics; what is none is returned and keeps its revision out of force.

    Raises `DatabaseFailure`; the same records may be stored again. Records of revisions that are forgotten already, as
    a log that is read from its beginning holds them, are left out.
    """
    batch = read_directory_records(topic, keys, values)
    oldest = _oldest_kept(client, database)
    rows = to_rows(record for record in batch.records if record.revision >= oldest)
    frames = dict(zip(_TABLES, (rows.accounts, rows.profiles, rows.classes, rows.schools, rows.manifests), strict=True))
    for table, frame in frames.items():
        # A partition is a revision, and an insert may not touch more than a hundred of them.
        for part in frame.partition_by("revision") if len(frame) else ():
            client.insert_arrow(f"{database}.{table}", part.to_arrow(compat_level=pl.CompatLevel.oldest()))
    return batch.refusals


def activate_if_complete(client: Client, database: str) -> int | None:
    """Put in force every revision above the present one whose manifest is met; the newest of them, or None."""
    waiting = client.query_rows(
        f"SELECT revision, schools, classes, profiles, content FROM {database}.directory_manifests FINAL "
        f"WHERE revision > (SELECT max(revision) FROM {database}.directory_revisions) ORDER BY revision"
    )
    activated: int | None = None
    for revision, schools, classes, profiles, content in waiting:
        if (
            _counts(client, database, revision) == [schools, classes, profiles]
            and _content(client, database, revision) == content
        ):
            client.command(
                f"INSERT INTO {database}.directory_revisions "
                "(revision, content, schools, classes, profiles, activated_at) "
                "SELECT {revision:UInt64}, {content:String}, {schools:UInt32}, {classes:UInt32}, {profiles:UInt32}, "
                "now64(3)",
                {
                    "revision": revision,
                    "content": content,
                    "schools": schools,
                    "classes": classes,
                    "profiles": profiles,
                },
            )
            activated = revision
    if activated is not None:
        _forget_old(client, database)
    return activated


def current_revision(client: Client, database: str) -> int | None:
    """The revision in force; None where there was never one."""
    ((revision,),) = client.query_rows(f"SELECT max(revision) FROM {database}.directory_revisions")
    return int(revision) or None


def read_directory(client: Client, database: str, revision: int) -> DirectoryRows:
    """All rows of a revision that was put in force. Raises DirectoryGoneError where it is not there as it was then."""
    frames = {table: _read(client, database, table, row, revision) for table, row in _TABLES.items()}
    then = client.query_rows(
        f"SELECT schools, classes, profiles FROM {database}.directory_revisions FINAL "
        "WHERE revision = {revision:UInt64}",
        {"revision": revision},
    )
    if then != [tuple(len(frames[table]) for table in _COUNTED)]:
        raise DirectoryGoneError(f"revision {revision} of the directory is not complete in {database}")
    return DirectoryRows(
        frames["schools"], frames["classes"], frames["profiles"], frames["accounts"], frames["directory_manifests"]
    )


def _counts(client: Client, database: str, revision: int) -> list[int]:
    """How many records of a revision are there, by kind."""
    return [
        client.query_rows(
            f"SELECT count() FROM {database}.{table} FINAL WHERE {table}.revision = {{revision:UInt64}}",
            {"revision": revision},
        )[0][0]
        for table in _COUNTED
    ]


def _content(client: Client, database: str, revision: int) -> str:
    """The digest over the records of a revision that are there: `schemas.directory.content_digest` in SQL."""
    union = " UNION ALL ".join(
        f"SELECT digest FROM {database}.{table} FINAL WHERE {table}.revision = {{revision:UInt64}}"
        for table in _COUNTED
    )
    ((content,),) = client.query_rows(
        f"SELECT lower(hex(SHA256(unhex(arrayStringConcat(arraySort(groupArray(hex(digest)))))))) FROM ({union})",
        {"revision": revision},
    )
    return str(content)


def _read(client: Client, database: str, table: str, row: dict[str, pl.DataType], revision: int) -> pl.DataFrame:
    columns = ", ".join(f"toString({name}) AS {name}" if kind == pl.String else name for name, kind in row.items())
    found = client.query_arrow(
        f"SELECT {columns} FROM {database}.{table} FINAL WHERE {table}.revision = {{revision:UInt64}}",
        {"revision": revision},
    )
    frame = pl.from_arrow(found)
    assert isinstance(frame, pl.DataFrame)
    return frame.select(pl.col(name).cast(kind) for name, kind in row.items())


def _oldest_kept(client: Client, database: str) -> int:
    """The first of the last few revisions that were put in force; 0 while there are fewer."""
    kept = client.query_rows(
        f"SELECT DISTINCT revision FROM {database}.directory_revisions ORDER BY revision DESC LIMIT {KEPT_REVISIONS}"
    )
    return int(kept[-1][0]) if len(kept) == KEPT_REVISIONS else 0


def _forget_old(client: Client, database: str) -> None:
    """Drop what no worker reads any more, revisions that were never complete among it."""
    oldest = _oldest_kept(client, database)
    for table in ("schools", "classes", "profiles", "accounts"):
        parts = client.query_rows(
            "SELECT DISTINCT partition FROM system.parts WHERE active AND database = {database:String} "
            "AND table = {table:String} AND toUInt64(partition) < {oldest:UInt64}",
            {"database": database, "table": table, "oldest": oldest},
        )
        for (partition,) in parts:
            client.command(f"ALTER TABLE {database}.{table} DROP PARTITION {int(partition)}")
