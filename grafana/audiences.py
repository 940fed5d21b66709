"""Grafana for each audience: its data source and, in an organisation of its own, the dashboards. Provisioning as data.

Only organisations keep readers apart in Grafana's open edition: whoever is in one may ask each of its data sources
anything, whatever folder he looks at. So an audience with an organisation has there the one data source that
dashboards look for, under its own user; an audience without one gets a further data source in the first organisation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from grafana.source import EXACT_UID, SOURCE_TYPE
from sinks.clickhouse.access import Audience

_FIRST_ORGANISATION: Final = 1


@dataclass(frozen=True)
class Reached:
    """ClickHouse as Grafana reaches it."""

    host: str
    port: int
    database: str
    secure: bool


def sources(audiences: Sequence[Audience], reached: Reached) -> dict[str, Any]:
    """Grafana's provisioning document; passwords stand in it as `$ENT_ACCESS_NAME`, from Grafana's environment."""
    return {"apiVersion": 1, "datasources": [_source(each, reached) for each in audiences]}


def providers(audiences: Sequence[Audience], path: str) -> dict[str, Any]:
    """The dashboards that lie under `path` in Grafana's container, for each audience with an organisation."""
    return {
        "apiVersion": 1,
        "providers": [
            {
                "name": _title(each),
                "orgId": each.organisation,
                "folder": "ENT",
                "folderUid": "ent",
                "type": "file",
                "disableDeletion": True,
                "allowUiUpdates": False,
                "options": {"path": path},
            }
            for each in audiences
            if each.organisation is not None
        ],
    }


def _source(audience: Audience, reached: Reached) -> dict[str, Any]:
    own = audience.organisation is not None
    return {
        "name": _title(audience),
        "orgId": audience.organisation if own else _FIRST_ORGANISATION,
        "uid": EXACT_UID if own else audience.role.replace("_", "-"),
        "isDefault": own,
        "type": SOURCE_TYPE,
        "editable": False,
        "jsonData": {
            "host": reached.host,
            "port": reached.port,
            "protocol": "native",
            "secure": reached.secure,
            "username": audience.role,
            "defaultDatabase": f"{reached.database}_public" if audience.reading == "public" else reached.database,
            "dialTimeout": "10",
            "queryTimeout": "30",
        },
        "secureJsonData": {"password": f"$ENT_ACCESS_{audience.name.upper()}"},
    }


def _title(audience: Audience) -> str:
    reading = "chiffres publiés" if audience.reading == "public" else "chiffres exacts"
    return f"ENT, {audience.title or audience.name} ({reading})"
