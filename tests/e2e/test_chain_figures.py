"""What Chaîne de collecte shows, against what was stored."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from datetime import datetime, timedelta

import pytest

from grafana.viewer.source import Source
from schemas.school_time.bundled import BUNDLED
from tests.e2e.figures import Board, chosen
from tests.grafana_seed import DROPPED, NOW, PARIS, REFUSALS, REFUSED, REPEATED, TODAY, City

pytestmark = pytest.mark.timeout(400)
HOURS = timedelta(hours=3)


@pytest.fixture
def board(source: Source, city: City) -> Board:
    start = NOW - HOURS
    return Board(source, city, "ent-collecte", start, NOW)


async def test_the_figures_of_the_chain(board: Board, city: City) -> None:
    activated_at = datetime(2026, 8, 25, tzinfo=PARIS)
    horizon = min(holidays.after for zone, holidays in BUNDLED.zones.items() if zone == "B")
    expected = {
        "Fraîcheur": 0,
        "Retard": 0,
        "Offsets sans issue": 0,
        "Doublons absorbés": REPEATED,
        "Âge de l’annuaire": pytest.approx((NOW - activated_at).total_seconds() / 86400, abs=0.1),
        "Horizon du calendrier": (horizon - TODAY).days,
    }
    for title, figure in expected.items():
        assert (title, (await board.columns(title))[title]) == (title, [figure])


async def test_events_by_minute_and_type(board: Board, city: City) -> None:
    table = await board.columns("Événements par minute")
    expected = Counter(
        (event.time.replace(second=0), event.type)
        for kind in ("login", "app_visit", "notification", "activation")
        for event in chosen(city, kind, lambda event: event.time.replace(second=0) >= NOW - HOURS)
    )
    minutes = [datetime.fromtimestamp(time / 1000, NOW.tzinfo) for time in table["time"]]
    shown = dict(zip(zip(minutes, table["type"], strict=True), table["evenements"], strict=True))
    assert shown == expected


async def test_the_delay_from_the_event_to_kafka(board: Board, city: City) -> None:
    table = await board.columns("De l’événement à Kafka")
    delays: dict[datetime, list[float]] = defaultdict(list)
    for event in city.events:
        if NOW - HOURS <= event.arrived_at <= NOW:
            minute = event.arrived_at.replace(second=0)
            delays[minute].append((event.arrived_at - event.time).total_seconds())
    for time, middle, high in zip(table["time"], table["Médiane"], table["p95"], strict=True):
        of = delays.pop(datetime.fromtimestamp(time / 1000, NOW.tzinfo))
        assert middle == pytest.approx(statistics.median(of), abs=0.01)
        assert middle <= high <= max(of)
    assert not delays


async def test_the_ledger_closes_and_its_parts_add_up(board: Board, city: City) -> None:
    table = await board.columns("Grand livre des offsets")
    total = len(city.events) + REPEATED + DROPPED + REFUSALS
    assert (table["Premier"], table["Suivant"]) == ([0], [total])
    assert table["Acceptés"] == [len(city.events) + REPEATED]
    assert (table["Refusés"], table["Écartés"], table["Sans issue"]) == ([REFUSALS], [DROPPED], [0])
    assert table["Grand livre"] == ["Fermé"]
    table = await board.columns("Offsets écartés")
    assert (table["Motif"], table["Offsets"]) == (["no_record"], [DROPPED])


async def test_refusals_by_moment_and_reason(board: Board) -> None:
    refused = [(NOW - timedelta(hours=2 * at), REFUSED[at % len(REFUSED)]) for at in range(REFUSALS)]
    expected = {(time.replace(second=0), reason) for time, reason in refused if time >= NOW - HOURS}
    table = await board.columns("Enregistrements refusés")
    moments = [datetime.fromtimestamp(time / 1000, NOW.tzinfo) for time in table["time"]]
    assert set(zip(moments, table["motif"], strict=True)) == expected
    assert table["enregistrements"] == [1] * len(expected)
    table = await board.columns("Refus par motif, format et topic, 28 derniers jours")
    assert sum(table["Enregistrements"]) == REFUSALS


async def test_nothing_came_late(board: Board) -> None:
    table = await board.columns("Événements arrivés en retard, 28 derniers jours")
    assert len(table["time"]) > 100
    assert sum(table["Plus d’une heure"]) == sum(table["Plus d’un jour"]) == 0


async def test_lag_tables_and_the_server(board: Board, city: City) -> None:
    table = await board.columns("Retard par partition")
    assert (table["Partition"], table["Retard"], table["Âge"]) == ([0, 1, 2, 3], [0] * 4, [0] * 4)
    table = await board.columns("Tables")
    rows = dict(zip(table["Table"], table["Lignes"], strict=True))
    assert len(city.events) <= rows["events"] <= len(city.events) + REPEATED
    table = await board.columns("Base de données")
    assert dict(zip(table["Mesure"], table["Valeur"], strict=True))["Mémoire (Mo)"] > 0
