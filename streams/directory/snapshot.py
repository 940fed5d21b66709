"""One revision of the directory, prepared once so that many events can be looked up at a time. Immutable; pure.

A lookup is as of a day in Paris. Keys are coded as numbers, the first day of each version is added below them, and the
version in force is found by one binary search per event, whatever the number of versions.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Final

import polars as pl

from schemas.directory import UNMAPPED, DirectoryRecord
from schemas.directory_row import DirectoryRows, to_rows

_DAYS: Final = 1 << 16
"""More than there are days since 1970 in the database's Date."""
_SCHOOL_COLUMNS: Final = ("uai", "commune", "circonscription", "pole", "education_prioritaire", "zone")


class Directory:
    """The schools, classes and profiles of one revision; every lookup answers with row numbers of its columns."""

    def __init__(self, revision: int, rows: DirectoryRows) -> None:
        """Prepare the rows of `revision` for lookups."""
        self.revision = revision
        self.rows = rows
        self.unknown_school: Final = len(rows.schools)
        """Row of `school_columns` that stands for a school that the directory does not know."""
        self.unknown_class: Final = len(rows.classes)
        """Row of `class_columns` that stands for a class that its school does not have."""
        self.no_class: Final = len(rows.classes) + 1
        """Row of `class_columns` that stands for no class at all."""
        self.school_columns = _school_columns(rows.schools)
        self.class_columns = _class_columns(rows.classes)
        schools = rows.schools.with_row_index("row")
        self._uais = _Codes(rows.schools["uai"])
        self._structures = _Codes(rows.schools["structure_ids"].explode())
        self._school_codes = self._uais.of(rows.schools["uai"]).extend_constant(None, 1)
        self._by_uai = _Versions(schools.with_columns(self._school_codes.head(len(schools)).alias("code")))
        structures = schools.explode("structure_ids")
        self._by_structure = _Versions(
            structures.with_columns(self._structures.of(structures["structure_ids"]).alias("code"))
        )
        classes = rows.classes.with_row_index("row").with_columns(self._uais.of(rows.classes["uai"]).alias("school"))
        names = pl.concat([classes.with_columns(names=pl.col("class_id")), classes.explode("names")])
        self._names = _Codes(names["names"])
        self._by_name = _Versions(names.with_columns(self._class_codes(names["school"], names["names"]).alias("code")))

    @classmethod
    def of(cls, revision: int, records: Iterable[DirectoryRecord]) -> Directory:
        """From the records of one revision."""
        return cls(revision, to_rows(records))

    @classmethod
    def empty(cls) -> Directory:
        """A directory that knows no school; its revision is 0, below any real one."""
        return cls.of(0, [])

    def find_schools(self, uais: pl.Series, days: pl.Series) -> pl.Series:
        """The school of each UAI (or null) as of each day (since 1970): rows of `school_columns`."""
        return self._by_uai.find(self._uais.of(uais), days).fill_null(self.unknown_school)

    def find_structures(self, structures: pl.Series, days: pl.Series) -> pl.Series:
        """The same for ids of platforms."""
        return self._by_structure.find(self._structures.of(structures), days).fill_null(self.unknown_school)

    def find_classes(self, schools: pl.Series, names: pl.Series, days: pl.Series) -> pl.Series:
        """The class of that name (our id, or one that platforms use) in each school (a row of `school_columns`).

        Rows of `class_columns`; a null name, like an unknown one, finds `unknown_class`.
        """
        codes = self._class_codes(self._school_codes.gather(schools), names)
        return self._by_name.find(codes, days).fill_null(self.unknown_class)

    def _class_codes(self, school_codes: pl.Series, names: pl.Series) -> pl.Series:
        return school_codes * self._names.count + self._names.of(names)


class _Codes:
    """Numbers for the distinct values of a column, found by their hashes whatever their number."""

    def __init__(self, values: pl.Series) -> None:
        distinct = values.drop_nulls().unique()
        self.count = len(distinct)
        self._seed = next(seed for seed in count() if distinct.hash(seed).n_unique() == self.count)
        ordered = pl.DataFrame({"hash": distinct.hash(self._seed), "value": distinct}).sort("hash")
        self._hashes, self._values = ordered["hash"], ordered["value"]

    def of(self, values: pl.Series) -> pl.Series:
        """The number of each value; null where it has none."""
        if not self.count:
            return pl.Series([None], dtype=pl.Int64).new_from_index(0, len(values))
        place = self._hashes.search_sorted(values.hash(self._seed)).clip(0, self.count - 1)
        known = self._values.gather(place) == values
        return place.cast(pl.Int64).set(~known.fill_null(value=False), None)


class _Versions:
    """Which row describes a code as of a day."""

    def __init__(self, frame: pl.DataFrame) -> None:
        """From columns `code` (null: left out), `valid_from`, `valid_to`, `row`; of equal starts the first holds."""
        ordered = (
            frame.drop_nulls("code")
            .with_columns((pl.col("code") * _DAYS + pl.col("valid_from").to_physical()).alias("start"))
            .unique("start", keep="first", maintain_order=True)
            .sort("start")
        )
        self._starts = ordered["start"]
        self._ends = ordered["valid_to"].to_physical()
        self._rows = ordered["row"]

    def find(self, codes: pl.Series, days: pl.Series) -> pl.Series:
        """The row of each code as of each day; null where the code is null or no version holds."""
        if self._starts.is_empty():
            return pl.Series([None], dtype=pl.UInt32).new_from_index(0, len(codes))
        after = self._starts.search_sorted(codes.fill_null(-1) * _DAYS + days, side="right")
        last = (after.cast(pl.Int64) - 1).clip(0)
        holds = (self._starts.gather(last) // _DAYS == codes) & (after > 0) & (days < self._ends.gather(last))
        return pl.select(pl.when(holds).then(self._rows.gather(last))).to_series()


def _school_columns(schools: pl.DataFrame) -> pl.DataFrame:
    """What an event takes from its school, with a last row for an unknown one."""
    known = schools.select(_SCHOOL_COLUMNS)
    unknown = [UNMAPPED, *[""] * (len(_SCHOOL_COLUMNS) - 1)]
    return _as_enums(pl.concat([known, pl.DataFrame([unknown], schema=known.schema, orient="row")]))


def _class_columns(classes: pl.DataFrame) -> pl.DataFrame:
    """What an event takes from its class, with two last rows for an unknown one and for none."""
    known = classes.select("class_id", "cycle", pl.col("levels").list.join("-"))
    neither = pl.DataFrame([[UNMAPPED, "", ""], ["", "", ""]], schema=known.schema, orient="row")
    return _as_enums(pl.concat([known, neither]))


def _as_enums(frame: pl.DataFrame) -> pl.DataFrame:
    """Enumerations, not categories: a category that lives on would keep alive all that were ever made of any input."""
    return frame.with_columns(column.cast(pl.Enum(column.unique().sort())) for column in frame.get_columns())
