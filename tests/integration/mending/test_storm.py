"""A storm of rejects pauses one partition, survives a restart, and goes on by command."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from streams.topics import APP_VISIT, LOGIN, Lane
from tests.integration.mending.conftest import Town, login

pytestmark = pytest.mark.timeout(180)  # with the start of the town, on a busy machine

SCHOOL = "0680090M"
BAD = 1_500


def rejected(town: Town) -> int:
    ((count,),) = town.query(f"SELECT count() FROM ent.v_dead_letters WHERE topic = '{APP_VISIT}' AND partition = 3")
    return int(count)


def paused(town: Town) -> list[dict[str, object]]:
    answer = town.ent("pauses", "list", "--json")
    found: list[dict[str, object]] = json.loads(answer.stdout)
    assert answer.returncode == (1 if found else 0)
    return found


def events(town: Town) -> int:
    ((count,),) = town.query(f"SELECT count() FROM ent.v_events WHERE school = '{SCHOOL}'")
    return int(count)


def test_a_storm_pauses_its_partition_until_an_operator_lets_it_go_on(town: Town) -> None:
    """It does not pour the topic into the dead letters, does not crash, and loses nothing."""
    now = datetime.now(UTC)
    before = [login(f"s-{n}", now, SCHOOL) for n in range(5)]
    after = [login(f"s-{n}", now, SCHOOL) for n in range(5, 10)]
    town.send(*before, *([b'{"specversion": "1.0"}'] * BAD), *after, topic=APP_VISIT, partition=3)
    town.wait(lambda: paused(town))
    (pause,) = paused(town)
    assert (pause["topic"], pause["partition"]) == (APP_VISIT, 3)
    assert "refused" in str(pause["reason"])
    town.send(login("s-else", now, SCHOOL), topic=LOGIN)
    town.wait(lambda: events(town) >= 1)
    poured = rejected(town)
    assert poured < BAD

    town.scene.worker.stop()
    town.scene.start_worker()
    town.send(login("s-again", now, SCHOOL), topic=LOGIN)
    town.wait(lambda: events(town) >= 2)
    assert rejected(town) == poured
    assert len(paused(town)) == 1

    assert town.ent("pauses", "resume", LOGIN, "0").returncode == 1
    told = town.ent("pauses", "resume", APP_VISIT, "3")
    assert told.returncode == 0, told.stderr
    town.wait_counted(Lane.LIVE)
    assert paused(town) == []
    assert (rejected(town), events(town)) == (BAD, 12)
    assert all(line.closes for line in town.store.ledger())
