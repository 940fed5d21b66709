"""The embedded database as a program: python -m sinks.clickhouse.embedded FOLDER --port 8123."""

import argparse
import logging
import os
import sys
from pathlib import Path

from pydantic import SecretStr

from sinks.clickhouse.embedded.handler import User
from sinks.clickhouse.embedded.ownership import FolderTaken
from sinks.clickhouse.embedded.refusal import Refusal
from sinks.clickhouse.embedded.server import run

PASSWORD = "ENT_DATABASE_PASSWORD"  # noqa: S105 (a variable's name)
READER_PASSWORD = "ENT_DATABASE_READER_PASSWORD"  # noqa: S105 (a variable's name)
READER_LIMITS = {
    "max_execution_time": 30,
    "max_memory_usage": 300 * 1024 * 1024,
    "max_result_rows": 1_000_000,
    "max_result_bytes": 64 * 1024 * 1024,
}
"""What one statement of the reader may take at most: seconds, bytes, rows, bytes."""


def serve(
    folder: Path,
    *,
    port: int = 8123,
    user: str = "default",
    password_file: Path | None = None,
    reader: str = "viewer",
    reader_databases: tuple[str, ...] = ("ent", "ent_public"),
    stop_with_stdin: bool = False,
) -> None:
    """Serve the database in `folder` on loopback until SIGTERM, and end the program.

    The owner's password is in ENT_DATABASE_PASSWORD or in `password_file`; the reader exists if
    ENT_DATABASE_READER_PASSWORD is set. Raises SystemExit, with the reason and what to do where it cannot start.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    password = os.environ.pop(PASSWORD, "")
    reader_password = os.environ.pop(READER_PASSWORD, "")
    try:
        if password_file is not None:
            password = password_file.read_text().strip()
        if not password:
            sys.exit(f"the embedded database needs a password: set {PASSWORD}, or name a file that holds it")
        if reader == user and reader_password:
            sys.exit(f"the reader needs a name of its own: {user!r} is the owner")
        users = [User(user, SecretStr(password))]
        if reader_password:
            users.append(User(reader, SecretStr(reader_password), frozenset(reader_databases), READER_LIMITS))
        sys.exit(run(folder, users, port, stop_with=sys.stdin.fileno() if stop_with_stdin else None))
    except FolderTaken as error:
        sys.exit(str(error))
    except Refusal as error:
        sys.exit(f"the files in {folder} cannot be opened: {error.message}")
    except ModuleNotFoundError as error:
        sys.exit(f"the embedded database needs {error.name}: pip install 'ent-telemetry[embedded]'")
    except OSError as error:
        sys.exit(f"the embedded database cannot start on port {port} in {folder}: {error.strerror or error}")


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m sinks.clickhouse.embedded", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the database lies; created if need be")
    parser.add_argument("--port", type=int, default=8123, help="0 takes a free one (default %(default)s)")
    parser.add_argument("--user", default="default", help=f"the owner's name; the password is read from {PASSWORD}")
    parser.add_argument("--password-file", type=Path, help="a file that holds the owner's password instead")
    parser.add_argument("--reader", default="viewer", help=f"a name that may only read, if {READER_PASSWORD} is set")
    parser.add_argument(
        "--reader-database", action="append", help="a database that the reader may read (default: ent and ent_public)"
    )
    parser.add_argument("--stop-with-stdin", action="store_true", help="stop when standard input ends")
    options = parser.parse_args()
    serve(
        options.folder,
        port=options.port,
        user=options.user,
        password_file=options.password_file,
        reader=options.reader,
        reader_databases=tuple(options.reader_database or ("ent", "ent_public")),
        stop_with_stdin=options.stop_with_stdin,
    )


if __name__ == "__main__":
    main()
