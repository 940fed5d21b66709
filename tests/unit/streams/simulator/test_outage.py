"""Outages: what is lost, and that the truth knows."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from streams.directory.folder import read_directory_folder
from streams.simulator.mulhouse import EXAMPLE
from streams.simulator.outage import EVERY_SCHOOL, Outage, note_outages, read_outages
from streams.simulator.simulation import Simulation

DAY = date(2026, 11, 19)
TEN, NOON = datetime(2026, 11, 19, 9, tzinfo=UTC), datetime(2026, 11, 19, 11, tzinfo=UTC)
SCHOOL = "0689907Z"


def records(*outages: Outage) -> list[bytes]:
    """The values that happen and arrive between ten and noon."""
    simulation = Simulation(read_directory_folder(EXAMPLE).rows, 68)
    simulation.outages = list(outages)
    return [record.value or b"" for record in simulation.due(TEN + timedelta(minutes=1), NOON)]


def test_a_schools_outage_takes_all_of_its_events_and_no_others() -> None:
    """Those of parents with children in two schools included; whole records of others stay as they are."""
    all_, left = records(), records(Outage(SCHOOL, TEN, NOON))
    structure = read_directory_folder(EXAMPLE).rows.schools.filter(pl.col("uai") == SCHOOL)["structure_ids"][0][0]
    names = (SCHOOL.encode(), structure.encode())
    assert any(name in value for value in all_ for name in names)
    assert not any(name in value for value in left for name in names)
    assert set(left) == {value for value in all_ if not any(name in value for name in names)}


def test_an_outage_of_the_platform_leaves_a_few_events() -> None:
    """They say that the pipeline works."""
    share = len(records(Outage(EVERY_SCHOOL, TEN, NOON))) / len(records())
    assert 0 < share < 0.12


def test_the_truth_is_what_was_handed_out() -> None:
    """The demonstration's own check holds with an outage in it."""
    simulation = Simulation(read_directory_folder(EXAMPLE).rows, 68)
    simulation.outages = [Outage(SCHOOL, TEN, NOON)]
    assert simulation.truth.counts()["produced"] == 0
    handed_out = simulation.due(TEN, NOON)
    assert simulation.truth.counts()["produced"] == len(handed_out)


def test_outages_are_left_in_a_file(tmp_path: Path) -> None:
    """For the demonstration that runs in another process."""
    path = tmp_path / "outages.json"
    assert read_outages(path) == []
    note_outages(path, [Outage(SCHOOL, TEN, NOON)])
    assert read_outages(path) == [Outage(SCHOOL, TEN, NOON)]
