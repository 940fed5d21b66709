"""Every query of every dashboard, run over a database with data; and what holds for the JSON itself."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from grafana.dashboards.board import COLUMNS, PUBLISHED, is_exact_only, statements_of
from grafana.dashboards.catalogue import GENERATED
from grafana.dashboards.interpolation import Choice, UnknownVariableError, fill_in
from grafana.dashboards.quick_range import resolve
from grafana.viewer.answer import Query, answer
from grafana.viewer.frames import Table
from grafana.viewer.period import Period

MAX_POINTS = 10_000
"""More in one answer is more than a screen shows."""

_SINGLE_VALUED = frozenset({"datasource"})
_UNITLESS = frozenset({"text", "table"})
_VIEW = re.compile(r"\b(?:FROM|JOIN)\s+(v_\w+|ledger|directory_\w+)")
_SAID_ABOVE = frozenset({PUBLISHED, "v_reading"})
"""Each dashboard says at its head which figures it shows."""
_DASHBOARD_LINK = re.compile(r"/d/([\w-]+)(?:\?(.*))?")
_HARD_CODED = re.compile(r"\b\d{7}[A-Z]\b|\bent(?:_public)?\.|\$__timeInterval\b|\bnow\(|\btoday\(\)")
_MARK = "annotation"
_AT_ONCE = 3
"""Statements: a small database has few places for readers."""

Board = Mapping[str, Any]


def boards_in(folder: Path = GENERATED) -> list[Board]:
    """The generated dashboards."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


async def check(query: Query, now: datetime, boards: Sequence[Board] | None = None) -> list[str]:
    """What is wrong with the dashboards, in words; nothing if nothing is. `query` reads a database with data at `now`.

    Every panel, variable and annotation is asked with All, one and three values; each must give rows (annotations need
    none), at most `MAX_POINTS` of them, and no error.
    """
    query = _a_few_at_once(query)
    found = list(boards) if boards is not None else boards_in()
    problems = [problem for board in found for problem in _shape(board, found)]
    for board in found:
        problems += [problem async for problem in _queries(board, query, now, _of_exact)]
    return problems


async def check_published(query: Query, now: datetime, boards: Sequence[Board] | None = None) -> list[str]:
    """The same questions to the published figures, which `query` reads, of every dashboard that offers them.

    What is reserved must give no row: a zero, or an empty group, would be a figure. What is published for some choices
    may give none; the names of places and things must be there.
    """
    query = _a_few_at_once(query)
    found = boards if boards is not None else boards_in()
    offered = [board for board in found if not any(variable.get("regex") for variable in _variables(board))]
    return [
        problem for board in offered for problem in [each async for each in _queries(board, query, now, _of_published)]
    ]


def _a_few_at_once(query: Query) -> Query:
    places = asyncio.Semaphore(_AT_ONCE)

    async def asked(sql: str) -> Table:
        async with places:
            return await query(sql)

    return asked


class Rows(Enum):
    """What a statement should give."""

    SOME = "some"
    ANY = "some or none"
    NONE = "none"


def _of_exact(label: str, _: str) -> Rows:
    return Rows.ANY if label.startswith(_MARK) else Rows.SOME


def _of_published(label: str, sql: str) -> Rows:
    if label.startswith(_MARK) or PUBLISHED in sql:
        return Rows.ANY
    return Rows.NONE if is_exact_only(sql) else Rows.SOME


def _shape(board: Board, boards: Sequence[Board]) -> Iterator[str]:
    name = board["title"]
    panels = board["panels"]
    ids = [panel["id"] for panel in panels]
    if len(set(ids)) != len(ids):
        yield f"{name}: two panels have the same id"
    yield from (f"{name}: {problem}" for problem in _overlaps(panels))
    for panel in panels:
        yield from (f"{name}, {_label(panel)}: {problem}" for problem in _panel(panel))
    known = {other["uid"]: {variable["name"] for variable in _variables(other)} for other in boards}
    for uid, variables in _links(panels):
        if uid not in known:
            yield f"{name}: a link leads to {uid}, which is no dashboard"
        elif missing := variables - known[uid]:
            yield f"{name}: a link sets {', '.join(sorted(missing))}, which {uid} does not have"


def _panel(panel: Board) -> Iterator[str]:
    if panel["type"] == "text":
        return
    if not panel.get("title"):
        yield "no title"
    description = panel.get("description", "")
    if not description:
        yield "no description"
    if panel["type"] not in _UNITLESS and not panel["fieldConfig"]["defaults"].get("unit"):
        yield "no unit"
    for target in statements_of(panel):
        if hard_coded := _HARD_CODED.search(target["rawSql"]):
            yield f"{hard_coded.group()} in a statement: variables, the period and the data source say that"
        read = set(_VIEW.findall(target["rawSql"])) - _SAID_ABOVE
        if untold := {view for view in read if view not in description}:
            yield f"the description does not say that it reads {', '.join(sorted(untold))}"


