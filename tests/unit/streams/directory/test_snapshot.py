"""The snapshot: lookups as of a day, also in a directory of nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from streams.directory.folder import read_directory_folder
from streams.directory.snapshot import Directory

MULHOUSE = Path(__file__).parents[4] / "examples" / "mulhouse"
TODAY = (date(2026, 11, 16) - date(1970, 1, 1)).days


def test_an_empty_directory_knows_nothing_and_minds_nothing() -> None:
    """Every lookup answers with the rows that stand for the unknown."""
    empty = Directory.empty()
    days = pl.Series([TODAY, TODAY])
    schools = empty.find_schools(pl.Series(["0689901T", None]), days)
    assert schools.to_list() == [empty.unknown_school] * 2
    assert empty.find_structures(pl.Series(["str-1", None]), days).to_list() == [empty.unknown_school] * 2
    assert empty.find_classes(schools, pl.Series(["CP A", None]), days).to_list() == [empty.unknown_class] * 2
    assert empty.school_columns["uai"].gather(schools).to_list() == ["unmapped"] * 2


def test_every_class_of_the_example_is_found_by_each_of_its_names() -> None:
    """By our id and by what platforms send, in its own school and in no other."""
    directory = read_directory_folder(MULHOUSE)
    classes = directory.rows.classes
    days = pl.repeat(TODAY, len(classes), eager=True)
    schools = directory.find_schools(classes["uai"], days)
    for names in (classes["class_id"], classes["names"].list.get(0), classes["names"].list.get(1)):
        found = directory.find_classes(schools, names, days)
        assert directory.class_columns["class_id"].gather(found).to_list() == classes["class_id"].to_list()
    elsewhere = directory.find_classes(schools.reverse(), classes["class_id"], days)
    own = schools == schools.reverse()
    assert ((elsewhere == directory.unknown_class) == ~own).all()


def test_every_school_of_the_example_is_found_by_its_structure() -> None:
    """A platform's id leads to the same row as the UAI."""
    directory = read_directory_folder(MULHOUSE)
    schools = directory.rows.schools.unique("uai")
    days = pl.repeat(TODAY, len(schools), eager=True)
    by_structure = directory.find_structures(schools["structure_ids"].list.first(), days)
    assert by_structure.to_list() == directory.find_schools(schools["uai"], days).to_list()
    assert directory.unknown_school not in by_structure
