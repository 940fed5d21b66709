"""What every store must do, whatever the workers do to it: one suite for ClickHouse and for its twin in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sinks.base import Level, LogStart, Progress, Store
from sinks.clickhouse.client import Client
from sinks.clickhouse.errors import Unavailable
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.store import ClickHouseStore
from sinks.clickhouse.windows import draw_version
from sinks.memory import MemoryStore
from tests.database import client_of, embedded_database
from tests.next_version import widen
from tests.rows import DAY, HOUR, MINUTE, TOPIC, event, shipment


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with embedded_database(tmp_path_factory.mktemp("store")) as database:
        yield client_of(database)


@pytest.fixture(params=["memory", "clickhouse"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        return _begun(MemoryStore())
    client: Client = request.getfixturevalue("client")
    empty(client)
    return _begun(ClickHouseStore(client, "contract"))


def empty(client: Client) -> None:
    """Our tables with nothing in them; made once, which takes longer than emptying them."""
    if not client.query_rows("SELECT 1 FROM system.databases WHERE name = 'contract'"):
        migrate(client, "contract")
    for (table,) in client.query_rows(
        "SELECT name FROM system.tables WHERE database = 'contract' AND total_rows > 0 AND name != 'migrations'"
    ):
        client.command(f"TRUNCATE TABLE contract.{table}")


def _begun(store: Store) -> Store:
    store.open_logs([LogStart(TOPIC, 1, 0, 0)])
    return store


def ledger(store: Store) -> list[tuple[int, ...]]:
    return [
        (line.partition, line.consumed, line.stored, line.duplicate, line.rejected, line.dropped, line.missing)
        for line in store.ledger()
    ]


def cells(store: Store, table: str = "usage_by_minute") -> dict[Any, tuple[Any, ...]]:
    """Class (or application) -> (events, events_once, recipients, users) of the cells with events in them."""
    place = 3 if table.startswith("app") else 2
    return {row[place]: row[5:] for row in store.window(table) if row[5]}


def recompute_all(store: Store) -> None:
    store.recompute(Level.MINUTE, [MINUTE])
    store.recompute(Level.HOUR, [HOUR])
    store.recompute(Level.DAY, [DAY])


def test_an_event_stands_in_its_minute_hour_and_day(store: Store) -> None:
    store.insert(shipment([event(1, 0), event(2, 1)]))
    recompute_all(store)
    for level in Level:
        assert cells(store, f"usage_by_{level}") == {"c1": (2, 2, 0, 2)}
    assert [row[0] for row in store.window("usage_by_day")] == [DAY]


def test_replays_with_moved_boundaries_change_nothing(store: Store) -> None:
    for first, after in ((0, 10), (4, 12), (0, 12)):
        store.insert(shipment([event(n, n) for n in range(first, after)]))
        recompute_all(store)
    assert cells(store) == {"c1": (12, 12, 0, 3)}
    assert ledger(store) == [(0, 12, 12, 0, 0, 0, 0)]


def test_a_repeated_event_counts_once_and_the_ledger_says_so(store: Store) -> None:
    store.insert(shipment([event(1, 0), event(2, 1), event(1, 2)]))
    recompute_all(store)
    assert cells(store) == {"c1": (2, 2, 0, 2)}
    assert ledger(store) == [(0, 3, 2, 1, 0, 0, 0)]


def test_offsets_that_came_to_no_end_are_missing(store: Store) -> None:
    store.insert(shipment([event(1, 0), event(2, 70_000)]))
    (line,) = store.ledger()
    assert line.missing == 69_999
    assert not line.closes


def test_every_outcome_has_its_column(store: Store) -> None:
    store.insert(shipment([event(1, 0)], rejected=[1, 2], dropped=[(3, 70_000), (5, 80)]))
    store.insert(shipment([event(1, 0)], rejected=[2], dropped=[(3, 70_000)]))
    assert ledger(store) == [(0, 70_000, 1, 0, 2, 69_997, 0)]
    assert store.ledger()[0].closes


def test_what_lies_before_the_first_offset_read_is_not_missing(store: Store) -> None:
    store.open_logs([LogStart(TOPIC, 2, 0, 1000), LogStart(TOPIC, 2, 0, 1500)])
    store.insert(shipment([event(9, 1000, incarnation=2)]))
    assert [(line.incarnation, line.first, line.missing) for line in store.ledger()][-1] == (2, 1000, 0)


def test_a_log_that_starts_over_is_another_line(store: Store) -> None:
    store.open_logs([LogStart(TOPIC, 7, 0, 0)])
    store.insert(shipment([event(1, 0)]))
    store.insert(shipment([event(2, 0, incarnation=7), event(3, 1, incarnation=7)]))
    assert [(line.incarnation, line.consumed) for line in store.ledger()] == [(1, 1), (7, 2)]


def test_an_event_counts_in_each_of_its_schools_and_once_in_all(store: Store) -> None:
    store.insert(shipment([event(1, 0, other_uai=["0689902U"], other_class_id=["c9"]), event(2, 1)]))
    recompute_all(store)
    by_school = {row[1]: row[5:] for row in store.window("usage_by_day")}
    assert by_school == {"0689901T": (2, 2, 0, 2), "0689902U": (1, 0, 0, 1)}


def test_nobody_is_no_user(store: Store) -> None:
    store.insert(shipment([event(1, 0, user_key=0), event(2, 1, user_key=0)]))
    recompute_all(store)
    assert cells(store) == {"c1": (2, 2, 0, 0)}


def test_applications_count_visits_and_notifications_only(store: Store) -> None:
    visit = {"type": "app_visit", "app": "blog"}
    note = {"type": "notification", "app": "messagerie", "recipients": 40}
    store.insert(shipment([event(1, 0), event(2, 1, **visit), event(3, 2, **visit), event(4, 3, **note)]))
    recompute_all(store)
    assert cells(store, "app_usage_by_hour") == {"blog": (2, 2, 0, 2), "messagerie": (1, 1, 40, 1)}


def test_a_corrected_class_leaves_no_cell_behind(store: Store) -> None:
    store.insert(shipment([event(1, 0), event(2, 1)]))
    recompute_all(store)
    store.insert(shipment([event(n, n - 1, class_id="c2", revision=2) for n in (1, 2)]))
    store.insert(shipment([event(1, 0)]))  # an old owner wakes up with the old directory
    recompute_all(store)
    for level in Level:
        assert cells(store, f"usage_by_{level}") == {"c2": (2, 2, 0, 2)}


def test_a_late_event_reaches_the_windows_of_its_day(store: Store) -> None:
    """A year later, into slices that were closed long ago."""
    long_ago = datetime.fromtimestamp(MINUTE, UTC) - timedelta(days=365)
    minute = int(long_ago.timestamp())
    recompute_all(store)
    store.insert(shipment([event(1, 0, event_time=long_ago)]))
    store.recompute(Level.MINUTE, [minute])
    store.recompute(Level.HOUR, [minute - minute % 3600])
    store.recompute(Level.DAY, [minute // 86_400])
    store.insert(shipment([event(2, 1, event_time=long_ago)]))
    store.recompute(Level.MINUTE, [minute])
    store.recompute(Level.HOUR, [minute - minute % 3600])
    store.recompute(Level.DAY, [minute // 86_400])
    for level in Level:
        assert cells(store, f"usage_by_{level}") == {"c1": (2, 2, 0, 2)}


def test_a_day_of_paris_begins_at_midnight_in_paris(store: Store) -> None:
    late_evening = datetime(2026, 7, 20, 21, 59, tzinfo=UTC)  # 23:59 in Paris
    after_midnight = datetime(2026, 7, 20, 22, 1, tzinfo=UTC)
    store.insert(shipment([event(1, 0, event_time=late_evening), event(2, 1, event_time=after_midnight)]))
    minutes = [int(moment.timestamp()) // 60 * 60 for moment in (late_evening, after_midnight)]
    store.recompute(Level.MINUTE, minutes)
    store.recompute(Level.HOUR, {minute - minute % 3600 for minute in minutes})
    days = [(datetime(2026, 7, d, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days for d in (20, 21)]
    store.recompute(Level.DAY, days)
    assert sorted((row[0], row[5]) for row in store.window("usage_by_day")) == [(days[0], 1), (days[1], 1)]


def test_many_slices_at_once(store: Store) -> None:
    moments = [datetime.fromtimestamp(MINUTE + 60 * n, UTC) for n in range(500)]
    store.insert(shipment([event(n, n, event_time=moment) for n, moment in enumerate(moments)]))
    store.recompute(Level.MINUTE, [MINUTE + 60 * n for n in range(500)])
    store.recompute(Level.HOUR, {(MINUTE + 60 * n) // 3600 * 3600 for n in range(500)})
    store.recompute(Level.DAY, [DAY])
    assert cells(store, "usage_by_day") == {"c1": (500, 500, 0, 3)}


def test_nothing_is_no_trouble(store: Store) -> None:
    store.insert(shipment())
    store.open_logs([])
    store.record_progress([])
    for level in Level:
        store.recompute(level, [])
    assert list(store.window("usage_by_day")) == []


def test_progress_keeps_the_last_word(client: Client) -> None:
    empty(client)
    store = ClickHouseStore(client, "contract")
    early, later = (datetime(2026, 11, 17, 8, minute, tzinfo=UTC) for minute in (1, 2))
    store.record_progress([Progress(TOPIC, 0, 2**31, early, 90_000), Progress(TOPIC, 1, 1, later, 0)])
    store.record_progress([Progress(TOPIC, 0, 1, later, 3)])
    ((through, lag, partitions),) = client.query_rows("SELECT * FROM contract.v_complete")
    assert (through.replace(tzinfo=UTC), lag, partitions) == (later, 3, 2)


def test_partitions_of_a_former_log_hold_nothing_back(client: Client) -> None:
    """A topic that was deleted and made again with fewer partitions."""
    empty(client)
    store = ClickHouseStore(client, "contract")
    early, later = (datetime(2026, 11, 17, 8, minute, tzinfo=UTC) for minute in (1, 2))
    store.record_progress([Progress(TOPIC, partition, 1, early, 5) for partition in range(3)])
    store.record_progress([Progress(TOPIC, partition, 2, later, 0) for partition in range(2)])
    ((through, lag, partitions),) = client.query_rows("SELECT * FROM contract.v_complete")
    assert (through.replace(tzinfo=UTC), lag, partitions) == (later, 0, 2)


def test_a_worker_of_this_version_works_on_the_tables_of_the_next_one(client: Client) -> None:
    """A rolling upgrade migrates first: new columns have defaults, new tables are nobody's yet."""
    migrate(client, "wider")
    store = _begun(ClickHouseStore(client, "wider"))
    store.insert(shipment([event(1, 0)], rejected=[1]))
    recompute_all(store)
    assert {"events", "positions", "usage_by_day", "progress"} < set(widen(client, "wider"))
    store.insert(shipment([event(2, 2)], rejected=[3], dropped=[(4, 6)]))
    store.record_progress([Progress(TOPIC, 0, 1, datetime(2026, 11, 17, 8, 1, tzinfo=UTC), 0)])
    recompute_all(store)
    assert cells(store) == cells(store, "usage_by_day") == {"c1": (2, 2, 0, 2)}
    assert ledger(store) == [(0, 6, 2, 0, 2, 2, 0)]


