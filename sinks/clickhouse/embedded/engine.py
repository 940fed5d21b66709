"""chDB on one folder: each statement runs on a session of its own, several at once.

A session of the engine costs less than 0.1 ms and about 0.1 ms more for its settings, so there is nothing to pool: like
a request without a session on a server, each starts with the defaults, and no setting, current database or temporary
table of one reaches the next, whatever it died of.
"""

import logging
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, cast
from xml.sax.saxutils import escape

from sinks.clickhouse.embedded.refusal import Refusal, bad_request, from_engine
from sinks.clickhouse.embedded.room import Room, free_bytes

_SETTING_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_FORMAT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*", re.ASCII)
_PYTHON_OBJECTS = frozenset({"dataframe", "datastore", "arrowtable", "debug"})
"""Formats in which the engine's Python interface would hand back objects instead of bytes."""

_MIB = 1024 * 1024
_DAMAGES = frozenset({3, 33, 40, 74, 88, 107, 226, 228, 246, 271})
"""Codes of reading files that are cut, empty or gone; of statements with rows too: hence the words below."""
_PART = "while reading from part"
_TABLES = "SELECT concat('`', database, '`.`', name, '`') FROM system.tables WHERE engine LIKE '%MergeTree'"
_BROKEN_PARTS = "SELECT concat(database, '.', table, ' ', name) FROM system.detached_parts"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """What the engine may take of a small machine."""

    max_memory_bytes: int = 800 * _MIB
    """Of all statements and merges together; a statement that would pass it fails with code 241."""
    max_result_bytes: int = 256 * _MIB
    """Of one answer: answers are built whole before they are sent."""
    max_parallel_statements: int = 8
    max_wait_s: float = 15.0
    """For a free place, after which a statement is refused with code 202."""
    mark_cache_bytes: int = 32 * _MIB
    background_merges: int = 2
    least_free_bytes: int = 64 * _MIB
    """Of the disk, below which nothing is written."""
    sources_kept_s: int = 60
    """For so long the sources of a merged part are kept, to take them back where it is broken."""


@dataclass(frozen=True, slots=True)
class Insert:
    """An INSERT whose data came with it: `INSERT INTO …`, its SETTINGS clause or nothing, format and data."""

    target: str
    settings: str
    format: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """What a statement gave: bytes in the format asked for, and counts for the summary header."""

    body: bytes
    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    elapsed_s: float = 0.0


