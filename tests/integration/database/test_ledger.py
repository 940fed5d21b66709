"""The ledger in detail, against a plain reading of what it was told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from schemas.row import DEAD_LETTER_ROW, DROPPED_ROW, EVENT_ROW
from sinks.base import LogStart, Shipment
from sinks.clickhouse.client import Client
from sinks.clickhouse.ledger import (
    OffsetRange,
    freeze_closed_months,
    join_neighbours,
    read_days,
    read_duplicates,
    read_gaps,
    read_overlaps,
)
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.store import ClickHouseStore
from tests.database import client_of, embedded_database
from tests.rows import TOPIC, event

PARIS = ZoneInfo("Europe/Paris")
TABLES = ("events", "dead_letters", "dropped", "positions", "logs", "ledger_frozen")
START = datetime(2026, 9, 30, 20, 0, tzinfo=UTC)
ENDS = ("accepted", "rejected", "dropped")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with embedded_database(tmp_path_factory.mktemp("ledger")) as database:
        made = client_of(database)
        migrate(made, "ent")
        yield made


def begin(client: Client, first: int = 0) -> ClickHouseStore:
    for table in TABLES:
        client.command(f"TRUNCATE TABLE ent.{table}")
    store = ClickHouseStore(client, "ent")
    store.open_logs([LogStart(TOPIC, 1, 0, first)])
    return store


def arrival(offset: int) -> datetime:
    """A function of the offset, as it is of the record: a few offsets to an hour, over midnight and the month's end."""
    return START + timedelta(minutes=20 * (offset % 60_000))


def letter(offset: int) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(DEAD_LETTER_ROW, "")
    place = {"topic": TOPIC, "incarnation": 1, "partition": 0, "offset": offset, "arrived_at": arrival(offset)}
    return row | place | {"reason": "bad_json", "payload_bytes": 1}


def told(store: ClickHouseStore, ends: list[tuple[int, str]]) -> None:
    """Tell the store of offsets and their ends; every third accepted one repeats the event before it."""
    events = [event(o - (o % 3 == 2), o, arrived_at=arrival(o)) for o, end in ends if end == "accepted"]
    letters = [letter(o) for o, end in ends if end == "rejected"]
    dropped = [(TOPIC, 1, 0, o, o + 1, "no_record", arrival(o)) for o, end in ends if end == "dropped"]
    store.insert(
        Shipment(
            pl.DataFrame(events, schema=EVENT_ROW, orient="row"),
            pl.DataFrame(letters, schema=DEAD_LETTER_ROW, orient="row"),
            pl.DataFrame(dropped, schema=DROPPED_ROW, orient="row"),
        )
    )


def offsets(ranges: list[OffsetRange]) -> list[tuple[int, str]]:
    return [(offset, one.matter) for one in ranges for offset in range(one.first, one.next)]


@pytest.mark.parametrize("seed", range(5))
def test_gaps_overlaps_and_days_are_what_was_told(client: Client, seed: int) -> None:
    """Whatever is told, however often and in which order: with the totals, to the offset."""
    draw = Random(seed)
    store = begin(client)
    ends: defaultdict[int, set[str]] = defaultdict(set)
    for _ in range(draw.randint(1, 4)):
        near = draw.choice((0, 65_520))  # about the edge of a block
        telling = [(near + draw.randrange(40), draw.choice(ENDS)) for _ in range(draw.randint(1, 30))]
        told(store, telling)
        for offset, end in telling:
            ends[offset].add(end)
    (line,) = store.ledger()

    gaps = read_gaps(client, "ent")
    assert [offset for offset, _ in offsets(gaps)] == [o for o in range(max(ends)) if o not in ends]
    assert sum(one.count for one in gaps) == line.missing
    pairs = [(a, b) for n, a in enumerate(ENDS) for b in ENDS[n + 1 :]]
    assert sorted(offsets(read_overlaps(client, "ent"))) == sorted(
        (offset, f"{a} and {b}") for offset, had in ends.items() for a, b in pairs if {a, b} <= had
    )
    days = read_days(client, "ent")
    first_end = {offset: min(had, key=ENDS.index) for offset, had in ends.items()}
    consumed = Counter(arrival(offset).astimezone(PARIS).date() for offset in ends)
    rejected = Counter(arrival(o).astimezone(PARIS).date() for o, end in first_end.items() if end == "rejected")
    assert {one.day: one.consumed for one in days} == consumed
    assert {one.day: one.rejected for one in days if one.rejected} == rejected
    assert sum(one.stored for one in days) == line.stored
    assert all(one.consumed == one.stored + one.duplicate + one.rejected + one.dropped for one in days)
    assert sum(one.count for one in read_duplicates(client, "ent", line)) == line.duplicate


