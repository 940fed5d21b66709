"""Grafana's provisioning files say the same as the dashboards and the page's server."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import grafana
from grafana.dashboards import made
from grafana.viewer.app import EXACT, PUBLISHED
from streams.metrics import REGISTRY

FOLDER = Path(grafana.__file__).parent / "provisioning"


def _read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text())


def test_the_data_sources_are_those_for_which_the_page_answers() -> None:
    found = _read("datasources/clickhouse.yaml")["datasources"]
    assert [{key: source[key] for key in EXACT} for source in found] == [EXACT, PUBLISHED]
    assert [source["jsonData"]["defaultDatabase"] for source in found] == ["ent", "ent_public"]


def test_no_password_is_written_down() -> None:
    for source in _read("datasources/clickhouse.yaml")["datasources"]:
        assert source["secureJsonData"] == {"password": "$CLICKHOUSE_GRAFANA_PASSWORD"}


@pytest.mark.parametrize("uid", ["ent-accueil", "ent-adoption"])
def test_dashboards_name_the_data_source_by_their_variable(uid: str) -> None:
    board = made()[uid]
    (variable,) = (v for v in board["templating"]["list"] if v["type"] == "datasource")
    assert variable["query"] == EXACT["type"]
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            of_metrics = {"type": "prometheus", "uid": "ent-prometheus"}
            assert target["datasource"] == (
                {"type": EXACT["type"], "uid": "${ds}"} if "rawSql" in target else of_metrics
            )


def test_panels_over_prometheus_name_a_source_and_metrics_that_are_there() -> None:
    (source,) = _read("datasources/prometheus.yaml")["datasources"]
    told = {sample.name for family in REGISTRY.collect() for sample in family.samples} | {
        f"{family.name}{suffix}" for family in REGISTRY.collect() for suffix in ("", "_total", "_bucket")
    }
    targets = [t for panel in made()["ent-collecte"]["panels"] for t in panel.get("targets", []) if "expr" in t]
    assert targets
    for target in targets:
        assert target["datasource"] == {"type": source["type"], "uid": source["uid"]}
        assert set(re.findall(r"\b(?:ent|process)_\w+", target["expr"])) <= told


def _alerting(name: str, what: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _read(f"alerting/{name}.yaml")[what]
    return found


RULES = [rule for group in _alerting("rules", "groups") for rule in group["rules"]]
CONTACTS = _alerting("contact_points", "contactPoints")


def test_policies_name_contact_points_and_mute_timings_that_exist() -> None:
    """Grafana refuses the whole tree of policies otherwise, and nobody would be told anything."""
    (tree,) = _alerting("policies", "policies")
    routes = [tree, *tree["routes"]]
    assert {route["receiver"] for route in routes} == {contact["name"] for contact in CONTACTS}
    named = {name for route in routes for name in route.get("mute_time_intervals", [])}
    assert named == {timing["name"] for timing in _alerting("mute_timings", "muteTimes")}


def test_notifications_use_templates_that_are_defined() -> None:
    (texts,) = _alerting("templates", "templates")
    defined = set(re.findall(r'define "([^"]+)"', texts["template"]))
    receivers = [receiver for contact in CONTACTS for receiver in contact["receivers"]]
    used = {
        name
        for receiver in receivers
        for value in receiver["settings"].values()
        for name in re.findall(r'template "([^"]+)"', str(value))
    }
    assert used == defined
    assert "$" not in texts["template"], "Grafana would take it for a variable of the environment"


def test_ids_are_unique_and_short_enough_for_grafana() -> None:
    uids = [rule["uid"] for rule in RULES]
    uids += [receiver["uid"] for contact in CONTACTS for receiver in contact["receivers"]]
    assert len(set(uids)) == len(uids)
    assert all(re.fullmatch(r"[a-z0-9-]{1,40}", uid) for uid in uids)


@pytest.mark.parametrize("rule", RULES, ids=[rule["uid"] for rule in RULES])
def test_a_rule_is_whole(rule: dict[str, Any]) -> None:
    """Its condition is one of its queries, which read the data source or one another; it says what to do, and where."""
    queries = {query["refId"]: query for query in rule["data"]}
    assert rule["condition"] in queries
    for name, query in queries.items():
        assert query["model"]["refId"] == name
        if query["datasourceUid"] == "__expr__":
            assert query["model"]["expression"] in queries
        else:
            assert query["datasourceUid"] == EXACT["uid"]
            assert query["model"]["format"] == 1
    assert {"summary", "description"} <= set(rule["annotations"])
    assert rule["annotations"]["__dashboardUid__"] in made()
    assert rule["labels"]["equipe"] in {contact["name"] for contact in CONTACTS}
    assert rule["noDataState"] in ("Alerting", "NoData", "OK", "KeepLast")
    assert rule["execErrState"] in ("Alerting", "Error", "OK", "KeepLast")