class Engine:
    """The engine of one folder. A process can have one, and a folder one process (see `ownership`)."""

    def __init__(self, folder: Path, limits: EngineLimits | None = None) -> None:
        """Open or create the database in `folder`. Raises `Refusal` when the files cannot be opened."""
        if set(str(folder)) & set("?&"):
            raise bad_request(f"the folder's name may hold neither ? nor &: {folder}")
        self.limits = limits or EngineLimits()
        folder = folder.resolve()
        self._path = str(folder / "data")
        self._places = threading.BoundedSemaphore(self.limits.max_parallel_statements)
        self._reading_places = threading.BoundedSemaphore(max(1, self.limits.max_parallel_statements // 2))
        self._defaults = {
            "max_result_bytes": str(self.limits.max_result_bytes),
            "result_overflow_mode": "throw",
        }
        self._incoming = folder / "incoming"
        shutil.rmtree(self._incoming, ignore_errors=True)  # what a process that was killed left there
        self._incoming.mkdir()
        self._connect = _load()
        configuration = folder / "engine.xml"
        configuration.write_text(_configuration(folder, self.limits))
        try:
            self._base = self._connect(f"{self._path}?config-file={configuration}")
            found = self._base.query("SELECT version(), timezone()", "TSV").bytes().decode()
        except Exception as error:
            raise from_engine(error) from error
        self.version, self.timezone = found.split()
        self._closed_tables: list[str] = []
        self._room = Room(
            lambda: free_bytes(folder),
            self.limits.least_free_bytes,
            stop_merges=lambda: self._control("SYSTEM STOP MERGES"),
            start_merges=lambda: self._control("SYSTEM START MERGES"),
            reopen=self._reopen,
        )
        self._room.start()

    @contextmanager
    def session(
        self, database: str | None = None, settings: Mapping[str, str] | None = None, *, reading: bool = False
    ) -> Iterator["Session"]:
        """A fresh session in `database` under `settings`; those that are `reading` take half of the places at most.

        Raises `Refusal` when no place comes free in time, or for a database or a setting that is not there.
        """
        with ExitStack() as held:
            for places in (self._reading_places, self._places) if reading else (self._places,):
                if not places.acquire(timeout=self.limits.max_wait_s):
                    raise Refusal(
                        202,
                        "TOO_MANY_SIMULTANEOUS_QUERIES",
                        f"no place for another statement came free within {self.limits.max_wait_s:g} s",
                    )
                held.callback(places.release)
            try:
                connection = self._connect(self._path)
            except Exception as error:
                raise from_engine(error) from error
            held.callback(connection.close)
            session = Session(connection, self._incoming, self._room)
            session.prepare(database, {**self._defaults, **(settings or {})})
            yield session

    def close(self, patience_s: float) -> bool:
        """Wait for what is running, cancel it half-way through `patience_s`, close. False if something still runs."""
        limit = time.monotonic() + patience_s
        self._room.stop()
        if not self._drain(time.monotonic() + patience_s / 2):
            self._base.query("KILL QUERY WHERE query_id != queryID() ASYNC", "Null")
            if not self._drain(limit):
                return False
        self._base.close()
        return True

    def _control(self, sql: str) -> list[str]:
        """Run a statement of our own, and its lines. Raises `Refusal`."""
        try:
            connection = self._connect(self._path)
        except Exception as error:
            raise from_engine(error) from error
        try:
            return list(connection.query(sql, "TSVRaw").bytes().decode().splitlines())
        except Exception as error:
            raise from_engine(error) from error
        finally:
            connection.close()

    def _reopen(self) -> bool:
        """Open all tables anew, with no statement running; False where it has to be tried again."""
        if not self._drain(time.monotonic() + self.limits.max_wait_s):
            return False
        try:
            known = set(self._control(_BROKEN_PARTS))
            for table in self._control(_TABLES):
                self._control(f"DETACH TABLE {table} SYNC")
                self._closed_tables.append(table)
            while self._closed_tables:
                self._control(f"ATTACH TABLE {self._closed_tables[-1]}")
                self._closed_tables.pop()
            for part in sorted(set(self._control(_BROKEN_PARTS)) - known):
                _log.error("a broken part was put aside: %s", part)
        except Refusal as refusal:
            _log.warning("tables were not opened anew, it is tried again: %s", refusal.message)
            return False
        finally:
            for _ in range(self.limits.max_parallel_statements):
                self._places.release()
        return True

    def _drain(self, limit: float) -> bool:
        taken = 0
        while taken < self.limits.max_parallel_statements:
            if not self._places.acquire(timeout=max(0.0, limit - time.monotonic())):
                break
            taken += 1
        if taken < self.limits.max_parallel_statements:
            for _ in range(taken):
                self._places.release()
            return False
        return True


class Session:
    """One connection of the engine, for one request."""

    def __init__(self, connection: Any, incoming: Path, room: Room) -> None:
        self._connection = connection
        self._incoming = incoming
        self._room = room

    def prepare(self, database: str | None, settings: Mapping[str, str]) -> None:
        """Enter `database` and set `settings`, in their order. Raises `Refusal` for unknown ones."""
        if database:
            self._run("USE " + quote_name(database), "Null", {})
        if settings:
            changes = ", ".join(f"{_setting_name(name)} = {quote_text(value)}" for name, value in settings.items())
            self._run("SET " + changes, "Null", {})

    def classify(self, sql: str) -> tuple[str, int]:
        """What the statement would do (READ_ONLY, MUTATING, CONTROL, UNKNOWN) and how many statements there are."""
        try:
            found = self._connection._conn.classify_query(sql)  # noqa: SLF001 (the only door to the engine's own parser)
        except Exception as error:
            raise from_engine(error) from error
        return found["query_class"].name, found["statement_count"]

    def query(self, sql: str, output_format: str, parameters: Mapping[str, str]) -> Result:
        """Run one statement; `parameters` are values as the HTTP interface escapes them. Raises `Refusal`."""
        output_format = _format_name(output_format)
        if self.classify(sql)[0] != "MUTATING":
            return self._run(sql, output_format, parameters)
        return self._write(sql, output_format, parameters)

    def insert(self, insert: Insert, parameters: Mapping[str, str]) -> Result:
        """Run an INSERT over its data. Raises `Refusal`; see ClickHouse for how far it is atomic.

        The data goes through a file: the engine's own streaming insert (chDB 26.9) answers that all is well when the
        table refuses the rows (too many parts, a constraint, a materialized view), which would lose them in silence.
        """
        with ExitStack() as held:
            try:
                file = held.enter_context(NamedTemporaryFile(dir=self._incoming))
                file.write(insert.data)
                file.flush()
            except OSError as error:
                raise Refusal(243, "NOT_ENOUGH_SPACE", f"the rows cannot be laid down: {error.strerror}") from error
            source = f"FROM INFILE {quote_text(file.name)} COMPRESSION 'none'"
            sql = f"{insert.target} {source} {insert.settings} FORMAT {_format_name(insert.format)}"
            return self._write(sql, "Null", parameters)

    def _write(self, sql: str, output_format: str, parameters: Mapping[str, str]) -> Result:
        sign = self._room.enter()
        result = self._run(sql, output_format, parameters)
        self._room.leave(sign)
        return result

    def _run(self, sql: str, output_format: str, parameters: Mapping[str, str]) -> Result:
        try:
            found = self._connection.query(sql, output_format, params=dict(parameters))
        except Exception as error:
            refusal = from_engine(error)
            if refusal.code in _DAMAGES and _PART in refusal.message:
                self._room.doubt()
                refusal = Refusal(733, "TABLE_IS_BEING_RESTARTED", f"a part is broken: {refusal.message}")
            raise refusal from error
        return Result(
            found.bytes() or b"",
            read_rows=found.storage_rows_read(),
            read_bytes=found.storage_bytes_read(),
            written_rows=found.rows_written(),
            written_bytes=found.bytes_written(),
            elapsed_s=found.elapsed(),
        )


def _load() -> Callable[[str], Any]:
    """chDB's `connect`. The library takes its time zone from the environment when it is loaded: hence here, and UTC."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    from chdb import connect

    return cast("Callable[[str], Any]", connect)


def quote_name(name: str) -> str:
    """An identifier in backquotes."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def quote_text(value: str) -> str:
    """A string literal."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _setting_name(name: str) -> str:
    if not _SETTING_NAME.fullmatch(name):
        raise Refusal(115, "UNKNOWN_SETTING", f"{name!r} is no name of a setting")
    return name


def _format_name(name: str) -> str:
    if not _FORMAT_NAME.fullmatch(name) or name.lower() in _PYTHON_OBJECTS:
        raise Refusal(73, "UNKNOWN_FORMAT", f"Unknown format {name!r}")
    return name


def _configuration(folder: Path, limits: EngineLimits) -> str:
    """The engine's configuration file: everything it writes lies in `folder`, and caches are small."""
    entries = {
        "tmp_path": f"{folder / 'tmp'}/",
        "user_files_path": f"{folder / 'user_files'}/",
        "format_schema_path": f"{folder / 'format_schemas'}/",
        "max_server_memory_usage": limits.max_memory_bytes,
        "mark_cache_size": limits.mark_cache_bytes,
        "index_mark_cache_size": limits.mark_cache_bytes // 8,
        "primary_index_cache_size": limits.mark_cache_bytes // 2,
        "uncompressed_cache_size": 0,
        "index_uncompressed_cache_size": 0,
        "query_cache": "<max_size_in_bytes>0</max_size_in_bytes>",
        "backups": f"<allowed_path>{escape(str(folder / 'backups'))}</allowed_path>",
        "compiled_expression_cache_size": limits.mark_cache_bytes // 4,
        "background_pool_size": limits.background_merges,
        "background_schedule_pool_size": 2,
        "merge_tree": f"<old_parts_lifetime>{limits.sources_kept_s}</old_parts_lifetime>",
    }
    nested = ("query_cache", "backups", "merge_tree")
    lines = [f"  <{k}>{v if k in nested else escape(str(v))}</{k}>" for k, v in entries.items()]
    return "\n".join(["<clickhouse>", *lines, "</clickhouse>", ""])
