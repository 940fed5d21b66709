"""What may be kept how long is data, and the tables do it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from sinks.clickhouse.client import Client
from sinks.clickhouse.counts import keep_counts, kept_ages
from sinks.clickhouse.grains import KEPT, Grain
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.retention import RetentionSettings, apply_retention, check_retention, retentions
from sinks.clickhouse.store import ClickHouseStore
from streams.publication import to_keep
from tests.database import client_of, embedded_database

WANTED = retentions("ent", RetentionSettings())


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with embedded_database(tmp_path_factory.mktemp("retention")) as database:
        client = client_of(database)
        migrate(client, "ent")
        apply_retention(client, WANTED)
        yield client


def insert_event(client: Client, age_days: int) -> None:
    client.command(
        "INSERT INTO ent.events (event_id, event_time, type, school, uai, user_key, topic, incarnation, offset) "
        f"SELECT leftPad(toString({age_days}), 16, '0'), now() - toIntervalDay({age_days}), 'login', 's', 's', 7, "
        f"'t', 1, {age_days}"
    )


def test_limits_are_applied_once_and_then_as_they_should_be(client: Client) -> None:
    assert apply_retention(client, WANTED) == []
    assert check_retention(client, WANTED) == []


def test_another_limit_is_told_and_then_taken(client: Client) -> None:
    shorter = retentions("ent", RetentionSettings(dead_letters_days=10))
    assert [line for line in check_retention(client, shorter) if "dead_letters" in line and "privacy apply" in line]
    assert apply_retention(client, shorter) == ["ent.dead_letters"]
    assert apply_retention(client, WANTED) == ["ent.dead_letters"]


def test_what_has_expired_is_deleted_by_the_next_merge_and_told_until_then(client: Client) -> None:
    """Events and all windows of a day go together; the ledger still closes."""
    client.command("SYSTEM STOP TTL MERGES ent.events")
    client.command("SYSTEM STOP MERGES ent.events")
    for age_days in (5, 170, 190, 300):
        insert_event(client, age_days)
    client.command("INSERT INTO ent.logs VALUES ('t', 1, 0, 5, now())")
    assert [line for line in check_retention(client, WANTED) if line.startswith("ent.events holds 2 rows")]
    client.command("SYSTEM START TTL MERGES ent.events")
    client.command("SYSTEM START MERGES ent.events")
    client.command("OPTIMIZE TABLE ent.events FINAL")
    assert client.query_rows("SELECT offset FROM ent.events ORDER BY offset") == [(5,), (170,)]
    assert check_retention(client, WANTED) == []
    (line,) = ClickHouseStore(client, "ent").ledger()
    assert (line.consumed, line.stored + line.duplicate) == (4, 4)


def test_no_window_outlives_what_it_is_made_of() -> None:
    """A day is made of hours, an hour of minutes, a minute of events: all of one day of Paris expire together."""
    windows = [
        each for each in WANTED if each.table.startswith(("ent.usage", "ent.app_usage")) or each.table == "ent.events"
    ]
    assert len(windows) == 7
    assert {each.days for each in windows} == {180}
    assert all("Europe/Paris" in each.day or each.day == "slice" for each in windows)


def test_every_table_with_something_of_persons_has_a_limit(client: Client) -> None:
    """Keys of persons or states of them: in a table that expires, or in the list of those who may not come back."""
    found = client.query_rows(
        "SELECT DISTINCT concat(c.database, '.', c.table) FROM system.columns AS c JOIN system.tables AS t "
        "ON t.database = c.database AND t.name = c.table WHERE startsWith(c.database, 'ent') "
        "AND t.engine LIKE '%MergeTree' "
        "AND (c.name IN ('user_key', 'session_key', 'payload') OR c.type LIKE '%uniqExact%UInt64%')"
    )
    with_limit = {each.table for each in WANTED} | {"ent.erased"}
    assert {table for (table,) in found} - {"ent.rejects_by_minute"} <= with_limit
    assert "ent.erased" in {table for (table,) in found}


def test_counts_are_kept_before_their_states_expire() -> None:
    """When late events are in, a month later, and once more before the end; never from half a window."""
    grain = next(grain for grain in KEPT if grain.name == "school_month")
    day = date(2026, 3, 12)
    events = timedelta(days=180)
    kept: dict[tuple[str, date], int] = {}
    written = []
    for age in range(250):
        now = datetime(2026, 3, 12, 12, tzinfo=UTC) + timedelta(days=age)
        for each, start, age_days in list(to_keep(now, [day], kept, events)):
            kept[each.name, start] = age_days
            if each is grain:
                written.append((start, age_days, age))
    assert [(start, age_days) for start, age_days, _ in written] == [(date(2026, 3, 1), n) for n in (2, 30, 135)]
    late = to_keep(datetime(2026, 8, 27, tzinfo=UTC), [day], {}, events)
    of_the_day = {each.name for each, _, _ in late}
    assert "school_day" in of_the_day
    assert "school_month" not in of_the_day


def test_kept_counts_are_those_of_the_states_and_stay_when_they_are_gone(client: Client) -> None:
    """Written anew as often as one likes; a cell that lost its events becomes zero."""
    day = date(2026, 3, 12)
    client.command("INSERT INTO ent.directory_revisions (revision, activated_at) VALUES (1, now())")
    client.command(
        "INSERT INTO ent.schools (revision, uai, valid_from, valid_to) VALUES (1, 's', '2020-01-01', '2149-06-06')"
    )
    client.command("SYSTEM STOP TTL MERGES ent.usage_by_day")

    def state(persons: int, version: int) -> None:
        client.command(
            "INSERT INTO ent.usage_by_day (slice, uai, class_id, profile, type, events, events_once, users, version) "
            f"SELECT '{day}', 's', 'c', 'eleve', 'login', {persons}, {persons}, uniqExactState(number + 1), {version} "
            f"FROM numbers({persons})"
        )

    school_day = next(grain for grain in KEPT if grain.name == "school_day")
    counts = "SELECT users, logins FROM ent.v_counts WHERE grain = 'school_day'"
    state(9, 1)
    keep_counts(client, "ent", school_day, day, 2)
    assert client.query_rows(counts) == [(9, 9)]
    state(4, 2)
    keep_counts(client, "ent", school_day, day, 30)
    assert client.query_rows(counts) == [(4, 4)]
    assert kept_ages(client, "ent", day) == {("school_day", day): 30}
    client.command("TRUNCATE TABLE ent.usage_by_day")
    assert client.query_rows(counts) == [(4, 4)]


@pytest.mark.parametrize("grain", KEPT, ids=lambda grain: grain.name)
def test_every_kept_grain_has_its_view(client: Client, grain: Grain) -> None:
    """And keeping it is a statement that the database takes."""
    keep_counts(client, "ent", grain, date(2026, 3, 1), 2)
