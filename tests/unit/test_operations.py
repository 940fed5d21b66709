"""Whoever is woken by an alert finds what to do: each alert names its section, and each section is of an alert."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from typer.main import get_command

from streams.commands import app

ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs/operations.md").read_text()
SECTIONS = re.findall(r"^### `(Ent\w+)`$", OPERATIONS, re.MULTILINE)

ALERTS_ON_SCHOOLS = "alerts-on-schools"
assert "\n## Alerts on schools\n" in OPERATIONS


def alerts() -> dict[str, dict[str, Any]]:
    """Prometheus' alerts, by name."""
    groups = yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    """By the same names, each once."""
    assert sorted(SECTIONS) == sorted(alerts())


def test_every_alert_names_its_section() -> None:
    """Prometheus' by their own names; Grafana's by the one that is about the same."""
    for name, rule in alerts().items():
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{name.lower()}"
    told = re.findall(
        r"runbook: docs/operations\.md#([\w-]+)", (ROOT / "grafana/provisioning/alerting/rules.yaml").read_text()
    )
    uids = re.findall(r"^\s+- uid: ", (ROOT / "grafana/provisioning/alerting/rules.yaml").read_text(), re.MULTILINE)
    assert len(told) == len(uids)
    assert set(told) <= {*(name.lower() for name in SECTIONS), ALERTS_ON_SCHOOLS}


def test_completion_is_there() -> None:
    """The command line teaches shells its commands."""
    options = {option for parameter in get_command(app).params for option in parameter.opts}
    assert {"--install-completion", "--show-completion"} <= options
