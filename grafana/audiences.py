"""A data source of Grafana for each audience: its user, its database, its name in French."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sinks.clickhouse.access import Audience

SOURCE_TYPE = "grafana-clickhouse-datasource"


def sources(audiences: Sequence[Audience], host: str, port: int, database: str, *, secure: bool) -> dict[str, Any]:
    """Grafana's provisioning document; passwords stand in it as `$ENT_ACCESS_NAME`, from Grafana's environment."""
    return {"apiVersion": 1, "datasources": [_source(each, host, port, database, secure=secure) for each in audiences]}


def _source(audience: Audience, host: str, port: int, database: str, *, secure: bool) -> dict[str, Any]:
    reading = "chiffres publiés" if audience.reading == "public" else "chiffres exacts"
    return {
        "name": f"ENT, {audience.title or audience.name} ({reading})",
        "uid": audience.role.replace("_", "-"),
        "type": SOURCE_TYPE,
        "editable": False,
        "jsonData": {
            "host": host,
            "port": port,
            "protocol": "native",
            "secure": secure,
            "username": audience.role,
            "defaultDatabase": f"{database}_public" if audience.reading == "public" else database,
            "dialTimeout": "10",
            "queryTimeout": "30",
        },
        "secureJsonData": {"password": f"$ENT_ACCESS_{audience.name.upper()}"},
    }
