"""Where statements end and where the data of an INSERT begins, in SQL text that ClickHouse will parse itself."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    rb"""
    (?P<comment> --[^\n]* | \#[!\ ][^\n]* | /\*.*?\*/ )
  | (?P<quoted> '(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*" | `(?:[^`\\]|\\.|``)*` | (?P<tag>\$\w*\$).*?(?P=tag) )
  | (?P<word> [A-Za-z_][A-Za-z_0-9]* )
  | (?P<space> \s+ )
  | (?P<open> /\* | ['"`] )
  | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_LOCAL_FILE = re.compile(r"\b(?:out|in)file\b", re.IGNORECASE)
_WITHOUT_DATA = frozenset({b"SELECT", b"WITH", b"VALUES", b"FROM", b"WATCH"})
_DATA_GAP = re.compile(rb"[ \t]*(?:\r?\n)?")


class UnfinishedSql(ValueError):
    """A quote or a comment is opened and never closed."""


@dataclass(frozen=True, slots=True)
class Token:
    """One lexical element: its kind (comment, quoted, word, space, other), text and place in bytes."""

    kind: str
    text: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class InsertHead:
    """An INSERT whose data follows its text: `INSERT INTO …`, its SETTINGS clause or nothing, its format, and at which
    byte the data begins."""

    target: str
    settings: str
    format: str
    data_start: int


def tokens(text: bytes) -> Iterator[Token]:
    """The lexical elements of `text`, one after the other. Raises `UnfinishedSql` at an open quote or comment."""
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup if match.lastgroup != "tag" else "quoted"
        if kind == "open":
            line = text.count(b"\n", 0, match.start()) + 1
            raise UnfinishedSql(f"line {line}: {match.group().decode()} is opened and never closed")
        yield Token(kind or "other", match.group(), match.start(), match.end())


def statements(text: str) -> list[str]:
    """Split at semicolons that stand outside of quotes and comments; pieces of comments alone are left out."""
    raw = text.encode()
    found: list[str] = []
    start, first = 0, -1
    for token in tokens(raw):
        if token.text == b";":
            if first >= 0:
                found.append(raw[first : token.start].decode().strip())
            start, first = token.end, -1
        elif first < 0 and token.kind not in ("comment", "space"):
            first = token.start
    if first >= start and first >= 0:
        found.append(raw[first:].decode().strip())
    return found


def names_local_file(text: str) -> bool:
    """Whether a statement says INTO OUTFILE or FROM INFILE, which a client does before a server sees the statement."""
    if not _LOCAL_FILE.search(text):
        return False
    before = b""
    try:
        for token in tokens(text.encode()):
            if token.kind in ("comment", "space"):
                continue
            word = token.text.upper() if token.kind == "word" else b""
            if (before, word) in ((b"INTO", b"OUTFILE"), (b"FROM", b"INFILE")):
                return True
            before = word
    except UnfinishedSql:
        return True  # whoever leaves a quote open beside such a word is not given the benefit of the doubt
    return False


def insert_head(text: bytes) -> InsertHead | None:
    """The head of `INSERT INTO … FORMAT name`, or None where no data can follow (another statement, SELECT, VALUES).

    `text` may end anywhere in the data, which is never read. Raises `UnfinishedSql` for a head that does not close.
    """
    depth, before = 0, b""
    settings_at = format_at = -1
    for token in tokens(text):
        if token.kind in ("comment", "space"):
            continue
        if before == b"FORMAT":
            if token.kind != "word":
                return None
            gap = _DATA_GAP.match(text, token.end)
            target_end = settings_at if settings_at >= 0 else format_at
            return InsertHead(
                target=text[:target_end].decode(),
                settings=text[target_end:format_at].decode(),
                format=token.text.decode(),
                data_start=gap.end() if gap else token.end,
            )
        word = token.text.upper() if token.kind == "word" and depth == 0 else b""
        if not before and word != b"INSERT":
            return None
        if word in _WITHOUT_DATA:
            return None
        depth += {b"(": 1, b")": -1}.get(token.text, 0)
        is_name = before in (b"INTO", b"TABLE", b".")
        if word == b"SETTINGS" and not is_name and settings_at < 0:
            settings_at = token.start
        if word == b"FORMAT" and not is_name:
            format_at = token.start
        before = (word or token.text) if not (is_name and word) else b"a name"
    return None
