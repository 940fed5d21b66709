"""Every INSERT names its columns: a worker then goes on writing to tables that a later version has widened."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
ROOMS = ("streams", "grafana", "sinks", "schemas", "deploy")
_INSERT = re.compile(r"INSERT INTO ([\w.{}$]+)\s*(\([^)]+\))?")
_FEWEST = 20
"""Statements that there are at least: a search that finds none proves nothing."""


def texts(path: Path) -> Iterator[str]:
    """The strings of a module as they are put together, with `{}` for what is filled in."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def inserts() -> Iterator[tuple[str, str, str | None]]:
    """Module, table and columns of every INSERT of ours."""
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        for text in texts(path):
            yield from ((str(path.relative_to(ROOT)), found[1], found[2]) for found in _INSERT.finditer(text))
    for path in (ROOT / "sinks/clickhouse/migrations").glob("*.sql"):
        yield from ((path.name, found[1], found[2]) for found in _INSERT.finditer(path.read_text()))


def test_every_insert_names_its_columns() -> None:
    found = list(inserts())
    assert len(found) > _FEWEST
    assert [(module, table) for module, table, columns in found if columns is None] == []
