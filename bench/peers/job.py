"""The job as every Python peer does it: the event, when it counts, the sink, and how the result is told.

J1: decode, validate, enrich with school and level, count by minute, school and application. J2: the same, and every
valid event into ClickHouse by HTTP. What differs between the peers is how records come and where windows are kept.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import time
import urllib.parse
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec
from digest import Window, digest

BOOTSTRAP = os.environ["BENCH_BOOTSTRAP"]
TOPIC = os.environ["BENCH_TOPIC"]
RECORDS = int(os.environ["BENCH_RECORDS"])
GROUP = os.environ["BENCH_GROUP"]
STATE = os.environ["BENCH_STATE"]
MODE = os.environ.get("BENCH_MODE", "")
SINK = os.environ.get("BENCH_SINK", "")
"""host:port of ClickHouse's HTTP interface; empty for J1."""
SINK_ROWS = 20_000
PROFILES = frozenset({"eleve", "parent", "enseignant", "personnel", "autre"})
with open(os.environ["BENCH_CLASSES"]) as stream:  # noqa: PTH123 (peers are plain scripts)
    CLASSES: dict[str, tuple[str, str]] = {key: tuple(value) for key, value in json.load(stream).items()}
"""School and class, joined by a bar -> (name of the school, levels of the class)."""


class Data(msgspec.Struct, gc=False):
    """What an application visit says."""

    uai: list[str]
    classes: list[str]
    profile: str
    user: str
    session: str
    app: str
    channel: str
    device: str


class Event(msgspec.Struct, gc=False):
    """A CloudEvent of the topic."""

    specversion: str
    id: str
    source: str
    type: str
    time: datetime
    data: Data


class Row(msgspec.Struct, gc=False):
    """What J2 stores."""

    event_id: str
    event_time: int
    uai: str
    school: str
    class_id: str
    levels: str
    profile: str
    app: str
    user: str
    session: str
    device: str


class Counted(NamedTuple):
    """A valid event's window, and its row if rows are stored."""

    window: Window
    row: Row | None


_decode = msgspec.json.Decoder(Event).decode
_encode_lines = msgspec.json.Encoder().encode_lines


class Job:
    """Counts records and keeps rows for the sink."""

    def __init__(self) -> None:
        self.seen = self.valid = 0
        self.started_cpu_s: float | None = None
        self._rows: list[Row] = []
        self._sink = Sink() if SINK else None

    def take(self, value: bytes) -> Window | None:
        """The window of a record's event; None if it is refused. In J2 its row is on its way afterwards."""
        if self.started_cpu_s is None:
            self.started_cpu_s = time.process_time()
        self.seen += 1
        try:
            event = _decode(value)
            data = event.data
            uai, class_id = data.uai[0], data.classes[0]
            school, levels = CLASSES[f"{uai}|{class_id}"]
        except (msgspec.MsgspecError, KeyError, IndexError, UnicodeDecodeError):
            return None
        if data.profile not in PROFILES or event.specversion != "1.0" or not 0 < len(event.id) <= 128:
            return None
        self.valid += 1
        at_s = int(event.time.timestamp())
        if self._sink is not None:
            self._rows.append(
                Row(
                    event.id, at_s, uai, school, class_id, levels, data.profile, data.app, data.user, data.session,
                    data.device,
                )
            )  # fmt: skip
            if len(self._rows) >= SINK_ROWS:
                self.store()
        return at_s // 60 * 60, uai, data.app

    @property
    def done(self) -> bool:
        """Whether all records of the topic were seen."""
        return self.seen >= RECORDS

    def store(self) -> None:
        """Send the rows that wait."""
        if self._sink is not None and self._rows:
            self._sink.insert(_encode_lines(self._rows), len(self._rows))
            self._rows.clear()

    def tell(self, windows: Mapping[Window, int]) -> None:
        """Store the rest and print the result."""
        self.store()
        started = self.started_cpu_s or 0.0
        result = {
            "seen": self.seen,
            "valid": self.valid,
            "digest": digest(windows),
            "inserted": self._sink.rows if self._sink else None,
            "start_cpu_s": started,
        }
        os.write(1, f"\nRESULT {json.dumps(result)}\n".encode())


class Sink:
    """Inserts over one connection that is kept, as a ClickHouse client does."""

    def __init__(self) -> None:
        self.rows = 0
        self._connection = http.client.HTTPConnection(*SINK.split(":"))
        credentials = base64.b64encode(os.environ["BENCH_SINK_LOGIN"].encode()).decode()
        self._headers = {"Authorization": f"Basic {credentials}"}
        statement = f"INSERT INTO {os.environ['BENCH_SINK_TABLE']} FORMAT JSONEachRow"
        self._target = f"/?query={urllib.parse.quote(statement)}"

    def insert(self, lines: bytes, rows: int) -> None:
        """Send rows as lines of JSON; RuntimeError if they are refused."""
        self._connection.request("POST", self._target, lines, self._headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(text.decode(errors="replace"))
        self.rows += rows
