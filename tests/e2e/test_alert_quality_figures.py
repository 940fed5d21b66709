"""What Qualité de l'alerte shows, and the alerts on Accueil and École, against what was stored."""

from __future__ import annotations

import statistics
from datetime import datetime, timedelta

import pytest

from grafana.dashboards.alertes import KINDS
from grafana.viewer.source import Source
from tests.e2e.figures import FIRST, Board, day_of
from tests.grafana_seed import ALERTS, FALLING, MISSED, NOW, PARIS, SILENT, TODAY, City

pytestmark = pytest.mark.timeout(400)
MONTH_S = 2_629_800


@pytest.fixture
def board(source: Source, city: City) -> Board:
    return Board(source, city, "ent-alertes", FIRST, NOW)


async def test_precision_recall_delay_and_false_alarms(board: Board, city: City) -> None:
    told = [alert for alert in ALERTS if alert.verdict]
    incidents = [alert for alert in ALERTS if alert.verdict == "incident"]
    false = sum(alert.verdict == "fausse_alerte" for alert in ALERTS)
    months = (NOW - datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=PARIS)).total_seconds() / MONTH_S
    expected = {
        "Alertes": len(ALERTS),
        "En cours": sum(alert.resolved is None for alert in ALERTS),
        "Précision": round(100 * (len(told) - false) / len(told), 1),
        "Rappel": round(100 * len(incidents) / (len(incidents) + 1), 1),
        "Délai médian": statistics.median((alert.opened - alert.began).total_seconds() / 60 for alert in incidents),
        "Fausses alertes": pytest.approx(false / len(city.deployed) / months, abs=0.001),
    }
    for title, figure in expected.items():
        assert (title, (await board.columns(title))[title]) == (title, [figure])


async def test_each_alert_with_its_verdict_and_each_missed_incident(board: Board, city: City) -> None:
    table = await board.columns("Alertes de la période")
    words = {"incident": "Incident", "fermeture": "Fermeture", "fausse_alerte": "Fausse alerte", "": "À juger"}
    expected = sorted(ALERTS, key=lambda alert: alert.opened, reverse=True)
    assert table["ecole_id"] == [city.schools[alert.place].uai for alert in expected]
    assert table["Verdict"] == [words[alert.verdict] for alert in expected]
    assert [time is None for time in table["Close"]] == [alert.resolved is None for alert in expected]
    table = await board.columns("Incidents qu’aucune alerte n’a dits")
    assert (table["ecole_id"], [day_of(time) for time in table["Début"]]) == (
        [city.schools[MISSED[0]].uai],
        [MISSED[1].date()],
    )


async def test_alerts_by_week_kind_and_state(board: Board, city: City) -> None:
    table = await board.columns("Alertes par semaine et par verdict")
    assert sum(table["alertes"]) == len(ALERTS)
    table = await board.columns("Alertes par type")
    assert dict(zip(table["Type"], table["Alertes"], strict=True)) == {"École en baisse": 3, "École silencieuse": 2}
    assert set(table["Type"]) <= set(KINDS.values())
    table = await board.columns("Dernier jugement de chaque école")
    assert table["État"] == ["normal"] * len(city.deployed)


async def test_accueil_counts_the_alerts_that_stand(source: Source, city: City) -> None:
    end = datetime(TODAY.year, TODAY.month, TODAY.day, 23, 59, 59, tzinfo=PARIS)
    accueil = Board(source, city, "ent-accueil", TODAY, end)
    assert (await accueil.columns("Alertes en cours"))["alertes"] == [0, 2]
    one = await accueil.columns("Alertes en cours", [city.schools[SILENT].uai])
    assert one["alertes"] == [0, 1]


async def test_alerts_are_drawn_on_the_school(source: Source, city: City) -> None:
    ecole = Board(source, city, "ent-ecole", FIRST, NOW)
    marks = await ecole.marks("Alertes", [city.schools[FALLING].uai])
    assert marks["text"] == [f"{city.schools[FALLING].name} : connexions anormalement basses"]
    assert datetime.fromtimestamp(marks["timeEnd"][0] / 1000, PARIS) - NOW < timedelta(seconds=1)
