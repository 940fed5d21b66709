"""The directory in the database: revisions come into force whole, whatever the order of their parts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from random import Random
from typing import Any, cast
from uuid import uuid4

import pytest

from schemas.directory import DirectoryRecord, Manifest, ProfileRecord, School, SchoolClass, content_digest
from schemas.directory_row import ACCOUNTS_ROW, CLASS_ROW, MANIFEST_ROW, PROFILE_ROW, SCHOOL_ROW
from schemas.reason import Reason
from schemas.uai import check_letter
from sinks.clickhouse.client import Client
from sinks.clickhouse.directory import (
    KEPT_REVISIONS,
    DirectoryGoneError,
    activate_if_complete,
    current_revision,
    read_directory,
    store_directory_records,
)
from sinks.clickhouse.embedded.process import EmbeddedDatabase
from sinks.clickhouse.migrate import migrate
from tests.database import client_of, database

__all__ = ["database"]

SCHOOLS = 4
Part = tuple[str, list[bytes | None], list[bytes | None]]


@pytest.fixture
def client(database: EmbeddedDatabase) -> Client:
    return client_of(database)


@pytest.fixture
def name(client: Client) -> str:
    """A database of its own for each test."""
    fresh = f"d{uuid4().hex[:12]}"
    migrate(client, fresh)
    return fresh


def uai(number: int) -> str:
    digits = f"{689800 + number:07d}"
    return digits + check_letter(digits)


def records_of(revision: int, *, pole: str = "Canal") -> list[DirectoryRecord]:
    """A revision of a few schools, one class and one count of accounts in each, and its manifest."""
    start = date(2025, 9, 1)
    common: dict[str, Any] = {"revision": revision, "valid_from": start}
    accounts = [{"profile": "eleve", "loaded": 20, "activated": 18}]
    described: list[School | SchoolClass | ProfileRecord] = [
        School.model_validate(
            {**common, "uai": uai(i), "name": f"École {i}", "commune": "Villefictive", "nature": "elementaire"}
            | {"academie": "Strasbourg", "zone": "B", "pole": pole, "structure_ids": [f"str-{i}"]}
        )
        for i in range(SCHOOLS)
    ]
    described += [
        SchoolClass.model_validate(
            {**common, "class_id": f"cl-{i}", "uai": uai(i), "label": "CP A", "levels": ["CP", "CE1"], "pupils": 20}
            | {"names": ["CP A"], "accounts": accounts}
        )
        for i in range(SCHOOLS)
    ]
    described.append(
        ProfileRecord.model_validate({"revision": revision, "profile": "eleve", "label": "Élèves", "rank": 1})
    )
    manifest = Manifest(
        revision=revision,
        schools=SCHOOLS,
        classes=SCHOOLS,
        profiles=1,
        content=content_digest(record.digest() for record in described),
    )
    return [*described, manifest]


def part_of(records: list[DirectoryRecord]) -> list[Part]:
    """The records as batches of their topics."""
    topics = sorted({record.topic for record in records})
    return [
        (
            topic,
            [record.key.encode() for record in records if record.topic == topic],
            [record.model_dump_json().encode() for record in records if record.topic == topic],
        )
        for topic in topics
    ]


def store(client: Client, name: str, records: list[DirectoryRecord]) -> int | None:
    """What a worker does with records: store them, then see whether a revision is complete."""
    for part in part_of(records):
        assert store_directory_records(client, name, *part) == []
    return activate_if_complete(client, name)


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("schools", SCHOOL_ROW),
        ("classes", CLASS_ROW),
        ("profiles", PROFILE_ROW),
        ("accounts", ACCOUNTS_ROW),
        ("directory_manifests", MANIFEST_ROW),
    ],
)
def test_rows_and_tables_have_the_same_columns(client: Client, name: str, table: str, row: dict[str, object]) -> None:
    """In the same order."""
    columns = client.query_rows(
        "SELECT name FROM system.columns WHERE database = {database:String} AND table = {table:String} "
        "ORDER BY position",
        {"database": name, "table": table},
    )
    assert [column for (column,) in columns] == list(row)


@pytest.mark.parametrize("seed", range(4))
def test_a_revision_comes_into_force_with_its_last_record_whatever_the_order(
    client: Client, name: str, seed: int
) -> None:
    """One by one, in any order and with repetitions, and not a moment before all are there."""
    records = records_of(7)
    random = Random(seed)
    random.shuffle(records)
    *others, last = records
    for record in [*others, *random.sample(others, 3)]:
        assert store(client, name, [record]) is None
    assert current_revision(client, name) is None
    assert store(client, name, [last]) == 7
    assert current_revision(client, name) == 7
    assert store(client, name, random.sample(records, 4)) is None
    assert current_revision(client, name) == 7


def test_workers_that_see_parts_at_the_same_time_put_the_whole_in_force(client: Client, name: str) -> None:
    """Four workers, each with some of the records, all of them twice."""
    records = records_of(3)
    parts = [records[worker::4] for worker in range(4)] * 2
    with ThreadPoolExecutor(4) as workers:
        activated = list(workers.map(lambda part: store(client, name, part), parts))
    assert 3 in activated
    rows = read_directory(client, name, 3)
    assert (len(rows.schools), len(rows.classes), len(rows.profiles), len(rows.accounts)) == (
        SCHOOLS,
        SCHOOLS,
        1,
        SCHOOLS,
    )


class DyingClient:
    """A worker's client that dies after some inserts."""

    def __init__(self, client: Client, inserts: int) -> None:
        self._client, self._left = client, inserts

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._client, attribute)

    def insert_arrow(self, table: str, rows: Any) -> None:
        if self._left == 0:
            raise ConnectionError("killed")
        self._left -= 1
        self._client.insert_arrow(table, rows)


