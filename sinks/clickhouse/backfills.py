"""How far files were sent to the backfill lane: kept in the database, so that any machine may go on."""

from __future__ import annotations

from sinks.clickhouse.client import Client


def read_backfill(client: Client, database: str, digest: str, incarnation: int) -> tuple[int, bool]:
    """Lines of the file of this digest that the log of this incarnation has, and whether that is all of it."""
    rows = client.query_rows(
        f"SELECT lines, finished FROM {database}.backfills FINAL "
        "WHERE digest = {digest:String} AND incarnation = {incarnation:UInt32}",
        {"digest": digest, "incarnation": incarnation},
    )
    return (int(rows[0][0]), bool(rows[0][1])) if rows else (0, False)


def write_backfill(
    client: Client, database: str, digest: str, incarnation: int, *, name: str, lines: int, finished: bool
) -> None:
    """Remember that; the last word counts."""
    client.command(
        f"INSERT INTO {database}.backfills (digest, incarnation, name, lines, finished, at) "
        f"SELECT {{digest:String}}, {{incarnation:UInt32}}, {{name:String}}, {lines:d}, {finished}, now64(6)",
        {"digest": digest, "incarnation": incarnation, "name": name},
    )
