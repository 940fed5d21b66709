"""What events say of schools and classes, in both formats, and where they count for it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from schemas.directory import UNMAPPED

_CELLS: Final[dict[str, pl.DataType]] = {
    "place": pl.Int32(),
    "once": pl.UInt8(),
    "uai": pl.String(),
    "class_id": pl.String(),
}
_NO_SUCH_CLASS: Final = "classe-inconnue"


@dataclass(frozen=True)
class School:
    """A school as platforms name it."""

    uai: str
    structure: str | None
    names: Mapping[str, str]
    """Names of its classes -> their ids."""
    known: bool = True
    """Whether the directory has it."""


@dataclass(frozen=True)
class Place:
    """The fields of an event that say where it belongs."""

    key: bytes
    canonical: bytes
    """The fields in JSON, without braces."""
    entcore: bytes
    """Likewise; empty where a school has no id of the platform."""
    cells: tuple[tuple[str, str], ...]
    """(UAI, class id) in each school where it counts, the first one first."""


class Places:
    """Numbered places, each once."""

    def __init__(self, stranger: School) -> None:
        """`stranger` is a school that the directory does not have."""
        self._stranger = stranger
        self._numbers: dict[tuple[tuple[str, ...], tuple[str, ...]], int] = {}
        self.all: list[Place] = []
        self.without_class: list[int] = []
        """Of each place: the same schools without a class."""
        self.unknown_class: list[int] = []
        """Of each place: its twin with a class that no directory has; itself where it has none."""
        self.unknown_school: list[int] = []
        """Of each place: its twin in a school that no directory has."""

    def number(self, schools: Sequence[School], classes: Sequence[str]) -> int:
        """The number of the place of these schools and of classes by these names."""
        key = (tuple(school.uai for school in schools), tuple(classes))
        if key not in self._numbers:
            self._numbers[key] = number = self._add(_place(schools, classes))
            self.without_class[number] = self.number(schools, ()) if classes else number
            if classes:
                self.unknown_class[number] = self._add(_place(schools, (_NO_SUCH_CLASS,)))
            self.unknown_school[number] = self._add(_place((self._stranger,), classes))
        return self._numbers[key]

    def cells(self) -> pl.DataFrame:
        """Where the events of each place count: `place`, `once` (1 in the first school), `uai`, `class_id`."""
        rows = [
            (number, int(position == 0), *cell)
            for number, place in enumerate(self.all)
            for position, cell in enumerate(place.cells)
        ]
        return pl.DataFrame(rows, schema=_CELLS, orient="row")

    def _add(self, place: Place) -> int:
        self.all.append(place)
        number = len(self.all) - 1
        for twins in (self.without_class, self.unknown_class, self.unknown_school):
            twins.append(number)
        return number


def _place(schools: Sequence[School], classes: Sequence[str]) -> Place:
    """Of each school, the first class sent that it has."""
    cells = []
    for school in schools:
        found = next((school.names[name] for name in classes if name in school.names), UNMAPPED if classes else "")
        cells.append((school.uai if school.known else UNMAPPED, found))
    structures = [school.structure for school in schools]
    entcore = b"" if None in structures else _fields(structures=structures, classes=list(classes))
    uais = [school.uai for school in schools]
    canonical = _fields(uai=uais, classes=list(classes)) if classes else _fields(uai=uais)
    return Place(uais[0].encode(), canonical, entcore, tuple(cells))


def _fields(**values: object) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))[1:-1].encode()
