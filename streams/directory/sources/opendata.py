"""The ministry's open data on schools (data.education.gouv.fr, Licence Ouverte 2.0), as CSV exports.

Headings are compared in small letters, without accents or signs, for exports write names or labels.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from streams.directory.sources.described import HOLIDAYS, ZONES, Cells, Described, SourceError

_OPEN: Final = "ouvert"
_YES: Final = frozenset({"1", "1.0", "true", "oui", "vrai"})
_NATURES: Final = {(True, True): "primaire", (True, False): "maternelle", (False, True): "elementaire"}
_PRIORITY: Final = {"rep": "REP", "rep+": "REP+"}
_SIGNS: Final = re.compile(r"[^a-z0-9]+")


def plain(text: str) -> str:
    """Small letters without accents."""
    decomposed = unicodedata.normalize("NFKD", text.strip().lower())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _heading(text: str) -> str:
    return _SIGNS.sub("_", plain(text).replace("+", "plus")).strip("_")


def read_annuaire(path: Path) -> Described:
    """`fr-en-annuaire-education`: name, commune, circonscription, nature, REP, académie. Primary schools only.

    SourceError where it is another file.
    """
    wanted = ("identifiant_de_l_etablissement", "nom_etablissement", "nom_commune", "libelle_academie")
    found = Described()
    repeated = closed = 0
    for line in _lines(path, (*wanted, "ecole_maternelle", "ecole_elementaire")):
        nature = _NATURES.get((_is(line["ecole_maternelle"]), _is(line["ecole_elementaire"])))
        if nature is None:
            continue
        if plain(line.get("etat", _OPEN)) not in {_OPEN, ""}:
            closed += 1
            continue
        uai = line["identifiant_de_l_etablissement"].upper()
        if uai in found.schools:
            repeated += 1
            continue
        academie = line["libelle_academie"]
        found.schools[uai] = {
            "nom": line["nom_etablissement"],
            "commune": line["nom_commune"],
            "circonscription": line.get("nom_circonscription", ""),
            "education_prioritaire": _PRIORITY.get(plain(line.get("appartenance_education_prioritaire", "")), ""),
            "nature": nature,
            "academie": academie,
            "zone": ZONES.get(plain(academie), ""),
            "feries": HOLIDAYS.get(line.get("code_departement", "").zfill(3), ""),
        }
    _note(found, path, repeated, "lines of a UAI that stands there already")
    _note(found, path, closed, "schools that are not open")
    return found


def read_effectifs(path: Path) -> Described:
    """`fr-en-ecoles-effectifs-nb_classes`: pupils and REP of the last rentrée that it has. SourceError likewise."""
    found = Described()
    for uai, line in _latest(path, ("numero_ecole", "nombre_total_eleves"), "numero_ecole").items():
        cells: Cells = {"effectif": line["nombre_total_eleves"].removesuffix(".0")}
        if "rep" in line and "rep_plus" in line:
            cells["education_prioritaire"] = "REP+" if _is(line["rep_plus"]) else "REP" if _is(line["rep"]) else ""
        found.schools[uai] = cells
    return found


def read_ips(path: Path) -> Described:
    """`fr-en-ips-ecoles-ap2022`: the social index of the last rentrée that it has. SourceError likewise."""
    latest = _latest(path, ("uai", "ips"), "uai").items()
    return Described(schools={uai: {"ips": line["ips"].replace(",", ".")} for uai, line in latest if line["ips"]})


def read_accounts(path: Path) -> Described:
    """The vendor's export of connections (établissement; UAI; date; profil; … comptes chargés; comptes activés).

    Of each school and profile the last date counts. SourceError likewise.
    """
    found = Described()
    dates: dict[tuple[str, str, str], str] = {}
    for line in _lines(path, ("uai", "date", "profil", "comptes_charges", "comptes_actives")):
        profile = _PROFILES.get(plain(line["profil"]), "inconnu")
        place = (line["uai"].upper(), "", profile)
        day = "-".join(reversed(line["date"].split("/"))) if "/" in line["date"] else line["date"]
        if day >= dates.get(place, ""):
            dates[place] = day
            found.accounts[place] = {"charges": line["comptes_charges"], "actives": line["comptes_actives"]}
    return found


_PROFILES: Final = {
    **{name: name for name in ("eleve", "parent", "enseignant", "personnel", "autre")},
    "student": "eleve",
    "relative": "parent",
    "teacher": "enseignant",
    "guest": "autre",
    "invite": "autre",
}


def _lines(path: Path, wanted: Sequence[str]) -> Iterator[Cells]:
    """The lines under their plain headings. SourceError where one of `wanted` is missing."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            head = stream.readline()
            stream.seek(0)
            reader = csv.reader(stream, delimiter=";" if head.count(";") >= head.count(",") else ",")
            headings = [_heading(cell) for cell in next(reader, [])]
            missing = [heading for heading in wanted if heading not in headings]
            if missing:
                raise SourceError(f"{path}: no column {', '.join(missing)}: is it the right file?")
            for cells in reader:
                yield dict(zip(headings, (cell.strip() for cell in cells), strict=False))
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path} is no CSV in UTF-8 ({error})") from None


def _latest(path: Path, wanted: Sequence[str], key: str) -> dict[str, Cells]:
    """The line of each school with the last `rentree_scolaire`."""
    latest: dict[str, Cells] = {}
    for line in _lines(path, wanted):
        uai = line[key].upper()
        if uai not in latest or line.get("rentree_scolaire", "") >= latest[uai].get("rentree_scolaire", ""):
            latest[uai] = line
    return latest


def _is(cell: str) -> bool:
    return plain(cell) in _YES


def _note(found: Described, path: Path, count: int, what: str) -> None:
    if count:
        found.notes.append(f"{path.name}: {count} {what} were left out")