def _overlaps(panels: Sequence[Board]) -> Iterator[str]:
    taken: dict[tuple[int, int], str] = {}
    for panel in panels:
        where = panel["gridPos"]
        if where["x"] + where["w"] > COLUMNS:
            yield f"{_label(panel)} is wider than the board"
        cells = [
            (x, y)
            for x in range(where["x"], where["x"] + where["w"])
            for y in range(where["y"], where["y"] + where["h"])
        ]
        others = {taken[cell] for cell in cells if cell in taken}
        yield from (f"{_label(panel)} lies over {other}" for other in sorted(others))
        taken |= dict.fromkeys(cells, _label(panel))


def _links(panels: Sequence[Board]) -> Iterator[tuple[str, set[str]]]:
    for url in re.findall(r'"url": "([^"]*)"', json.dumps(panels, ensure_ascii=False)):
        if link := _DASHBOARD_LINK.match(url):
            yield link[1], set(re.findall(r"\bvar-(\w+)=", link[2] or ""))


async def _queries(board: Board, query: Query, now: datetime, expected: Callable[[str, str], Rows]) -> Any:
    period = resolve(board["time"]["from"], board["time"]["to"], now)
    options: dict[str, Sequence[str]] = {}
    for variable in _variables(board):
        if variable["type"] in _SINGLE_VALUED:
            continue
        problem, options[variable["name"]] = await _options(variable, query, period)
        if problem:
            yield f"{board['title']}, variable {variable['name']}: {problem}"
    for choices in _choices(board, options):
        said = ", ".join(
            f"{name}={'All' if choice.everything else len(choice.values)}" for name, choice in choices.items()
        )
        asked = list(_asked_once(board))
        own = [resolve(f"now-{back}", "now", now) if back else period for _, _, back in asked]
        found = await asyncio.gather(
            *(
                _problem(target, choices, query, span, expected(label, target["rawSql"]))
                for (label, target, _), span in zip(asked, own, strict=True)
            )
        )
        for (label, _, _), problem in zip(asked, found, strict=True):
            if problem:
                yield f"{board['title']}, {label} ({said}): {problem}"


async def _options(variable: Board, query: Query, period: Period) -> tuple[str, Sequence[str]]:
    asked = {"refId": "A", "rawSql": variable["query"], "format": 1}
    answered = await answer(query, asked, period)
    columns = answered["frames"][0]["data"]["values"]
    if "error" in answered:
        return answered["error"], []
    return ("" if columns else "no values"), [str(value) for value in columns[0]] if columns else []


async def _problem(target: Board, choices: Mapping[str, Choice], query: Query, period: Period, expected: Rows) -> str:
    points = 0

    async def counted(sql: str) -> Table:
        nonlocal points
        table = await query(sql)
        points = table.rows
        return table

    try:
        sql = fill_in(target["rawSql"], choices)
    except UnknownVariableError as error:
        return str(error)
    answered = await answer(counted, {**target, "rawSql": sql}, period)
    if "error" in answered:
        return str(answered["error"])
    if not points and expected is Rows.SOME:
        return "no rows"
    if points and expected is Rows.NONE:
        return "rows of what is reserved"
    return f"{points} points, more than {MAX_POINTS}" if points > MAX_POINTS else ""


def _choices(board: Board, options: Mapping[str, Sequence[str]]) -> Iterator[dict[str, Choice]]:
    """All of everything; then one value, then three, of every variable that takes several."""
    several = [variable["name"] for variable in _variables(board) if variable.get("multi")]
    fixed = {name: Choice(values[:1]) for name, values in options.items() if name not in several}
    yield fixed | {name: Choice(options[name], everything=True) for name in several}
    for number in (1, 3):
        yield fixed | {name: Choice(options[name][:number]) for name in several}


def _asked_once(board: Board) -> Iterator[tuple[str, Board, str]]:
    """Panels that show columns of the same statement ask it together."""
    asked: set[str] = set()
    for label, target, back in _targets(board):
        if target["rawSql"] not in asked:
            yield label, target, back
        asked.add(target["rawSql"])


def _targets(board: Board) -> Iterator[tuple[str, Board, str]]:
    """Each with its label and how far its panel looks back from now; '': as far as the dashboard."""
    for panel in board["panels"]:
        yield from ((_label(panel), target, panel.get("timeFrom", "")) for target in statements_of(panel))
    for mark in board.get("annotations", {}).get("list", []):
        yield f"{_MARK} {mark['name']}", mark["target"], ""


def _variables(board: Board) -> Sequence[Board]:
    listed: Sequence[Board] = board.get("templating", {}).get("list", [])
    return listed


def _label(panel: Board) -> str:
    return str(panel.get("title") or f"panel {panel['id']}")