@pytest.mark.parametrize("inserts", [0, 1])
def test_a_worker_that_dies_between_two_tables_leaves_no_half_of_a_record_in_force(
    client: Client, name: str, inserts: int
) -> None:
    """A class is never counted as there before its accounts are."""
    records = records_of(4)
    classes = next(part for part in part_of(records) if part[0] == SchoolClass.topic)
    with pytest.raises(ConnectionError):
        store_directory_records(cast("Client", DyingClient(client, inserts)), name, *classes)
    assert store(client, name, [record for record in records if not isinstance(record, SchoolClass)]) is None
    store_directory_records(client, name, *classes)
    assert activate_if_complete(client, name) == 4
    assert len(read_directory(client, name, 4).accounts) == SCHOOLS


def test_what_is_read_is_what_was_sent(client: Client, name: str) -> None:
    """Every field comes back, lists and dates among them."""
    store(client, name, records_of(5))
    rows = read_directory(client, name, 5)
    school = rows.schools.sort("uai").row(0, named=True)
    assert (school["uai"], school["valid_from"], school["valid_to"]) == (uai(0), date(2025, 9, 1), date(2149, 6, 6))
    assert (school["structure_ids"], school["deployed_from"], school["pole"]) == (["str-0"], None, "Canal")
    school_class = rows.classes.sort("uai").row(0, named=True)
    assert (school_class["levels"], school_class["names"], school_class["pupils"]) == (["CP", "CE1"], ["CP A"], 20)
    accounts = rows.accounts.sort("uai").row(0, named=True)
    assert (accounts["class_id"], accounts["profile"], accounts["loaded"], accounts["activated"]) == (
        "cl-0",
        "eleve",
        20,
        18,
    )


def test_a_refused_record_leaves_the_revision_before_in_force(client: Client, name: str) -> None:
    """A school with a wrong check letter is refused with its reason, and nothing of its revision is used."""
    store(client, name, records_of(1))
    topic, keys, values = next(part for part in part_of(records_of(2)) if part[0] == School.topic)
    wrong = b"0689800" + (b"A" if uai(0)[-1] != "A" else b"B")
    spoilt = [(value or b"").replace(uai(0).encode(), wrong) for value in values]
    refusals = store_directory_records(client, name, topic, keys, spoilt)
    assert [(refusal.key, refusal.reason) for refusal in refusals] == [(f"{uai(0)}@2025-09-01", Reason.BAD_VALUE)]
    assert "check letter" in refusals[0].message
    for part in part_of([record for record in records_of(2) if not isinstance(record, School)]):
        store_directory_records(client, name, *part)
    assert activate_if_complete(client, name) is None
    assert current_revision(client, name) == 1


def test_other_content_than_the_manifest_says_is_not_used(client: Client, name: str) -> None:
    """As many records as announced, but not those."""
    *described, manifest = records_of(2)
    assert store(client, name, [*records_of(2, pole="Hardt")[:-1], manifest]) is None
    assert store(client, name, described) == 2
    assert set(read_directory(client, name, 2).schools["pole"]) == {"Canal"}


def test_old_revisions_are_forgotten_and_do_not_come_back(client: Client, name: str) -> None:
    """The last few stay readable; a log that is read again from its beginning brings nothing older back."""
    for revision in range(1, KEPT_REVISIONS + 3):
        assert store(client, name, records_of(revision)) == revision
    assert store(client, name, records_of(1)) is None
    kept = client.query_rows(f"SELECT DISTINCT revision FROM {name}.schools ORDER BY revision")
    assert [revision for (revision,) in kept] == [3, 4, 5]
    assert len(read_directory(client, name, 3).schools) == SCHOOLS
    with pytest.raises(DirectoryGoneError, match="revision 2"):
        read_directory(client, name, 2)


def test_an_unfinished_revision_is_passed_over(client: Client, name: str) -> None:
    """A load that was cut never comes into force; the next one does."""
    store(client, name, records_of(1))
    assert store(client, name, records_of(2)[:3]) is None
    assert store(client, name, records_of(3)) == 3
    assert current_revision(client, name) == 3


def test_people_see_the_description_that_holds_today(client: Client, name: str) -> None:
    """Of several versions of a school the one of today, not the one that is still to come."""
    today = date.today()
    template = records_of(1)[0].model_dump()
    spans = [
        ("before", today - timedelta(days=400), today - timedelta(days=30)),
        ("now", today - timedelta(days=30), today + timedelta(days=30)),
        ("later", today + timedelta(days=30), date(2149, 6, 6)),
    ]
    schools = [
        School.model_validate({**template, "pole": pole, "valid_from": first, "valid_to": end})
        for pole, first, end in spans
    ]
    manifest = Manifest(
        revision=1, schools=3, classes=0, profiles=0, content=content_digest(school.digest() for school in schools)
    )
    assert store(client, name, [*schools, manifest]) == 1
    assert client.query_rows(f"SELECT pole FROM {name}.v_schools") == [("now",)]
