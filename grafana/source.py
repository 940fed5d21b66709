"""The data source that dashboards look for, as Grafana's provisioning names it."""

from typing import Final

SOURCE_TYPE: Final = "grafana-clickhouse-datasource"
EXACT_UID: Final = "ent-clickhouse"
"""Of the exact figures; an audience with an organisation of its own has there another source under the same uid."""
