"""The queries of Grafana's alert rules over a city: shaped as an alert needs them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import grafana
from grafana.viewer.frames import Table
from grafana.viewer.source import Source
from sinks.clickhouse.client import DatabaseSettings
from tests.grafana_seed import NOW

FILE = Path(grafana.__file__).parent / "provisioning/alerting/rules.yaml"
RULES = {rule["uid"]: rule for group in yaml.safe_load(FILE.read_text())["groups"] for rule in group["rules"]}


@pytest.mark.parametrize("uid", RULES)
async def test_a_rule_reads_one_number_beside_labels(city_database: DatabaseSettings, uid: str) -> None:
    """A time column would make it a series, a second number another condition; what the texts name is a label."""
    table = await asked(city_database, f"SELECT * APPLY(any) APPLY(toTypeName) FROM ({sql_of(uid)})")
    names = [name.removeprefix("toTypeName(any(").removesuffix("))") for name in table.names]
    kinds = dict(zip(names, (kind for (kind,) in table.columns), strict=True))
    labels = {name for name, kind in kinds.items() if "String" in kind}
    assert [kind for name, kind in kinds.items() if name not in labels] == ["Float64"]
    assert set(re.findall(r"\$labels\.(\w+)", str(RULES[uid]["annotations"]))) <= labels


async def test_old_figures_are_told_as_late(city_database: DatabaseSettings) -> None:
    past = sql_of("ent-donnees-en-retard").replace("now()", f"toDateTime({int(NOW.timestamp()) + 3600})")
    ((late_s,),) = (await asked(city_database, past)).columns
    assert 3600 <= late_s < 3600 + 120


def sql_of(uid: str) -> str:
    """The statement of a rule's one query of the database."""
    (sql,) = [query["model"]["rawSql"] for query in RULES[uid]["data"] if query["datasourceUid"] != "__expr__"]
    return str(sql)


async def asked(database: DatabaseSettings, sql: str) -> Table:
    """What the database answers to its reader."""
    source = Source(database)
    try:
        return await source.query(sql)
    finally:
        await source.close()
