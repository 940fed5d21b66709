"""The queries of Grafana's alert rules over the tables as they are made: shaped as an alert needs them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import grafana
from grafana.viewer.frames import Table
from grafana.viewer.source import Source
from sinks.clickhouse.client import DatabaseSettings
from sinks.clickhouse.migrate import migrate
from tests.database import client_of, embedded_database, settings_of

COMPLETE_S = 1_795_181_850

FILE = Path(grafana.__file__).parent / "provisioning/alerting/rules.yaml"
RULES = {rule["uid"]: rule for group in yaml.safe_load(FILE.read_text())["groups"] for rule in group["rules"]}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseSettings]:
    """Tables without events, complete through a moment."""
    with embedded_database(tmp_path_factory.mktemp("rules")) as database:
        client = client_of(database)
        migrate(client, "ent")
        client.command(
            "INSERT INTO ent.progress (topic, partition, complete_through) "
            f"VALUES ('ent.login.v1', 0, toDateTime64({COMPLETE_S}, 3))"
        )
        yield settings_of(database, reader=True)


@pytest.mark.parametrize("uid", RULES)
async def test_a_rule_reads_one_number_beside_labels(reader: DatabaseSettings, uid: str) -> None:
    """A time column would make it a series, a second number another condition; what the texts name is a label."""
    table = await asked(reader, f"SELECT * APPLY(any) APPLY(toTypeName) FROM ({sql_of(uid)})")
    names = [name.removeprefix("toTypeName(any(").removesuffix("))") for name in table.names]
    kinds = dict(zip(names, (kind for (kind,) in table.columns), strict=True))
    labels = {name for name, kind in kinds.items() if "String" in kind}
    assert [kind for name, kind in kinds.items() if name not in labels] == ["Float64"]
    assert set(re.findall(r"\$labels\.(\w+)", str(RULES[uid]["annotations"]))) <= labels


async def test_old_figures_are_told_as_late(reader: DatabaseSettings) -> None:
    past = sql_of("ent-donnees-en-retard").replace("now()", f"toDateTime({COMPLETE_S + 3600})")
    ((late_s,),) = (await asked(reader, past)).columns
    assert late_s == 3600


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
