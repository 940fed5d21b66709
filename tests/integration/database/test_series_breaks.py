from datetime import UTC, datetime, timedelta

import pytest

from sinks.clickhouse.embedded.process import EmbeddedDatabase
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.series_breaks import BreakKind, SeriesBreak, SeriesBreaks
from tests.database import client_of

BEGINS = datetime(2026, 11, 9, 7, 30, tzinfo=UTC)
WRONG = SeriesBreak("1", BEGINS, BEGINS + timedelta(days=2), BreakKind.ERREUR, "", "Connexions comptées deux fois")


def test_a_break_is_kept_replaced_and_withdrawn(database: EmbeddedDatabase) -> None:
    client = client_of(database)
    migrate(client, "breaks")
    breaks = SeriesBreaks(client, "breaks")
    step = SeriesBreak("0", BEGINS, BEGINS, BreakKind.RUPTURE, "0689901T", "Nouvelle version de la plateforme")
    for found in (WRONG, WRONG, step):
        breaks.declare(found)
    assert breaks.all() == [step, WRONG]
    breaks.declare(step, withdrawn=True)
    assert breaks.all() == [WRONG]
    shown = client.query_rows("SELECT begins_at, ends_at, kind, uai, label FROM breaks.v_series_breaks")
    assert shown == [(WRONG.begins, WRONG.ends, "erreur", "", WRONG.label)]


@pytest.mark.parametrize(("ends", "label"), [(BEGINS - timedelta(hours=1), "x"), (BEGINS, " ")])
def test_a_break_without_words_or_that_ends_before_it_begins_is_refused(ends: datetime, label: str) -> None:
    with pytest.raises(ValueError, match=r"the break ends|few French words"):
        SeriesBreak("1", BEGINS, ends, BreakKind.RUPTURE, "", label)
