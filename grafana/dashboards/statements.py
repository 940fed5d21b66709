"""The SQL of a dashboard: one file each, statements by name, pieces that they share taken in by `@name`.

What several dashboards share is in `fragments.sql` (pieces), `published.sql` (pieces over published figures) and
`figures.sql` (whole statements).

A piece may be given one name, `@name(word)`, which stands for `@column` in it.
"""

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "sql"
_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_COMMENT = re.compile(r"^ *--.*\n?", re.MULTILINE)
_PIECE = re.compile(r"@(\w+)(?:\(([\w.]+)\))?")
_DEEPEST = 8


class UnknownStatementError(KeyError):
    """A statement that no file holds, or a piece that takes itself in; the text says which."""


def statement(dashboard: str, name: str) -> str:
    """The statement `name` of the file of `dashboard`, with its pieces filled in and its comments left out.

    Raises `UnknownStatementError`.
    """
    known = _read("fragments") | _read("published") | _read("figures") | _read(dashboard)
    text = _known(known, name)
    for _ in range(_DEEPEST):
        if not _PIECE.search(text):
            return text
        text = _PIECE.sub(lambda match: _piece(known, match[1], match[2]), text)
    raise UnknownStatementError(f"{dashboard}.sql: {name} takes itself in, or pieces more than {_DEEPEST} deep")


def _piece(known: dict[str, str], name: str, column: str | None) -> str:
    text = _known(known, name)
    return text.replace("@column", column) if column else text


def _known(known: dict[str, str], name: str) -> str:
    if name not in known:
        raise UnknownStatementError(f"no statement is called {name}: there are {', '.join(sorted(known))}")
    return known[name]


@cache
def _read(file: str) -> dict[str, str]:
    text = (FOLDER / f"{file}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    return {name: _COMMENT.sub("", body).strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}
