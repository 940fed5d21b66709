"""Queries as grafana-clickhouse-datasource reads them; the SDK has none for ClickHouse."""

from typing import Any

from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.models import dashboard as models

from grafana.source import SOURCE_TYPE

SOURCE = models.DataSourceRef(type_val=SOURCE_TYPE, uid="${ds}")
"""The data source that the variable `ds` names: the same dashboard reads the exact or the published figures."""


class ClickHouse(variants.Dataquery):
    """One statement; `series`: rows with a time, which the data source turns into one series for each label."""

    def __init__(self, sql: str, *, ref_id: str = "A", series: bool = False) -> None:
        self.sql = sql
        self.ref_id = ref_id
        self.series = series

    def to_json(self) -> dict[str, Any]:
        """As in a panel's `targets`."""
        return {
            "refId": self.ref_id,
            "datasource": {"type": SOURCE_TYPE, "uid": SOURCE.uid},
            "editorType": "sql",
            "queryType": "timeseries" if self.series else "table",
            "format": 0 if self.series else 1,
            "rawSql": self.sql,
            "meta": {"timezone": "Europe/Paris"},
        }


class Ready(builder.Builder[Any]):
    """What is no builder where the SDK asks for one."""

    def __init__(self, ready: Any) -> None:
        self._ready = ready

    def build(self) -> Any:
        return self._ready


class _AnnotationTarget(models.AnnotationTarget):
    def __init__(self, query: ClickHouse) -> None:
        super().__init__()
        self._query = query

    def to_json(self) -> dict[str, object]:
        return self._query.to_json()


def rows(sql: str) -> builder.Builder[Any]:
    """A target that gives a table."""
    return Ready(ClickHouse(sql))


def series(sql: str) -> builder.Builder[Any]:
    """A target that gives time series."""
    return Ready(ClickHouse(sql, series=True))


def annotation(sql: str) -> builder.Builder[Any]:
    """The target of an annotation: columns time, timeEnd, text, tags."""
    return Ready(_AnnotationTarget(ClickHouse(sql, ref_id="Anno")))
