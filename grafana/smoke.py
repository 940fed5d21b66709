"""Does a Grafana that was just started show what this checkout holds? Asked over its HTTP interface, as a person would.

The interface is Grafana's own (docs: HTTP API; /api/ds/query is what its panels ask). Nothing is changed by asking.
"""

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from grafana.dashboards.interpolation import Choice, fill_in
from grafana.source import EXACT_UID

FOLDER = Path(__file__).parent
_TIMEOUT_S = 60.0
_RULE = re.compile(r"^\s+- uid: (\S+)", re.MULTILINE)
_PROVISIONING_ERROR = re.compile(r"(?=.*\blevel=error\b)(?=.*provisioning)")

Json = Any
Ask = Callable[[str, Json | None], Json]
"""GET of a path, or POST of a body; the answer's JSON, whatever its status. Raises `GrafanaAwayError`."""


class GrafanaAwayError(RuntimeError):
    """Grafana does not answer, or not with JSON; the message says what was asked."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, and what is wrong with it; nothing if nothing is."""

    what: str
    problem: str = ""


def door(url: str, user: str, password: str) -> Ask:
    """How to ask the Grafana at `url` as this user."""
    credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}

    def ask(path: str, body: Json | None = None) -> Json:
        data = None if body is None else json.dumps(body).encode()
        try:
            with urlopen(Request(url.rstrip("/") + path, data, headers), timeout=_TIMEOUT_S) as answer:  # noqa: S310 (the operator's own address)
                return json.load(answer)
        except HTTPError as error:  # a failed query is an answer, with a status of its own
            return _json_of(error, path)
        except (URLError, OSError, ValueError) as error:
            raise GrafanaAwayError(f"{url}{path}: {error}") from error

    return ask


def _json_of(error: HTTPError, path: str) -> Json:
    try:
        return json.load(error)
    except ValueError:
        raise GrafanaAwayError(f"{path}: status {error.code}, without JSON") from error


def smoke(ask: Ask, log: Iterable[str], folder: Path = FOLDER) -> Iterator[Finding]:
    """Everything that is looked at, one by one. `log` is Grafana's own; `folder` holds what it should have loaded."""
    health = ask("/api/health", None)
    yield Finding("Grafana", "" if health.get("database") == "ok" else f"its database: {health}")
    source = ask(f"/api/datasources/uid/{EXACT_UID}/health", None)
    yield Finding("data source", "" if source.get("status") == "OK" else str(source.get("message", source)))
    for path in sorted((folder / "generated").glob("*.json")):
        yield from _board(ask, path.stem)
    yield from _rules(ask, _RULE.findall((folder / "provisioning/alerting/rules.yaml").read_text()))
    wrong = [line.strip() for line in log if _PROVISIONING_ERROR.search(line)]
    yield Finding("provisioning, in the log", wrong[0] if wrong else "")


def _board(ask: Ask, uid: str) -> Iterator[Finding]:
    answered = ask(f"/api/dashboards/uid/{uid}", None)
    board = answered.get("dashboard")
    if board is None:
        yield Finding(f"dashboard {uid}", str(answered.get("message", answered)))
        return
    choices: dict[str, Choice] = {}
    for variable in board.get("templating", {}).get("list", []):
        if variable["type"] == "datasource":
            continue
        values, problem = _query(ask, {"refId": "A", "format": 1, "rawSql": variable["query"]}, choices)
        choices[variable["name"]] = Choice(values, everything=bool(variable.get("includeAll")))
        said = problem or ("" if values else "it has no values")
        yield Finding(f"{board['title']}, variable {variable['name']}", said)
    for label, target in _targets(board):
        yield Finding(f"{board['title']}, {label}", _query(ask, target, choices)[1])


def _targets(board: Mapping[str, Json]) -> Iterator[tuple[str, Mapping[str, Json]]]:
    for panel in board["panels"]:
        label = str(panel.get("title") or panel["id"])
        yield from ((label, target) for target in panel.get("targets", []) if "rawSql" in target)
    for mark in board.get("annotations", {}).get("list", []):
        if "target" in mark and "rawSql" in mark["target"]:
            yield f"annotation {mark['name']}", mark["target"]


def _query(ask: Ask, target: Mapping[str, Json], choices: Mapping[str, Choice]) -> tuple[list[str], str]:
    """The first column of the answer as text, and what went wrong."""
    ref_id = str(target.get("refId", "A"))
    sql = fill_in(target["rawSql"], choices)
    asked = {**target, "refId": ref_id, "rawSql": sql, "datasource": {"uid": EXACT_UID}, "intervalMs": 60_000}
    answered = ask("/api/ds/query", {"from": "now-7d", "to": "now", "queries": [asked]})
    result = answered.get("results", {}).get(ref_id)
    if result is None:
        return [], str(answered.get("message", answered))
    columns = [column for frame in result.get("frames", [])[:1] for column in frame["data"]["values"]]
    return [str(value) for value in columns[0]] if columns else [], str(result.get("error", ""))


def _rules(ask: Ask, expected: list[str]) -> Iterator[Finding]:
    answered = ask("/api/v1/provisioning/alert-rules", None)
    loaded = {rule["uid"] for rule in answered} if isinstance(answered, list) else set()
    for uid in expected:
        yield Finding(f"alert rule {uid}", "" if uid in loaded else "it is not loaded")
    evaluated = ask("/api/prometheus/grafana/api/v1/rules", None)
    for group in evaluated.get("data", {}).get("groups", []):
        for rule in group["rules"]:
            if rule.get("health") == "error":
                yield Finding(f"alert rule {rule['name']}, evaluated", str(rule.get("lastError", "error")))