def test_a_pass_that_was_overtaken_loses(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass whose version was asked for before another pass wrote does not undo that pass, however late it writes."""
    empty(client)
    store = ClickHouseStore(client, "contract")
    store.insert(shipment([event(1, 0)]))
    ((early,),) = client.query_rows("SELECT toUInt64(toUnixTimestamp64Micro(now64(6)))")
    store.insert(shipment([event(2, 1)]))
    store.recompute(Level.MINUTE, [MINUTE])
    client.command("ALTER TABLE contract.events DELETE WHERE offset = 1 SETTINGS mutations_sync = 2")
    query_rows = client.query_rows
    monkeypatch.setattr(
        client, "query_rows", lambda sql, *more: [(early,)] if "max(version)" in sql else query_rows(sql, *more)
    )
    store.recompute(Level.MINUTE, [MINUTE])
    assert cells(store) == {"c1": (2, 2, 0, 2)}


def test_a_clock_that_was_set_back_does_no_harm(client: Client) -> None:
    empty(client)
    store = ClickHouseStore(client, "contract")
    client.command("INSERT INTO contract.passes SELECT toUnixTimestamp64Micro(now64(6)) + 3600000000")
    store.insert(shipment([event(1, 0)]))
    store.recompute(Level.MINUTE, [MINUTE])
    store.insert(shipment([event(2, 1)]))
    store.recompute(Level.MINUTE, [MINUTE])
    assert cells(store) == {"c1": (2, 2, 0, 2)}


def test_versions_keep_the_order_of_their_drawing_while_the_clock_is_behind(client: Client) -> None:
    """Whoever draws later wins, though neither has written: the window tables alone could not tell."""
    empty(client)
    client.command("INSERT INTO contract.passes SELECT toUnixTimestamp64Micro(now64(6)) + 3600000000")
    write, read = draw_version("contract")
    drawn = []
    for _ in range(3):
        client.command(write)
        drawn += [row[0] for row in client.query_rows(read)]
    assert drawn == sorted(set(drawn))


@pytest.mark.parametrize("statement", range(8))
def test_a_recomputation_that_was_cut_is_repeated(
    client: Client, monkeypatch: pytest.MonkeyPatch, statement: int
) -> None:
    """Cut between any two of its statements: what was written is right or written again."""
    empty(client)
    store = ClickHouseStore(client, "contract")
    visit = {"type": "app_visit", "app": "blog"}
    store.insert(shipment([event(1, 0, **visit)]))
    recompute_all(store)
    store.insert(shipment([event(1, 0, class_id="c2", revision=2, **visit), event(2, 1, **visit)]))
    command, left = client.command, [statement]

    def cut(sql: str, parameters: Any = None) -> None:
        if not left[0]:
            raise Unavailable("cut")
        left[0] -= 1
        command(sql, parameters)

    monkeypatch.setattr(client, "command", cut)
    with pytest.raises(Unavailable):
        recompute_all(store)
    monkeypatch.setattr(client, "command", command)
    recompute_all(store)
    for level in Level:
        assert cells(store, f"usage_by_{level}") == {"c1": (1, 1, 0, 1), "c2": (1, 1, 0, 1)}
        assert cells(store, f"app_usage_by_{level}") == {"blog": (2, 2, 0, 2)}


def test_rows_and_tables_have_the_same_columns(client: Client) -> None:
    """schemas.row and the migrations say the same, in the same order."""
    from schemas.row import DEAD_LETTER_ROW, DROPPED_ROW, EVENT_ROW

    empty(client)
    for table, row in (("events", EVENT_ROW), ("dead_letters", DEAD_LETTER_ROW), ("dropped", DROPPED_ROW)):
        columns = client.query_rows(
            "SELECT name, type FROM system.columns WHERE database = 'contract' AND table = {table:String} "
            "ORDER BY position",
            {"table": table},
        )
        assert [name for name, _ in columns] == list(row)
        for name, kind in columns:
            assert ("LowCardinality" in kind and "Array" not in kind) == (row[name] == pl.Categorical), name


def test_the_files_survive_a_kill(tmp_path: Path) -> None:
    """What was confirmed is there after SIGKILL of the database."""
    with embedded_database(tmp_path) as database:
        client = client_of(database)
        migrate(client, "ent")
        _begun(ClickHouseStore(client, "ent")).insert(shipment([event(n, n) for n in range(100)]))
        database.kill()
        database.start()
        assert ClickHouseStore(client_of(database), "ent").ledger()[0].stored == 100
