"""The generated dashboards: current, complete, French."""

import json
from pathlib import Path

import pytest

from grafana.dashboards import GENERATED, build, made, stale
from grafana.dashboards.accueil import REFUSALS
from schemas.reason import Reason

ENGLISH = {"the", "and", "by", "per", "of", "school", "schools", "users", "rate", "day", "week"}


def test_the_generated_files_are_what_the_python_makes() -> None:
    assert stale() == [], "run `ent dashboards build` and commit grafana/generated"


def test_building_twice_changes_nothing_and_removes_what_is_left_over(tmp_path: Path) -> None:
    (tmp_path / "ent-forgotten.json").write_text("{}")
    assert stale(tmp_path) != []
    written = build(tmp_path)
    assert stale(tmp_path) == []
    first = {path: path.read_bytes() for path in written}
    assert {path: path.read_bytes() for path in build(tmp_path)} == first
    assert sorted(tmp_path.iterdir()) == sorted(written)


def test_a_changed_file_is_told_as_stale(tmp_path: Path) -> None:
    (path, *_) = build(tmp_path)
    board = json.loads(path.read_text())
    board["title"] = "other"
    path.write_text(json.dumps(board))
    assert stale(tmp_path) == [path.name]


@pytest.mark.parametrize("uid", ["ent-accueil", "ent-adoption"])
def test_a_dashboard_is_read_only_in_paris_and_speaks_french(uid: str) -> None:
    board = made()[uid]
    assert board["timezone"] == "Europe/Paris"
    assert board["weekStart"] == "monday"
    assert board["editable"] is False
    for text in (board["title"], board["description"], *(panel.get("title", "") for panel in board["panels"])):
        assert not ENGLISH & set(text.lower().split()), text


def test_every_reason_of_refusal_has_french_words() -> None:
    assert set(REFUSALS) == set(Reason)


def test_the_generated_folder_is_the_one_that_grafana_mounts() -> None:
    assert {path.stem for path in GENERATED.glob("*.json")} == set(made())