def test_a_closed_month_stays_as_it_was_when_its_events_expire(client: Client) -> None:
    """September is frozen on 3 October and not before, once; what comes late is told apart."""
    store = begin(client)
    told(store, [(offset, "accepted") for offset in range(12)])  # offset 6 arrives at midnight, 1 October in Paris
    before = {one.day: one for one in read_days(client, "ent")}
    assert sorted(before) == [date(2026, 9, 30), date(2026, 10, 1)]
    third = datetime(2026, 10, 3, 12, tzinfo=UTC)
    assert freeze_closed_months(client, "ent", third - timedelta(days=2)) == []
    assert freeze_closed_months(client, "ent", third) == ["2026-09"]
    client.command("TRUNCATE TABLE ent.events")
    september, october = read_days(client, "ent")
    assert (september.frozen, september.consumed, september.stored, september.duplicate) == (True, 6, 4, 2)
    assert (october.frozen, october.stored) == (False, 0)
    told(store, [(60_001, "accepted")])
    assert freeze_closed_months(client, "ent", third) == []
    (september, _) = read_days(client, "ent")
    assert (september.consumed, september.stored, september.late) == (6, 4, 1)
    client.command("TRUNCATE TABLE ent.positions")
    assert [(one.day, one.consumed) for one in read_days(client, "ent")] == [(date(2026, 9, 30), 6)]


def test_an_offset_that_was_told_of_two_days_counts_on_the_first(client: Client) -> None:
    """A hole has no arrival of its own: batches that are cut differently may see another record beside it."""
    store = begin(client)
    for moment in (START + timedelta(days=1), START):
        row = [(TOPIC, 1, 0, 0, 5, "no_record", moment)]
        store.insert(Shipment(dropped=pl.DataFrame(row, schema=DROPPED_ROW, orient="row")))
    assert [(one.day, one.dropped) for one in read_days(client, "ent")] == [(START.date(), 5)]
    assert read_overlaps(client, "ent") == []


def test_what_begins_behind_the_start_of_a_log_is_no_gap(client: Client) -> None:
    store = begin(client, first=70_000)
    told(store, [(70_000, "accepted"), (70_002, "rejected")])
    assert [(one.first, one.next) for one in read_gaps(client, "ent")] == [(70_001, 70_002)]


def test_ranges_that_the_blocks_cut_are_joined() -> None:
    parts = [OffsetRange(TOPIC, 1, 0, first, after, "no end") for first, after in ((5, 9), (9, 12), (13, 14))]
    assert [(one.first, one.next) for one in join_neighbours(parts)] == [(5, 12), (13, 14)]


def test_a_ledger_of_the_version_before_goes_on(tmp_path: Path) -> None:
    """What was stored before days were kept has none, and the sums stay right."""
    from sinks.clickhouse.migrate import FOLDER

    older = tmp_path / "older"
    older.mkdir()
    for path in FOLDER.glob("000[1-5]_*.sql"):
        (older / path.name).write_text(path.read_text())
    with embedded_database(tmp_path / "database") as database:
        client = client_of(database)
        migrate(client, "ent", folder=older)
        store = ClickHouseStore(client, "ent")
        store.open_logs([LogStart(TOPIC, 1, 0, 0)])
        frame = pl.DataFrame([event(n, n) for n in range(4)], schema=EVENT_ROW, orient="row").drop("named")
        store.insert(Shipment(events=frame))
        migrate(client, "ent")
        store.insert(Shipment(events=pl.DataFrame([event(9, 4)], schema=EVENT_ROW, orient="row")))
        (line,) = store.ledger()
        assert (line.consumed, line.stored, line.missing) == (5, 5, 0)
        old, new = read_days(client, "ent")
        assert (old.day, old.consumed, new.consumed, old.stored + new.stored) == (date(1970, 1, 1), 4, 1, 5)
