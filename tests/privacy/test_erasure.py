"""Erased means: as if that person had never been, and not brought back by a backup."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from schemas.keyring import Keyring, end_of_school_year
from schemas.pseudonym import Key
from sinks.base import Level, LogStart
from sinks.clickhouse.client import Client
from sinks.clickhouse.erasure import Receipt, denied_keys, erase
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.store import ClickHouseStore
from sinks.clickhouse.windows import FAMILIES
from streams.batch import Batch
from streams.directory.snapshot import Directory
from streams.erasure import persons_of
from streams.pipeline import Keys, Limits, process
from streams.windows import days_of
from tests.database import client_of, embedded_database

NOW = datetime(2026, 11, 17, 10, tzinfo=UTC)
KEPT = timedelta(days=180)
TOPIC = "ent.login.v1"
RING = Keyring(
    {year: Key(SecretStr(f"the key of the school year {year}, for the test of erasure")) for year in (2025, 2026)}
)
KEYS = Keys(RING, Key(SecretStr("the key of events without an id, for the tests of erasure")))
ERASED, OTHERS = "anna-4711", ("bruno-12", "chloé-13")
LAST_YEAR = datetime(2026, 7, 1, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with embedded_database(tmp_path_factory.mktemp("erasure")) as database:
        yield client_of(database)


def record(person: str, at: datetime, number: int, **data: object) -> bytes:
    told = {"uai": ["0689901T"], "profile": "eleve", "classes": ["CM2 A"], "user": person, **data}
    envelope = {"specversion": "1.0", "id": str(number), "source": "urn:ent:test", "type": "fr.ent.login.v1"}
    return json.dumps(envelope | {"time": at.isoformat(), "data": told}).encode()


def everything() -> list[bytes]:
    """Two school years, minutes shared with others and minutes of one's own, repetitions, and what is refused."""
    times = [LAST_YEAR, *(NOW - timedelta(minutes=17 * n) for n in range(1, 40))]
    good = [
        record(person, at, 100 * place + n)
        for place, at in enumerate(times)
        for n, person in enumerate((ERASED, *OTHERS))
        if person == ERASED or place % 3
    ]
    refused = [record(person, NOW, 10_000 + n, uai=["no UAI"]) for n, person in enumerate((ERASED, *OTHERS))]
    return [*good, *refused, *good[:20], b"{"]


def take_in(
    client: Client, database: str, values: Sequence[bytes], denied: frozenset[int] = frozenset(), log: int = 1
) -> None:
    """What a worker does with a batch, windows included."""
    store = ClickHouseStore(client, database)
    stamp = int(NOW.timestamp() * 1000)
    batch = Batch(TOPIC, 0, 0, len(values), list(values), [None] * len(values), [stamp] * len(values), 0)
    work = process([batch], Directory.empty(), KEYS, {TOPIC: log}, Limits(), denied=denied)
    store.open_logs([LogStart(TOPIC, log, 0, 0)])
    store.insert(work.shipment)
    hours = {minute - minute % 3600 for minute in work.minutes}
    for level, slices in ((Level.MINUTE, work.minutes), (Level.HOUR, hours), (Level.DAY, days_of(hours))):
        store.recompute(level, slices)


def windows(client: Client, database: str) -> dict[str, list[str]]:
    """Every cell of every window with events in it."""
    store = ClickHouseStore(client, database)
    tables = [f"{family}_by_{level}" for family in FAMILIES for level in Level]
    return {table: sorted(map(str, (row for row in store.window(table) if row[-3]))) for table in tables}


@pytest.fixture(scope="module")
def receipt(client: Client) -> Receipt:
    """A database with everybody in it, from which one person is erased; beside it, one that never knew that person."""
    values = everything()
    migrate(client, "with_all")
    take_in(client, "with_all", values)
    migrate(client, "without")
    take_in(client, "without", [value for value in values if ERASED.encode() not in value])
    persons = persons_of(RING, [ERASED], NOW, KEPT)
    return erase(client, "with_all", persons, days_of, settle=lambda: None, tell=lambda _: None)


def test_every_window_is_as_if_that_person_had_never_been(client: Client, receipt: Receipt) -> None:
    """Counts and states, of minutes, hours and days, of two school years."""
    assert windows(client, "with_all") == windows(client, "without")
    assert receipt.minutes == 40
    assert 40 <= receipt.events <= 49  # nine of them came twice, and a merge may have been there first
    assert receipt.dead_letters == 1
    assert receipt.keys == 2


def test_no_table_holds_a_pseudonym_of_that_person_but_the_list(client: Client, receipt: Receipt) -> None:
    """Rows that were replaced included, and the bytes of states: nothing waits for a merge."""
    persons = persons_of(RING, [ERASED], NOW, KEPT)
    for table, column, kind in client.query_rows(
        "SELECT c.table, c.name, c.type FROM system.columns AS c JOIN system.tables AS t "
        "ON t.database = c.database AND t.name = c.table "
        "WHERE c.database = 'with_all' AND t.engine LIKE '%MergeTree' AND c.table != 'erased'"
    ):
        for person in persons:
            if kind == "UInt64":
                condition = f"{column} = {person}"
            elif kind.startswith("AggregateFunction(uniqExact"):
                condition = f"position(CAST({column} AS String), reinterpretAsString(toUInt64({person}))) > 0"
            elif kind == "String":
                condition = f"position({column}, '{person.to_bytes(8, 'little').hex()}') > 0"
            else:
                continue
            assert client.query_rows(f"SELECT count() FROM with_all.{table} WHERE {condition}") == [(0,)], table
    assert denied_keys(client, "with_all") == frozenset(persons)


def test_the_ledger_still_closes_and_knows_the_erased_places(client: Client, receipt: Receipt) -> None:
    store = ClickHouseStore(client, "with_all")
    assert all(line.closes for line in store.ledger())
    assert store.count("dropped") == {"erased": receipt.events + receipt.dead_letters}


def test_a_backup_of_the_topic_does_not_bring_the_person_back(client: Client, receipt: Receipt) -> None:
    """Read again as another log: the events of that person are dropped, dead letters too, and the ledger closes."""
    take_in(client, "with_all", everything(), denied_keys(client, "with_all"), log=2)
    assert windows(client, "with_all") == windows(client, "without")
    named = f"SELECT count() FROM with_all.events WHERE user_key IN {tuple(persons_of(RING, [ERASED], NOW, KEPT))}"
    assert client.query_rows(named) == [(0,)]
    assert all(line.closes for line in ClickHouseStore(client, "with_all").ledger())


def test_a_backup_would_bring_back_whoever_is_not_on_the_list(client: Client) -> None:
    """So the test above would see it."""
    migrate(client, "forgetful")
    take_in(client, "forgetful", everything())
    assert windows(client, "forgetful") != windows(client, "without")


def test_the_receipt_names_nobody(client: Client, receipt: Receipt) -> None:
    told = str(receipt) + str(client.query_rows("SELECT * FROM with_all.erasures"))
    persons = persons_of(RING, [ERASED], NOW, KEPT)
    assert not any(str(person) in told or ERASED in told for person in persons)


def test_a_person_is_kept_out_until_the_year_and_the_retention_are_over() -> None:
    """An event of July can be read in again long after 1 August."""
    persons = persons_of(RING, [ERASED], NOW, KEPT)
    assert sorted(persons.values()) == [end_of_school_year(2025) + KEPT, end_of_school_year(2026) + KEPT]
    assert persons_of(RING, [ERASED], NOW, timedelta(days=60)).keys() < persons.keys()
