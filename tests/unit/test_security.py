"""What must not be in our code: ways by which data becomes code, and secrets that can be printed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("schemas", "sinks", "grafana", "streams", "deploy")
SOURCES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")) if "node_modules" not in path.parts]
IMPORTS = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml", "commands", "pty"}
"""Readers that run what they read, or may."""
READS_OUR_YAML = "grafana/dashboards/rules.py"
"""The check of our own alert rules, before they are deployed; with the safe loader, as tests do."""
CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "subprocess.getoutput"}


def names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """What a module imports and calls, with the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0], node.lineno
        elif isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


def shells(tree: ast.AST) -> list[int]:
    """Lines of calls that are given a shell, or anything but False for one."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "shell" and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False)
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_data_becomes_code(path: Path) -> None:
    """No pickle and its kin, no YAML, no eval, no shell."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [name for name, _ in names(tree) if name in IMPORTS | CALLS or name.startswith("yaml.")]
    assert found == (["yaml", "yaml.safe_load"] if str(path.relative_to(ROOT)) == READS_OUR_YAML else [])
    assert shells(tree) == []


def test_the_search_finds_what_it_looks_for() -> None:
    tree = ast.parse(
        "import pickle\nfrom yaml import load\neval('1')\nimport subprocess\nsubprocess.run('x', shell=True)"
    )
    assert {name for name, _ in names(tree)} >= {"pickle", "yaml", "eval"}
    assert shells(tree) == [5]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_setting_that_is_a_secret_is_one(path: Path) -> None:
    """A field of a model that is named like a secret has a type that does not print itself; a file's name may."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ClassDef):
            continue
        for field in node.body:
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                name, kind = field.target.id, ast.unparse(field.annotation)
                if name in ("password", "secret", "token", "pseudonym_key", "event_id_key"):
                    hidden = field.value is not None and "repr=False" in ast.unparse(field.value)
                    assert hidden or not re.search(r"\bstr\b", kind), f"{node.name}.{name}: {kind}"
