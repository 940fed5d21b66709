"""What only Prometheus knows of the chain: panels over its data source, which the page does not have."""

from typing import Any, Final

from grafana_foundation_sdk.builders import prometheus, timeseries
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as models

from grafana.dashboards.panels import COUNT, lines, stacked

SOURCE: Final = models.DataSourceRef(type_val="prometheus", uid="ent-prometheus")
"""As Grafana's provisioning calls it."""
_WORKERS: Final = '{job=~"ent-.*"}'
_SAID: Final = " Source : Prometheus (métriques du worker)."


def metrics_panels() -> list[timeseries.Panel]:
    """Lag by partition, what is stored, how long the stages take, memory, CPU."""
    return [
        _chart(
            "Retard par partition, dans le temps",
            "Enregistrements que Kafka garde et qui ne sont pas encore dans les fenêtres, par partition.",
            f"sum by (topic, partition) (ent_lag_records{_WORKERS})",
            "{{topic}} {{partition}}",
            COUNT,
        ),
        stacked(
            _chart(
                "Événements insérés par seconde",
                "Événements écrits dans la base, répétitions comprises, par topic.",
                f"sum by (topic) (rate(ent_events_stored_total{_WORKERS}[$__rate_interval]))",
                "{{topic}}",
                COUNT,
            )
        ),
        _chart(
            "Durée des étapes, 95e centile",
            "Durée d’un passage de chaque étape du worker : 95 % des passages sont plus courts.",
            "histogram_quantile(0.95, sum by (stage, le) "
            f"(rate(ent_stage_seconds_bucket{_WORKERS}[$__rate_interval])))",
            "{{stage}}",
            "s",
        ),
        _chart(
            "Mémoire des workers",
            "Mémoire résidente de chaque worker.",
            f"process_resident_memory_bytes{_WORKERS}",
            "{{job}} {{instance}}",
            "bytes",
        ),
        _chart(
            "Processeur des workers",
            "Secondes de processeur par seconde : 1 est un cœur entier.",
            f"rate(process_cpu_seconds_total{_WORKERS}[$__rate_interval])",
            "{{job}} {{instance}}",
            "none",
        ),
    ]


def _chart(title: str, description: str, expression: str, legend: str, unit: str) -> timeseries.Panel:
    query: Any = prometheus.Dataquery().expr(expression).legend_format(legend).range().ref_id("A").datasource(SOURCE)
    panel = lines(title, description + _SAID, "", unit).datasource(SOURCE)
    return panel.show_points(common.VisibilityMode.NEVER).targets([query])
