"""What a source says, as cells under the headings of the folder's files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeAlias

Cells: TypeAlias = dict[str, str]
"""Heading -> text, as in a line of a CSV file."""


class SourceError(ValueError):
    """A file is not the one that it should be; the message says what is missing in it."""


@dataclass
class Described:
    """What a source says of today."""

    schools: dict[str, Cells] = field(default_factory=dict)
    """UAI -> the cells that the source knows."""
    classes: dict[str, Cells] = field(default_factory=dict)
    """Our id of a class -> its cells, `uai` among them."""
    accounts: dict[tuple[str, str, str], Cells] = field(default_factory=dict)
    """(UAI, class or nothing, profile) -> `charges`, and `actives` where the source knows them."""
    notes: list[str] = field(default_factory=list)
    """What was left out, and why."""

    def add(self, other: Described) -> None:
        """Take over what another source says; of the same cell its word counts."""
        for uai, cells in other.schools.items():
            self.schools.setdefault(uai, {}).update(cells)
        self.classes |= other.classes
        for place, cells in other.accounts.items():
            self.accounts.setdefault(place, {}).update(cells)
        self.notes += other.notes


ZONES: Final = {
    **dict.fromkeys(
        ("besancon", "bordeaux", "clermont-ferrand", "dijon", "grenoble", "limoges", "lyon", "poitiers"), "A"
    ),
    **dict.fromkeys(
        ("aix-marseille", "amiens", "lille", "nancy-metz", "nantes", "nice", "normandie", "orleans-tours", "reims"), "B"
    ),
    **dict.fromkeys(("rennes", "strasbourg"), "B"),
    **dict.fromkeys(("creteil", "montpellier", "paris", "toulouse", "versailles"), "C"),
}
"""Zone of the school holidays by académie, in small letters without accents (arrêté of 7 December 2022)."""
HOLIDAYS: Final = {"067": "6AE", "068": "6AE", "057": "57"}
"""Départements with public holidays of their own (Code du travail, L3134-13), as subdivisions."""
