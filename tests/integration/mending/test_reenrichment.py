"""A directory that is completed later: the events it did not know find their places, and so do all windows."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.uai import check_letter
from sinks.base import Level, StoreUnavailable
from sinks.clickhouse.store import ClickHouseStore
from streams.simulator.mulhouse import EXAMPLE
from streams.topics import Lane
from tests.integration.mending.conftest import Town, login

pytestmark = pytest.mark.timeout(180)  # with the start of the town, on a busy machine

NEW_SCHOOL = f"0680096{check_letter('0680096')}"
MORNING = datetime.now(UTC).replace(hour=9, minute=30, second=0, microsecond=0) - timedelta(days=2)
SINCE = MORNING.strftime("%Y-%m-%d")


@pytest.fixture
def completed(tmp_path: Path) -> Path:
    """The example with one more school, which has one class."""
    folder = tmp_path / "directory"
    shutil.copytree(EXAMPLE, folder)
    rows = {
        "schools.csv": f"{NEW_SCHOOL};École neuve;Villefictive;;;;primaire;Strasbourg;B;6AE;;non;0;str-new;2025-09-01;",
        "classes.csv": f"cls-new;{NEW_SCHOOL};CP neuf;CP;20;non;non;non;CP Mme Nouvelle;2025-09-01",
    }
    for name, row in rows.items():
        path = folder / name
        path.write_text(path.read_text() + row + "\n")
    return folder


def reenrich(town: Town, *options: str) -> dict[str, int]:
    answer = town.ent("directory", "reenrich", "--since", SINCE, "--json", *options)
    assert answer.returncode == 0, answer.stderr
    found: dict[str, int] = json.loads(answer.stdout)
    return found


def test_events_find_their_school_and_class_once_it_is_known(
    town: Town, completed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By UAI and by the platform's id, the class by its name, which is never stored; a run that was cut is healed."""
    first, *_ = town.query("SELECT uai FROM ent.v_schools ORDER BY uai")
    town.send(
        login("r-1", MORNING, NEW_SCHOOL, classes=["CP Mme Nouvelle"]),
        login("r-2", MORNING, uai=None, structures=["str-new"], classes=["CP Mme Nouvelle"]),
        login("r-3", MORNING, NEW_SCHOOL, classes=["CP Mme Jamais"]),
        login("r-4", MORNING, uai=[first[0], NEW_SCHOOL], profile="parent"),
        login("r-5", MORNING, uai=["0680095T"]),
    )
    town.wait_counted(Lane.LIVE)
    assert town.days(NEW_SCHOOL) == {}
    assert town.query("SELECT count() FROM ent.events WHERE position(named, 'Mme') > 0") == [(0,)]

    town.load_directory(completed)
    before = reenrich(town, "--dry-run")
    assert before["changed"] == 4
    assert town.days(NEW_SCHOOL) == {}

    def cut(_store: ClickHouseStore, _level: Level, _slices: object) -> None:
        raise StoreUnavailable("cut")

    with monkeypatch.context() as patch:
        patch.setattr(ClickHouseStore, "recompute", cut)
        assert town.ent("directory", "reenrich", "--since", SINCE).returncode == 2
    assert town.days(NEW_SCHOOL) == {}  # the rows were written, the windows were not

    for _ in range(2):
        assert reenrich(town)["changed"] == 0
        assert town.days(NEW_SCHOOL) == {SINCE: 4}
    cells = town.query(
        f"SELECT class_id, sum(events) FROM ent.v_usage_by_hour WHERE uai = '{NEW_SCHOOL}' GROUP BY 1 ORDER BY 1"
    )
    assert cells == [("", 1), ("cls-new", 2), ("unmapped", 1)]
    assert before["unmapped"] == reenrich(town)["unmapped"]


def test_an_event_that_is_read_again_is_as_it_was_mended(town: Town, completed: Path) -> None:
    """What the path makes of a record and what the re-enrichment makes of its row is the same row."""
    town.load_directory(completed)
    compared = (
        "SELECT * EXCEPT (named, offset, arrived_at, topic, partition, incarnation) FROM ent.v_events "
        f"WHERE event_time = fromUnixTimestamp64Micro({round(MORNING.timestamp() * 1e6)}) ORDER BY event_id"
    )
    mended = town.query(compared)
    town.send(
        login("r-1", MORNING, NEW_SCHOOL, classes=["CP Mme Nouvelle"]),
        login("r-2", MORNING, uai=None, structures=["str-new"], classes=["CP Mme Nouvelle"]),
    )
    town.wait_counted(Lane.LIVE)
    assert town.query(compared) == mended
