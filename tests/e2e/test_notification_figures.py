"""What Notifications shows, against the same figures counted in Python from the events themselves."""

from __future__ import annotations

import statistics
from collections import Counter

import pytest

from grafana.viewer.source import Source
from tests.e2e.figures import FIRST, LABELS, Board, day_of, hour_of, in_period
from tests.grafana_seed import NOW, City, Event, app_label

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def notifications(source: Source, city: City) -> Board:
    return Board(source, city, "ent-notifications", FIRST, NOW)


@pytest.fixture
def sent(city: City) -> list[Event]:
    return [event for event in in_period(city, "notification") if event.stage == "sent"]


@pytest.fixture
def opened(city: City) -> list[Event]:
    return [event for event in in_period(city, "notification") if event.stage == "opened"]


async def test_sent_recipients_and_opened(notifications: Board, sent: list[Event], opened: list[Event]) -> None:
    recipients = sum(event.recipients for event in sent)
    expected = {
        "Envoyées": len(sent),
        "Destinataires": recipients,
        "Destinataires par envoi": round(recipients / len(sent), 1),
        "Ouvertes": len(opened),
    }
    for title, figure in expected.items():
        assert (title, (await notifications.columns(title))[title]) == (title, [figure])


async def test_the_median_school_and_the_silent_ones(notifications: Board, city: City, sent: list[Event]) -> None:
    count = Counter(event.schools[0] for event in sent)
    by_school = [count[school.uai] for school in city.deployed]
    assert (await notifications.columns("Médiane par école"))["Médiane par école"] == [statistics.median(by_school)]
    assert (await notifications.columns("Écoles sans envoi"))["Écoles sans envoi"] == [by_school.count(0)]


async def test_sent_by_day_and_application(notifications: Board, sent: list[Event]) -> None:
    table = await notifications.columns("Envois par jour et par application")
    days = [day_of(time) for time in table["time"]]
    shown = dict(zip(zip(days, table["application"], strict=True), table["notifications"], strict=True))
    assert shown == Counter((event.day, app_label(event.app)) for event in sent)


async def test_each_application_with_what_was_opened(
    notifications: Board, sent: list[Event], opened: list[Event]
) -> None:
    table = await notifications.columns("Par application")
    for row, label in enumerate(table["Application"]):
        told = [event for event in sent if app_label(event.app) == label]
        read = sum(app_label(event.app) == label for event in opened)
        recipients = sum(event.recipients for event in told)
        assert table["Envoyées"][row] == len(told)
        assert table["Destinataires"][row] == recipients
        assert table["Ouvertes"][row] == read
        assert table["Part ouverte"][row] == pytest.approx(100 * read / recipients, abs=0.051)
    assert set(table["Application"]) == {app_label(event.app) for event in sent}


async def test_by_sender_recipient_and_hour(notifications: Board, sent: list[Event]) -> None:
    table = await notifications.columns("Par profil de l’expéditeur")
    assert dict(zip(table["Profil"], table["Notifications"], strict=True)) == {LABELS["enseignant"]: len(sent)}
    table = await notifications.columns("Par profil du destinataire")
    told = dict(zip(table["Profil"], table["Destinataires"], strict=True))
    assert {name: count for name, count in told.items() if count} == {"Parents": sum(e.recipients for e in sent)}
    table = await notifications.columns("Par heure de la journée")
    hours = [int(hour[:2]) for hour in table["Heure"]]
    assert dict(zip(hours, table["Notifications"], strict=True)) == Counter(hour_of(event) for event in sent)


async def test_every_school_with_what_it_sent(notifications: Board, city: City, sent: list[Event]) -> None:
    table = await notifications.columns("Par école")
    classes = Counter(uai for uai, _ in city.classes.values())
    assert sorted(table["ecole_id"]) == sorted(school.uai for school in city.deployed)
    for row, uai in enumerate(table["ecole_id"]):
        told = [event for event in sent if event.schools[0] == uai]
        assert table["Envoyées"][row] == len(told)
        assert table["Destinataires"][row] == sum(event.recipients for event in told)
        assert table["Par classe"][row] == pytest.approx(len(told) / classes[uai], abs=0.051)
