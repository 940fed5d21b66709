"""Grafana's provisioning files say the same as the dashboards and the page's server."""

from pathlib import Path
from typing import Any

import pytest
import yaml

import grafana
from grafana.dashboards import made
from grafana.viewer.app import SOURCE

FOLDER = Path(grafana.__file__).parent / "provisioning"


def _read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text())


def test_the_data_source_is_the_one_for_which_the_page_answers() -> None:
    (source,) = _read("datasources/clickhouse.yaml")["datasources"]
    assert {key: source[key] for key in SOURCE} == SOURCE


def test_no_password_is_written_down() -> None:
    (source,) = _read("datasources/clickhouse.yaml")["datasources"]
    assert source["secureJsonData"] == {"password": "$CLICKHOUSE_GRAFANA_PASSWORD"}


@pytest.mark.parametrize("uid", ["ent-accueil", "ent-adoption"])
def test_dashboards_name_the_data_source_by_their_variable(uid: str) -> None:
    board = made()[uid]
    (variable,) = (v for v in board["templating"]["list"] if v["type"] == "datasource")
    assert variable["query"] == SOURCE["type"]
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            assert target["datasource"] == {"type": SOURCE["type"], "uid": "${ds}"}
