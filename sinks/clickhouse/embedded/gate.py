"""Which statements a reader may run: decided on the engine's own parse, before the engine runs anything.

The engine has one user and no grants, and in its local form it opens files that a server would not, even under
`readonly = 1`: `SELECT file('/etc/passwd')` and `INTO OUTFILE` are both let through. So a reader's statement passes
three doors: its class and number, the names in its syntax tree (`parseQueryToJSON`), and the engine's `readonly = 1`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sinks.clickhouse.embedded.engine import Session
from sinks.clickhouse.embedded.refusal import Refusal, access_denied, read_only, several_statements

TABLE_FUNCTIONS = frozenset(
    {"generate_series", "generateseries", "null", "numbers", "numbers_mt", "sqlstandardvalues", "values", "view"}
)
"""Table functions that touch nothing but their arguments, in lower case."""

SYSTEM_TABLES = frozenset({"columns", "databases", "functions", "numbers", "one", "settings", "tables", "time_zones"})
"""What drivers and query editors ask of the `system` database."""

SETTINGS = re.compile(
    r"output_format_(?:arrow|csv|decimal|json|native|parquet|pretty|tsv)_\w+|date_time_(?:input|output)_format"
    r"|session_timezone|join_use_nulls|group_by_use_nulls|cast_(?:keep_nullable|string_to_dynamic_use_inference)|final"
    r"|max_(?:threads|block_size|rows_to_read|result_rows|result_bytes|execution_time|memory_usage)|result_overflow_mode"
)
"""Settings that a reader may send; the limits among them only downwards."""

_REACHING_FUNCTIONS = re.compile(
    r"ai_?(?:classify|embed|extract|filter|generate|redact|similarity|translate)|addressto\w+|catboostevaluate|demangle"
    r"|evalmlmethod|file|filesystem\w+|getclienthttpheader|getmacro|getserversetting|joinget(?:ornull)?|logtrace"
    r"|showcertificate|sleep|sleepeachrow"
)
"""Functions, in lower case, that read outside of the tables, call other hosts, or hold a place for nothing."""

_IN_FUNCTIONS = re.compile(r"(?:global)?(?:not)?(?:null)?in(?:ignoreset)?")
_DICTIONARY_FUNCTIONS = re.compile(r"dict(?:get|has|is)\w*")
_STATEMENTS = frozenset(
    {"SelectWithUnionQuery", "SelectQuery", "SelectIntersectExceptQuery", "ShowTablesQuery", "ShowColumnsQuery"}
)
_DESCRIBE = re.compile(
    r"\s* DESC(?:RIBE)? \s+ (?:TABLE\s+)? (?:([`\"]?)(\w+)\1\.)? ([`\"]?)(\w+)\3 \s* (?:FORMAT\s+\w+)? \s* ;? \s*",
    re.IGNORECASE | re.ASCII | re.VERBOSE,
)
_ALLOWED = "a reader may run SELECT, SHOW TABLES, SHOW COLUMNS and DESCRIBE"
_NO_TREE = 36
_ESCAPES = {ord(plain): "\\" + sign for plain, sign in zip("\\\t\n\r\0'", "\\tnr0'", strict=True)}

Node = dict[str, Any]


def admit(session: Session, sql: str, database: str, databases: frozenset[str] | None) -> None:
    """Let a reader's `sql` pass or raise `Refusal`.

    `database` is where unqualified names are looked up, `databases` are those that may be read (None: all).
    """
    kind, count = session.classify(sql)
    if count > 1:
        raise several_statements()
    if kind != "READ_ONLY":
        raise read_only(f"Cannot execute query in readonly mode: {_ALLOWED}")
    described = _DESCRIBE.fullmatch(sql)
    if described:
        _judge_table([name for name in (described.group(2), described.group(4)) if name], database, databases)
        return
    judge(_parse(session, sql), database, databases)


def judge(tree: Node, database: str, databases: frozenset[str] | None) -> None:
    """Raise `Refusal` for a syntax tree that names what a reader may not use."""
    if tree.get("type") not in _STATEMENTS:
        raise access_denied(_ALLOWED)
    if databases is not None:
        _judge_database(database, databases)
    for node in _nodes(tree):
        kind = node.get("type")
        if "out_file" in node:
            raise read_only("INTO OUTFILE is not for readers")
        if "table_function" in node:
            _judge_table_function(node["table_function"])
        if kind == "QueryParameter" and node.get("param_type") == "Identifier":
            raise access_denied("a parameter may not be a name")
        if kind == "Function":
            _judge_function(node, database, databases)
        elif kind == "ColumnsApplyTransformer":
            _judge_name(str(node.get("func_name", "")))
        elif kind == "TableIdentifier":
            _judge_table(node.get("name_parts") or [node.get("name", "")], database, databases)
        elif kind == "ShowTablesQuery" and isinstance(node.get("from"), dict):
            _judge_table([str(node["from"].get("name")), "columns"], database, databases)
        elif kind == "ShowColumnsQuery":
            _judge_table([str(node.get("database") or database), str(node.get("table"))], database, databases)


def settings_for_reader(wanted: Mapping[str, str], limits: Mapping[str, int]) -> dict[str, str]:
    """The settings of a reader's session: the harmless ones of the request, `limits` at most, and `readonly` last."""
    chosen: dict[str, str] = {}
    for name, value in wanted.items():
        if not SETTINGS.fullmatch(name):
            raise read_only(f"Cannot modify '{name}' setting in readonly mode.")
        chosen[name] = value
    for name, limit in limits.items():
        asked = chosen.get(name, "0")
        asked_number = int(asked) if asked.isascii() and asked.isdigit() else 0
        chosen[name] = str(min(asked_number, limit) if asked_number else limit)
    return {**chosen, "readonly": "1"}


