"""Dead letters that an operator mends: found, judged, replayed once, and linked to their events."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.keyring import Keyring
from sinks.base import Shipment
from streams.batch import Batch
from streams.directory.snapshot import Directory
from streams.pipeline import Keys, Limits, process
from streams.topics import LOGIN, Lane
from tests.integration.mending.conftest import Town, login

pytestmark = pytest.mark.timeout(180)  # with the start of the town, on a busy machine

ALLOWED = Limits().future
SCHOOL = "0680098W"
ELSEWHERE = "0680097V"
GONE = 4711
"""The incarnation of a log that is no more."""


def stats(town: Town, *options: str) -> list[dict[str, Any]]:
    answer = town.ent("dead-letters", "stats", "--json", *options)
    assert answer.returncode == 0, answer.stderr
    found: list[dict[str, Any]] = json.loads(answer.stdout)
    return found


def replay(town: Town, *options: str) -> tuple[list[dict[str, Any]], str]:
    answer = town.ent("dead-letters", "replay", "--json", *options)
    assert answer.returncode == 0, answer.stderr
    return [json.loads(line) for line in answer.stdout.splitlines()], answer.stderr.splitlines()[-1]


def events(town: Town, school: str) -> int:
    ((count,),) = town.query(f"SELECT count() FROM ent.v_events WHERE school = '{school}'")
    return int(count)


def test_a_replay_after_the_cause_is_gone_makes_each_event_once(town: Town) -> None:
    """A clock that ran ahead: refused as future, and acceptable some seconds later."""
    ahead = datetime.now(UTC) + ALLOWED + timedelta(seconds=3)
    broken = login("never", ahead, SCHOOL, profile="nobody")
    town.send(*(login(f"ahead-{n}", ahead, SCHOOL) for n in range(3)), broken)
    select = ("--school", SCHOOL)
    town.wait(lambda: sum(row["open"] for row in stats(town, *select)) == 4)
    time.sleep(max(0.0, (ahead - ALLOWED - datetime.now(UTC)).total_seconds()) + 0.5)

    verdicts, told = replay(town, *select, "--dry-run")
    assert [one["accepted"] for one in verdicts] == [True, True, True, False]
    assert verdicts[3]["why_not"] == "bad_value"
    assert told == "3 would be accepted; 1 not (1 bad_value)"
    assert stats(town, *select) == [
        {"reason": "future", "open": 3, "sent": 0, "mended": 0},
        {"reason": "bad_value", "open": 1, "sent": 0, "mended": 0},
    ]

    _, told = replay(town, *select)
    assert told == "3 sent to the backfill lane; 1 not (1 bad_value)"
    town.wait(lambda: stats(town, *select, "--reason", "future") == [
        {"reason": "future", "open": 0, "sent": 0, "mended": 3}
    ])  # fmt: skip
    town.wait_counted()
    days = town.days("unmapped")

    (listed,) = town.ent("dead-letters", "list", *select, "--state", "mended", "--limit", "1").stdout.splitlines()
    shown = json.loads(town.ent("dead-letters", "show", listed.split()[0]).stdout)
    linked = town.query(
        f"SELECT count() FROM ent.v_events WHERE school = '{shown['event_school']}' "
        f"AND lower(hex(event_id)) = '{shown['mended_by']}'"
    )
    assert (shown["origin"], linked) == ("kafka", [(1,)])

    verdicts, told = replay(town, *select, "--again")
    assert told == "0 sent to the backfill lane; 1 not (1 bad_value)"
    town.send(login("ahead-0", ahead, SCHOOL))  # the platform sends one of them again
    town.wait_counted(Lane.LIVE)
    assert events(town, SCHOOL) == 3
    assert town.days("unmapped") == days
    old = town.query(
        "SELECT sum(rejected) FROM ent.ledger WHERE topic = 'ent.login.v1' AND incarnation IN "
        f"(SELECT incarnation FROM ent.dead_letters WHERE school = '{SCHOOL}')"
    )
    assert old[0][0] >= 4  # the old offsets stay rejected
    assert all(line.closes for line in town.store.ledger())


@pytest.fixture(scope="module")
def expired(town: Town) -> dict[str, bytes]:
    """Dead letters of a log that is gone, as a worker wrote them then: one that can be told again, and others."""
    then = datetime.now(UTC) - timedelta(days=3)
    values = {
        "whole": login("kept", then, ELSEWHERE, classes=["CP A"]),
        "unkept": login("unkept", then, ELSEWHERE, profile="nobody"),
        "nameless": login("nameless", then, ELSEWHERE, uai=None, structures=["str-9"]),
        "nothing": b"{",
    }
    stamps = [int((then - timedelta(days=1)).timestamp() * 1000)] * len(values)  # all lie ahead of their arrival
    batch = Batch(LOGIN, 0, 0, len(values), list(values.values()), [None] * len(values), stamps, 0)
    place = town.scene.place
    keys = Keys(Keyring(place.key("pseudonym")), place.key("event-id"))
    letters = process([batch], Directory.empty(), keys, {LOGIN: GONE}, Limits()).shipment.dead_letters
    town.store.insert(Shipment(dead_letters=letters))
    return values


def test_what_was_kept_stands_for_a_record_that_expired(town: Town, expired: dict[str, bytes]) -> None:
    """With the identity of the original, so that the original, sent again, is the same event; else it says why not."""
    place = f"{LOGIN}/{GONE}/0/0"
    for accepted in (1, 0):
        verdicts, _ = replay(town, place)
        assert [(one["accepted"], one.get("origin")) for one in verdicts] == [(True, "kept")] * accepted
    town.wait_counted()
    town.send(expired["whole"])
    town.wait_counted(Lane.LIVE)
    assert events(town, ELSEWHERE) == 1
    assert json.loads(town.ent("dead-letters", "show", place).stdout)["state"] == "mended"


@pytest.mark.parametrize(
    ("offset", "why"),
    [(1, "a value was not fit to be kept"), (2, "names no school by its UAI"), (3, "nothing was kept of it")],
)
def test_what_can_no_longer_be_told_says_why(town: Town, expired: dict[str, bytes], offset: int, why: str) -> None:
    ((verdict,), told) = replay(town, f"{LOGIN}/{GONE}/0/{offset}")
    assert verdict["why_not"] == "gone"
    assert why in verdict["message"]
    assert told == "0 sent to the backfill lane; 1 not (1 gone)"


def test_rejects_are_counted_by_school_reason_and_minute(town: Town, expired: dict[str, bytes]) -> None:
    """In a table of their own, and once however often they are told."""
    counted = f"SELECT reason, sum(records) FROM ent.v_rejects_by_minute WHERE school = '{ELSEWHERE}' GROUP BY reason"
    before = town.query(counted)
    town.scene.client.command(
        f"INSERT INTO ent.dead_letters SELECT * FROM ent.dead_letters WHERE school = '{ELSEWHERE}'"
    )
    assert sorted(before) == sorted(town.query(counted)) == [("bad_value", 1), ("future", 1)]


def test_dead_letters_are_selected_by_platform_time_and_topic(town: Town, expired: dict[str, bytes]) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%d")
    assert stats(town, "--school", ELSEWHERE, "--platform", "urn:ent:mending", "--by", "format")
    assert stats(town, "--school", ELSEWHERE, "--platform", "entcore") == []
    assert stats(town, "--school", ELSEWHERE, "--since", tomorrow) == []
    assert stats(town, "--school", ELSEWHERE, "--until", tomorrow, "--by", "day", "--by", "topic")
    assert stats(town, "--school", ELSEWHERE, "--topic", "ent.app_visit.v1") == []
