"""Grafana's alert rules that ask the database: their statements run, and give what a rule can judge."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from grafana.viewer.answer import Query, answer
from grafana.viewer.period import Period

FILE = Path(__file__).parent.parent / "provisioning/alerting/rules.yaml"
_EXPRESSION = "__expr__"


async def check_rules(query: Query, now: datetime, file: Path = FILE) -> list[str]:
    """What is wrong with the rules in `file`, in words; nothing if nothing is. `query` reads a database with data.

    A rule judges one number, told apart by texts; a time beside it would make it a series. No rows are no problem: a
    rule that has nothing to tell gives none.
    """
    found = [(uid, await _problem(asked, query, now)) for uid, asked in _statements(file)]
    return [f"alert rule {uid}: {problem}" for uid, problem in found if problem]


def _statements(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each query of the database, with the uid of its rule."""
    for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]:
        for rule in group["rules"]:
            yield from ((rule["uid"], data) for data in rule["data"] if data["datasourceUid"] != _EXPRESSION)


async def _problem(asked: Mapping[str, Any], query: Query, now: datetime) -> str:
    span = asked["relativeTimeRange"]
    period = Period(now - timedelta(seconds=span["from"]), now - timedelta(seconds=span["to"]))
    answered = await answer(query, dict(asked["model"]), period)
    if "error" in answered:
        return str(answered["error"])
    kinds = [field["type"] for frame in answered["frames"] for field in frame["schema"]["fields"]]
    if kinds and (kinds.count("number") != 1 or "time" in kinds):
        return f"one number beside texts, not {', '.join(kinds)}"
    return ""