def _parse(session: Session, sql: str) -> Node:
    """The syntax tree of one statement. Raises `Refusal` for one that does not parse or is no query of rows."""
    try:
        parsed = session.query("SELECT parseQueryToJSON({statement:String})", "TSVRaw", {"statement": _escaped(sql)})
    except Refusal as refusal:
        if refusal.code == _NO_TREE:
            raise access_denied(_ALLOWED) from refusal
        raise
    try:
        tree: Node = json.loads(parsed.body)
    except RecursionError:
        raise access_denied("the statement is nested too deeply for a reader") from None
    return tree


def _nodes(tree: Any) -> Iterator[Node]:
    waiting = [tree]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield item
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def _judge_function(node: Node, database: str, databases: frozenset[str] | None) -> None:
    name = str(node.get("name", "")).lower()
    _judge_name(name)
    arguments = node.get("arguments") or {}
    children = arguments.get("children") or []
    if _IN_FUNCTIONS.fullmatch(name):
        for child in children[1:]:  # what stands after IN may be a table, and is written like a column
            if child.get("type") == "Identifier" and "name_parts" in child:
                _judge_table(child["name_parts"], database, databases)
    if _DICTIONARY_FUNCTIONS.fullmatch(name) and databases is not None:
        literal = (children[0] if children else {}).get("value") or {}
        if literal.get("field_type") != "String":
            raise access_denied("the name of a dictionary must be written out")
        _judge_table(str(literal["value"]).split("."), database, databases)


def _judge_table_function(node: Node) -> None:
    name = str(node.get("name", ""))
    if name.lower() not in TABLE_FUNCTIONS:
        raise access_denied(f"the table function {name} is not for readers")


def _judge_name(name: str) -> None:
    if _REACHING_FUNCTIONS.fullmatch(name.lower()):
        raise access_denied(f"the function {name} is not for readers")


def _judge_table(parts: list[str], database: str, databases: frozenset[str] | None) -> None:
    if databases is None:
        return
    if len(parts) > 2:
        raise access_denied(f"the table {'.'.join(parts)} is not for readers")
    owner, table = parts if len(parts) == 2 else (database, parts[0])
    if owner == "system" and table in SYSTEM_TABLES:
        return
    _judge_database(owner, databases)


def _judge_database(database: str, databases: frozenset[str]) -> None:
    if database not in databases:
        raise access_denied(f"the database {database} is not for readers")


def _escaped(value: str) -> str:
    """A query parameter as the HTTP interface writes it."""
    return value.translate(_ESCAPES)
