"""The columns of a directory's CSV files: their French headings, the fields they fill, and what to write in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel

from schemas.directory import Accounts, Level, Nature, ProfileRecord, School, SchoolClass
from schemas.event import Profile

_YES_NO: Final = {"oui": True, "non": False}


def _yes_no(cell: str) -> object:
    return _YES_NO.get(cell.lower(), cell)


def _several(cell: str) -> object:
    return [part.strip() for part in cell.split("|")]


def _levels(cell: str) -> object:
    return [part.strip().upper() for part in cell.split("-")]


@dataclass(frozen=True)
class Column:
    """A column of a file."""

    heading: str
    field: str
    advice: str
    """What a right cell looks like."""
    read: Callable[[str], object] | None = None
    """What becomes of the text before the model sees it; None: nothing."""
    required: bool = False
    """Whether the file must have it; an empty cell takes the field's default where it has one."""


@dataclass(frozen=True)
class Table:
    """A CSV file of the directory."""

    file: str
    model: type[BaseModel]
    columns: tuple[Column, ...]

    def column_of(self, field: str) -> Column:
        """The column that fills `field`."""
        return next(column for column in self.columns if column.field == field)


_DAY: Final = "a day such as 2026-09-01"
_UAI: Final = "seven digits and the check letter, such as 0680001B"
_YES_OR_NO: Final = "oui or non"
_VALID: Final = (
    Column("valide_du", "valid_from", _DAY, required=True),
    Column("valide_au", "valid_to", f"{_DAY}, later than valide_du: the first one that no longer counts; or nothing"),
)

SCHOOLS: Final = Table(
    "schools.csv",
    School,
    (
        Column("uai", "uai", _UAI, required=True),
        Column("nom", "name", "the school's name, 200 characters at most", required=True),
        Column("commune", "commune", "the commune's name", required=True),
        Column("circonscription", "circonscription", "the circonscription's name, or nothing"),
        Column("pole", "pole", "the pôle scolaire's name, or nothing"),
        Column("education_prioritaire", "education_prioritaire", "REP, REP+ or nothing"),
        Column("nature", "nature", ", ".join(Nature), required=True),
        Column("academie", "academie", "the académie's name", required=True),
        Column("zone", "zone", "A, B or C, the zone of the school holidays", required=True),
        Column("feries", "holidays", "a subdivision for public holidays such as 6AE for Alsace, or nothing"),
        Column("deploye_depuis", "deployed_from", f"{_DAY}; nothing where the ENT is not deployed"),
        Column("pilote", "pilot", _YES_OR_NO, _yes_no),
        Column("classes_mobiles", "mobile_classes", "a number from 0 to 1000"),
        Column("identifiants", "structure_ids", "ids of platforms separated by |, each once", _several),
        Column("effectif", "pupils", "a number of pupils from 0 to 5000; nothing: not known"),
        Column("ips", "ips", "the social index such as 98.5, or nothing"),
        *_VALID,
    ),
)
CLASSES: Final = Table(
    "classes.csv",
    SchoolClass,
    (
        Column("classe", "class_id", "an id of 64 characters at most, other than unmapped", required=True),
        Column("uai", "uai", _UAI, required=True),
        Column("libelle", "label", "the class's name, 64 characters at most", required=True),
        Column("niveaux", "levels", f"levels joined by -, each once, of {', '.join(Level)}", _levels, required=True),
        Column("cycle", "cycle", "1, 2 or 3, several joined by -; nothing: those of the levels"),
        Column("eleves", "pupils", "a number from 0 to 200", required=True),
        Column("videoprojecteur", "projector", _YES_OR_NO, _yes_no),
        Column("enseignant_forme", "teacher_trained", _YES_OR_NO, _yes_no),
        Column("pilote", "pilot", _YES_OR_NO, _yes_no),
        Column("noms", "names", "ids and labels that platforms send, separated by |, each once", _several),
        *_VALID,
    ),
)
PROFILES: Final = Table(
    "profiles.csv",
    ProfileRecord,
    (
        Column("profil", "profile", ", ".join(Profile), required=True),
        Column("libelle", "label", "the profile's name in the plural", required=True),
        Column("dnma", "dnma", "eleve, parent, enseignant, admin_vie_scol_tech or nothing"),
        Column("rang", "rank", "a number from 0 to 255", required=True),
    ),
)
ACCOUNTS: Final = Table(
    "accounts.csv",
    Accounts,
    (
        Column("uai", "uai", _UAI, required=True),
        Column("classe", "class_id", "an id of classes.csv; nothing for accounts that belong to no class"),
        Column("profil", "profile", ", ".join(Profile), required=True),
        Column("charges", "loaded", "a number of accounts", required=True),
        Column("actives", "activated", "a number of accounts, not above charges", required=True),
    ),
)
