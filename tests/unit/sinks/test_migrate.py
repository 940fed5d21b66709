"""Migrations before any database: reading files, filling them in, cutting them into statements, comparing histories."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.clickhouse.migrate import (
    FOLDER,
    Migration,
    MigrationRefused,
    Record,
    compare,
    fill_in,
    read_folder,
    substitutions,
)
from sinks.clickhouse.sql import UnfinishedSql, insert_head, names_local_file, statements

ONE = Migration(1, "0001_create_a", "CREATE TABLE IF NOT EXISTS a")
TWO = Migration(2, "0002_create_b", "CREATE TABLE IF NOT EXISTS b")


def record(migration: Migration, version: str = "1.0") -> Record:
    return Record(migration.number, migration.name, migration.checksum, version)


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.sql").write_text(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (";;\n;", []),
        ("-- only; a remark\n/* and; another */", []),
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1;\n\nSELECT 2;", ["SELECT 1", "SELECT 2"]),
        ("SELECT ';';SELECT 2", ["SELECT ';'", "SELECT 2"]),
        (r"SELECT 'it\'s; ' ; SELECT 2", [r"SELECT 'it\'s; '", "SELECT 2"]),
        ("SELECT 'it''s; ';SELECT 2", ["SELECT 'it''s; '", "SELECT 2"]),
        ('SELECT `a;b`, "c;d"; SELECT 2', ['SELECT `a;b`, "c;d"', "SELECT 2"]),
        ("SELECT $$a;'b$$; SELECT $x$ ; $$ $x$", ["SELECT $$a;'b$$", "SELECT $x$ ; $$ $x$"]),
        ("-- head; 'quote\nSELECT 1 -- tail; '\n; SELECT 2", ["SELECT 1 -- tail; '", "SELECT 2"]),
        ("SELECT 1 /* ; ' */ + 1; SELECT 2", ["SELECT 1 /* ; ' */ + 1", "SELECT 2"]),
        ("SELECT 5 - -1; SELECT 'é;ü'", ["SELECT 5 - -1", "SELECT 'é;ü'"]),
        ("#! a remark; \nSELECT 1", ["SELECT 1"]),
    ],
)
def test_statements_are_cut_at_semicolons_that_are_none_of_a_quote_or_a_comment(text: str, expected: list[str]) -> None:
    assert statements(text) == expected


@pytest.mark.parametrize("text", ["SELECT 'a", "SELECT 1;\n/* b", 'SELECT "c', "SELECT `d", r"SELECT 'e\'"])
def test_what_is_opened_and_never_closed_is_an_error(text: str) -> None:
    with pytest.raises(UnfinishedSql, match="never closed"):
        statements(text)


@given(st.lists(st.text().map(lambda s: s.replace("\\", "").replace("'", "''")), min_size=1, max_size=6))
def test_any_texts_in_quotes_come_out_as_they_went_in(texts: list[str]) -> None:
    wanted = [f"SELECT '{text}'" for text in texts]
    assert statements(" ;\n".join(wanted)) == wanted


@given(st.text(alphabet="';-/*`\" \n\\ab$", max_size=40))
def test_cutting_loses_nothing_but_comments_and_spaces_between_statements(text: str) -> None:
    """Each statement stands in the text as it is, and in the same order."""
    try:
        found = statements(text)
    except UnfinishedSql:
        return
    at = 0
    for statement in found:
        at = text.index(statement, at) + len(statement)


@pytest.mark.parametrize(
    ("text", "target", "settings", "data_format", "data"),
    [
        (b"INSERT INTO t FORMAT CSV\n1,2", "INSERT INTO t ", "", "CSV", b"1,2"),
        (b"INSERT INTO t FORMAT CSV 1,2", "INSERT INTO t ", "", "CSV", b"1,2"),
        (b"INSERT INTO t FORMAT TSV\n\t\n", "INSERT INTO t ", "", "TSV", b"\t\n"),
        (b"insert into t (a, `format`) format Native\r\n\xff'", "insert into t (a, `format`) ", "", "Native", b"\xff'"),
        (b"INSERT INTO t SETTINGS a=1 FORMAT CSV", "INSERT INTO t ", "SETTINGS a=1 ", "CSV", b""),
        (b"/* FORMAT x */ INSERT INTO d.format FORMAT CSV\n", "/* FORMAT x */ INSERT INTO d.format ", "", "CSV", b""),
        (b"INSERT INTO settings FORMAT CSV\n", "INSERT INTO settings ", "", "CSV", b""),
        (
            b"INSERT INTO FUNCTION null('a FORMAT CSV') FORMAT TSV\n",
            "INSERT INTO FUNCTION null('a FORMAT CSV') ",
            "",
            "TSV",
            b"",
        ),
    ],
)
def test_the_data_of_an_insert_begins_after_its_format(
    text: bytes, target: str, settings: str, data_format: str, data: bytes
) -> None:
    head = insert_head(text)
    assert head is not None
    assert (head.target, head.settings, head.format, text[head.data_start :]) == (target, settings, data_format, data)


@pytest.mark.parametrize(
    "text",
    [
        b"SELECT 1 FORMAT CSV",
        b"INSERT INTO t VALUES (1) -- FORMAT CSV",
        b"INSERT INTO t SELECT 1 FORMAT CSV",
        b"INSERT INTO t WITH 1 AS x SELECT x FORMAT CSV",
        b"INSERT INTO t FROM INFILE 'x' FORMAT CSV",
        b"INSERT INTO t FORMAT",
        b"INSERT INTO t FORMAT (1)",
        b"",
        b"-- INSERT INTO t FORMAT CSV",
    ],
)
def test_other_statements_have_no_data(text: bytes) -> None:
    assert insert_head(text) is None


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1 INTO OUTFILE 'x'", True),
        ("SELECT 1 into/**/outfile 'x'", True),
        ("INSERT INTO t FROM -- \n INFILE 'x'", True),
        ("SELECT 'INTO OUTFILE'", False),
        ("SELECT outfile FROM infile", True),
        ("SELECT outfile, 1 AS infile", False),
        ("SELECT 1 -- INTO OUTFILE 'x'", False),
        ("SELECT ' INTO OUTFILE", True),
    ],
)
def test_files_of_a_client_are_noticed(sql: str, expected: bool) -> None:
    assert names_local_file(sql) is expected


def test_one_node_and_a_cluster_differ_in_three_names() -> None:
    ddl = "CREATE TABLE IF NOT EXISTS ${database}.t ${on_cluster} (n UInt8) ENGINE = ${replicated}MergeTree ORDER BY n"
    assert (
        fill_in(ddl, substitutions("ent", None))
        == "CREATE TABLE IF NOT EXISTS ent.t  (n UInt8) ENGINE = MergeTree ORDER BY n"
    )
    assert (
        fill_in(ddl, substitutions("ent", "main"))
        == "CREATE TABLE IF NOT EXISTS ent.t ON CLUSTER 'main' (n UInt8) ENGINE = ReplicatedMergeTree ORDER BY n"
    )


@pytest.mark.parametrize("name", ["", "a b", "1a", "a;DROP", "é", "a'"])
def test_names_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(MigrationRefused):
        substitutions(name, None)
    if name:
        with pytest.raises(MigrationRefused):
            substitutions("ent", name)


def test_an_unknown_placeholder_is_refused_and_a_dollar_is_not() -> None:
    with pytest.raises(MigrationRefused, match="databse"):
        fill_in("${databse}.t", substitutions("ent", None))
    assert fill_in("match(s, '^a$') $1", substitutions("ent", None)) == "match(s, '^a$') $1"


def test_the_folder_is_read_in_order(tmp_path: Path) -> None:
    write(
        tmp_path, **{"0002_create_b": "CREATE TABLE IF NOT EXISTS b", "0001_create_a": "CREATE TABLE IF NOT EXISTS a"}
    )
    (tmp_path / "README.md").write_text("not a migration")
    assert read_folder(tmp_path) == [ONE, TWO]


def test_numbers_may_have_gaps(tmp_path: Path) -> None:
    """Files are written by several people at once, each with a number of their own."""
    write(tmp_path, **{"0001_create_a": "", "0003_create_c": ""})
    assert [migration.number for migration in read_folder(tmp_path)] == [1, 3]


def test_line_ends_do_not_change_a_checksum() -> None:
    """A checkout on another system is the same file."""
    text = "CREATE TABLE IF NOT EXISTS a\n-- b\n"
    plain = Migration(1, "0001_create_a", text)
    assert plain.checksum == Migration(1, "0001_create_a", text.replace("\n", "\r\n")).checksum
    assert plain.checksum == hashlib.sha256(text.encode()).hexdigest()
    assert plain.checksum != Migration(1, "0001_create_a", text + " ").checksum


@pytest.mark.parametrize(
    ("files", "match"),
    [
        ({"0001_create_a": "", "0001_create_b": ""}, "without repeats"),
        ({"0002_create_a": ""}, "without repeats"),
        ({"1_create_a": ""}, "name it like"),
        ({"0001_Create_a": ""}, "name it like"),
        ({"0001_create_a": "SELECT 'x"}, "never closed"),
    ],
)
def test_a_folder_in_disorder_is_refused(tmp_path: Path, files: dict[str, str], match: str) -> None:
    write(tmp_path, **files)
    with pytest.raises(MigrationRefused, match=match):
        read_folder(tmp_path)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE t (n UInt8) ENGINE = Log",
        "CREATE TABLE t AS SELECT 'IF NOT EXISTS'",
        "CREATE VIEW v AS SELECT 1",
        "DROP TABLE t",
        "ALTER TABLE t ADD COLUMN a UInt8",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS a UInt8, ADD COLUMN b UInt8",
        "ALTER TABLE t RENAME COLUMN a TO b",
        "RENAME TABLE a TO b",
        "INSERT INTO t VALUES (1)",
        "TRUNCATE TABLE t",
    ],
)
def test_a_statement_that_cannot_be_repeated_is_refused(tmp_path: Path, statement: str) -> None:
    write(tmp_path, **{"0001_create_a": f"-- first\n{statement};"})
    with pytest.raises(MigrationRefused, match=r"0001_create_a.*IF NOT EXISTS"):
        read_folder(tmp_path)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE IF NOT EXISTS t (n UInt8) ENGINE = Log",
        "create materialized view if not exists v TO t AS SELECT 1",
        "CREATE OR REPLACE VIEW v AS SELECT 1",
        "DROP TABLE IF EXISTS t",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS a UInt8, DROP INDEX IF EXISTS b",
        "ALTER TABLE t MODIFY TTL d + INTERVAL 1 MONTH",
        "ALTER TABLE t RENAME COLUMN IF EXISTS a TO b",
        "CREATE ROLE IF NOT EXISTS r",
        "GRANT SELECT ON ent.* TO r",
    ],
)
def test_a_statement_that_can_be_repeated_is_taken(tmp_path: Path, statement: str) -> None:
    write(tmp_path, **{"0001_create_a": statement})
    assert len(read_folder(tmp_path)) == 1


def test_our_own_files_are_in_order_and_filled_in_for_both() -> None:
    files = read_folder(FOLDER)
    assert files
    for cluster in (None, "main"):
        for file in files:
            for statement in statements(fill_in(file.text, substitutions("ent", cluster))):
                assert ("ON CLUSTER 'main'" in statement) is (cluster is not None), statement[:80]
                assert "ENGINE = MergeTree" not in statement or cluster is None


def test_histories_are_compared() -> None:
    assert compare([ONE, TWO], []).pending == [ONE.name, TWO.name]
    report = compare([ONE, TWO], [record(ONE)])
    assert (report.present, report.pending, report.newer) == ([ONE.name], [TWO.name], [])
    assert compare([ONE], [record(ONE), record(TWO)]).newer == [TWO.name]
    assert compare([ONE], [record(ONE), record(ONE, "2.0")]).present == [ONE.name]


@pytest.mark.parametrize(
    ("files", "records", "match"),
    [
        ([ONE], [Record(1, ONE.name, "0" * 64, "0.9")], "version 0.9.*put that file back"),
        ([ONE], [Record(1, "0001_other", ONE.checksum, "0.9")], "0001_other of version 0.9"),
        ([ONE], [record(TWO, "3.1")], "install version 3.1 or later"),
        ([ONE], [record(ONE), Record(1, "0001_other", "0" * 64, "2.0")], "applied twice with different files"),
    ],
)
def test_histories_that_differ_are_refused(files: list[Migration], records: list[Record], match: str) -> None:
    with pytest.raises(MigrationRefused, match=match):
        compare(files, records)
