"""The catalogue of applications in the database, for the labels of dashboards: the same that decoding uses."""

from __future__ import annotations

import polars as pl

from schemas.applications import APPLICATIONS, OTHER
from sinks.clickhouse.arrow import to_arrow
from sinks.clickhouse.client import Client


def write_applications(client: Client, database: str, release: int) -> None:
    """Write the catalogue of this version; of several releases (ascending numbers) the highest counts.

    Raises `DatabaseFailure`; may be repeated.
    """
    rows = [(app.key, app.label, app.kind.value, app.service, release) for app in APPLICATIONS.values()]
    rows.append((OTHER, "Autres applications", "", "", release))
    frame = pl.DataFrame(
        rows,
        schema={"app": pl.String, "label": pl.String, "kind": pl.String, "service": pl.String, "release": pl.UInt64},
        orient="row",
    )
    client.insert_arrow(f"{database}.applications", to_arrow(frame))
