"""The same dashboards over the published figures: what is published is near the truth, and the rest is not there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from grafana.dashboards import check_published
from grafana.viewer.source import Source
from sinks.clickhouse.client import DatabaseSettings
from tests.e2e.figures import Board, people
from tests.grafana_seed import NOW, PARIS, SILENT, TODAY, City

pytestmark = pytest.mark.timeout(400)
BASE = 5


@pytest.fixture
async def public(published: DatabaseSettings) -> AsyncIterator[Source]:
    reader = Source(published)
    yield reader
    await reader.close()


@pytest.fixture
def accueil(public: Source, city: City) -> Board:
    end = datetime(TODAY.year, TODAY.month, TODAY.day, 23, 59, 59, tzinfo=PARIS)
    return Board(public, city, "ent-accueil", TODAY, end)


async def test_every_query_answers_and_what_is_reserved_gives_no_row(public: Source) -> None:
    assert await check_published(public.query, NOW) == []


async def test_the_persons_of_the_day_are_the_multiple_of_five_beside_the_truth(accueil: Board, city: City) -> None:
    logins = [event for event in city.events if event.type == "login" and event.day == TODAY]
    (shown,) = (await accueil.columns("Actifs du jour"))["personnes"]
    assert shown % BASE == 0
    assert abs(shown - people(logins)) < BASE
    school = city.schools[1].uai
    (shown,) = (await accueil.columns("Actifs du jour", [school]))["personnes"]
    assert shown % BASE == 0
    assert abs(shown - people([event for event in logins if school in event.schools])) < BASE
    several = await accueil.columns("Actifs du jour", [city.schools[1].uai, city.schools[2].uai])
    assert several == {}, "the persons of two schools are not the sum of theirs"


async def test_a_school_without_a_published_row_is_masked_and_not_zero(accueil: Board, city: City) -> None:
    table = await accueil.columns("Écoles déployées")
    row = table["École"].index(city.schools[SILENT].name)
    assert (table["Connexions"][row], table["État"][row]) == (None, "Masquée")
    others = [state for at, state in enumerate(table["État"]) if at != row]
    assert others == ["Active"] * (len(city.deployed) - 1)


async def test_connections_of_the_day_are_compared_over_the_hours_that_are_over(accueil: Board, city: City) -> None:
    hour = NOW.astimezone(PARIS).hour
    logins = [
        event
        for event in city.events
        if event.type == "login" and event.day == TODAY and event.time.astimezone(PARIS).hour < hour
    ]
    before, now = (await accueil.columns("Connexions du jour"))["connexions"]
    assert now == pytest.approx(len(logins), rel=0.05)
    assert before > 0
