"""The example directory has the orders of magnitude that it says it has, and is what the generator writes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from streams.directory.folder import read_directory_folder, read_folder
from streams.directory.snapshot import Directory
from streams.simulator.mulhouse import write_mulhouse

MULHOUSE = Path(__file__).parents[4] / "examples" / "mulhouse"
TODAY = date(2026, 11, 16)


@pytest.fixture(scope="module")
def directory() -> Directory:
    return read_directory_folder(MULHOUSE)


def test_the_example_is_what_the_generator_writes(tmp_path: Path) -> None:
    """Byte for byte: whoever changes one changes the other."""
    write_mulhouse(tmp_path)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_bytes() for path in MULHOUSE.glob("*.csv")}


def test_the_example_has_no_mistake() -> None:
    """Every check passes, check letters among them."""
    assert read_folder(MULHOUSE).problems == []


def test_schools_are_as_many_as_said(directory: Directory) -> None:
    """54 schools, 45 REP or REP+, 9 pôles, 3 circonscriptions, 21 elementary ones deployed, 34 mobile classes."""
    schools = directory.rows.schools.filter(pl.col("valid_from") <= TODAY, pl.col("valid_to") > TODAY)
    deployed = schools.filter(pl.col("deployed_from").is_not_null())
    assert len(schools) == 54
    assert schools["education_prioritaire"].is_in(["REP", "REP+"]).sum() == 45
    assert (schools["pole"].n_unique(), schools["circonscription"].n_unique()) == (9, 3)
    assert (len(deployed), set(deployed["nature"])) == (21, {"elementaire"})
    assert (schools["mobile_classes"].sum(), schools["pilot"].sum()) == (34, 15)
    assert schools["uai"].str.starts_with("068").all()


def test_classes_and_people_are_as_many_as_said(directory: Directory) -> None:
    """450 classes of the deployed schools, 9 000 pupils, 50 trained and 25 pilot teachers, projectors in 80 %."""
    classes = directory.rows.classes
    deployed = directory.rows.schools.filter(pl.col("deployed_from").is_not_null())
    assert (len(classes), classes["pupils"].sum()) == (450, 9000)
    assert set(classes["uai"]) == set(deployed["uai"])
    assert (classes["teacher_trained"].sum(), classes["pilot"].sum(), classes["projector"].sum()) == (50, 25, 360)
    assert classes.filter(pl.col("pilot"))["uai"].n_unique() == 15


def test_accounts_match_the_classes(directory: Directory) -> None:
    """An account for every pupil and teacher, about 1.6 parents for each pupil, none activated that does not exist."""
    accounts = directory.rows.accounts
    loaded = dict(accounts.group_by("profile").agg(pl.col("loaded").sum()).iter_rows())
    assert (loaded["eleve"], loaded["enseignant"], loaded["personnel"]) == (9000, 450, 21 * 3)
    assert loaded["parent"] == pytest.approx(1.6 * 9000, rel=0.01)
    assert (accounts["activated"] <= accounts["loaded"]).all()
