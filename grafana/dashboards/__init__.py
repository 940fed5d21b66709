"""The dashboards as Python: French titles, descriptions with definitions, SQL in one file each under `sql/`.

They are built with grafana-foundation-sdk, which is needed here only (extra `dev`): the page and Grafana read the files
in `grafana/generated/`.
"""

from grafana.dashboards.catalogue import GENERATED, build, made, stale
from grafana.dashboards.inspection import check, check_published
from grafana.dashboards.rules import check_rules

__all__ = ["GENERATED", "build", "check", "check_published", "check_rules", "made", "stale"]
