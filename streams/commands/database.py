"""`ent database`: the embedded ClickHouse, in the foreground."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sinks.clickhouse.embedded.__main__ import serve


def database(
    folder: Annotated[Path, typer.Argument(help="Where its files are; created if missing, kept between starts.")],
    port: Annotated[int, typer.Option(help="Port on the loopback interface; 0: any free one.")] = 8123,
    user: Annotated[str, typer.Option(help="The owner's name.")] = "ent",
) -> None:
    """Run ClickHouse's engine behind ClickHouse's HTTP interface on loopback, until SIGTERM.

    The password comes from ENT_DATABASE_PASSWORD. It survives being killed and starts again on the same files.
    """
    serve(folder, port=port, user=user)
