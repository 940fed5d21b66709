"""What commands and workers note beside events, on tables that a later version has widened already."""

from __future__ import annotations

from datetime import UTC, datetime

from sinks.base import LogStart
from sinks.clickhouse.backfills import read_backfill, write_backfill
from sinks.clickhouse.bridges import BridgePositions
from sinks.clickhouse.dead_letters import Mend, Place, Selection, State, read_letters, write_mends
from sinks.clickhouse.embedded.process import EmbeddedDatabase
from sinks.clickhouse.ledger import freeze_closed_months, read_days
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.pauses import Pause, read_pauses, write_pause
from sinks.clickhouse.store import ClickHouseStore
from tests.database import client_of
from tests.next_version import widen
from tests.rows import TOPIC, event, shipment

MOMENT = datetime(2026, 11, 17, 8, 41, tzinfo=UTC)
YEARS_LATER = datetime(2028, 1, 5, tzinfo=UTC)
DIGEST = "d" * 64


def test_notes_are_kept_and_read_on_tables_of_the_next_version(database: EmbeddedDatabase) -> None:
    client = client_of(database)
    migrate(client, "wide")
    widen(client, "wide")
    store = ClickHouseStore(client, "wide")
    store.open_logs([LogStart(TOPIC, 1, 0, 0)])
    store.insert(shipment([event(1, 0)], rejected=[1]))
    write_mends(client, "wide", [Mend(Place(TOPIC, 1, 0, 1), bytes(16), MOMENT, "0689901T", "login", "kafka")])
    assert [letter.state for letter in read_letters(client, "wide", Selection(), 10)] == [State.SENT]
    write_pause(client, "wide", Pause(TOPIC, 1, 0, 2, "all are refused", 0, MOMENT))
    assert [pause.holds for pause in read_pauses(client, "wide")] == [True]
    write_backfill(client, "wide", DIGEST, 1, name="year.ndjson", lines=7, finished=True)
    assert read_backfill(client, "wide", DIGEST, 1) == (7, True)
    bridges = BridgePositions(client, "wide")
    bridges.record("mulhouse", MOMENT)
    assert bridges.read("mulhouse") == MOMENT
    assert freeze_closed_months(client, "wide", YEARS_LATER) == ["2026-11"]
    assert [(day.consumed, day.frozen) for day in read_days(client, "wide")] == [(2, True)]
