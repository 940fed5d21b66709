"""Backups of a whole database by ClickHouse itself, into the folder that its configuration allows (`backups`).

Windows and states are copied as they are, so nothing is computed again by a restore. Every function raises
`DatabaseFailure` where the database refuses.
"""

from __future__ import annotations

import re
from typing import Final

from sinks.clickhouse.client import Client

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


class BackupRefused(ValueError):
    """A name that cannot be used, or a database that is not empty; the message says what to do."""


def back_up(client: Client, database: str, name: str) -> None:
    """Copy every table into a new backup of this name. Returns when it is complete.

    Raises BackupRefused.
    """
    client.command(f"BACKUP DATABASE {database} TO {_place(name)}")


def restore(client: Client, database: str, name: str) -> None:
    """Bring every table back from a backup, into a database that has none yet. Returns when it is complete.

    Raises BackupRefused.
    """
    rows = client.query_rows(
        "SELECT count() FROM system.tables WHERE database = {database:String}", {"database": database}
    )
    if rows[0][0]:
        raise BackupRefused(
            f"the database {database} has {rows[0][0]} tables: restore into an empty one, or put it aside first "
            f"(RENAME DATABASE {database} TO {database}_before)"
        )
    client.command(f"RESTORE DATABASE {database} FROM {_place(name)}")


def _place(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise BackupRefused(f"{name!r} is no name of a backup: letters, digits, - and _, for example ent-2026-11-22")
    return f"File('{name}')"
