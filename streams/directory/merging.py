"""Taking over what sources say into a directory's folder, its history kept.

A line whose cells change is ended on the day, and a second one begins; a line that began on that day is mended instead.
Cells of which no source speaks (pôle, pilot group, equipment, ids of platforms) go on as they were.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from streams.directory.columns import ACCOUNTS, CLASSES, PROFILES, SCHOOLS, Table
from streams.directory.sources.described import Cells, Described, SourceError

_FROM: Final = "valide_du"
_TO: Final = "valide_au"


@dataclass
class Merged:
    """The folder's lines as they would be, and what is new in them."""

    lines: dict[str, list[Cells]]
    """File -> its lines."""
    added: int = 0
    changed: int = 0
    ended: int = 0


def merge(folder: Path, described: Described, on: date, *, whole: bool) -> Merged:
    """The folder with what is described from the day `on`.

    `whole`: schools and classes in force that are not described are ended; else they go on.
    Raises SourceError where a file of the folder cannot be read.
    """
    merged = Merged({})
    for table, key, told in (
        (SCHOOLS, "uai", described.schools),
        (CLASSES, "classe", described.classes),
    ):
        lines = _read(folder, table)
        if told:
            _take_over(lines, key, told, on, merged)
            if whole:
                _end(lines, key, told, on, merged)
        merged.lines[table.file] = sorted(lines, key=lambda line: (line.get(key, ""), line.get(_FROM, "")))
    merged.lines[ACCOUNTS.file] = _with_accounts(_read(folder, ACCOUNTS), described)
    return merged


PROFILES_OF_EVERYONE: Final = """profil;libelle;dnma;rang
eleve;Élèves;eleve;1
parent;Parents;parent;2
enseignant;Enseignants;enseignant;3
personnel;Personnels;admin_vie_scol_tech;4
academie;Académie;admin_vie_scol_tech;5
collectivite;Collectivité;admin_vie_scol_tech;6
autre;Autres;;7
inconnu;Profil inconnu;;8
"""
"""For a folder that has no profiles.csv: no source has profiles."""


def write(folder: Path, merged: Merged) -> None:
    """Write the files, each at once; nobody sees half of one. A profiles.csv that is there stays as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    profiles = folder / PROFILES.file
    if not profiles.exists():
        profiles.write_text(PROFILES_OF_EVERYONE, encoding="utf-8")
    for table in (SCHOOLS, CLASSES, ACCOUNTS):
        headings = [column.heading for column in table.columns]
        path = folder / table.file
        fresh = path.with_suffix(".new")
        with fresh.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, headings, "", "ignore", delimiter=";", lineterminator="\n")
            writer.writeheader()
            writer.writerows(merged.lines[table.file])
        fresh.replace(path)


def _take_over(lines: list[Cells], key: str, told: Mapping[str, Cells], on: date, merged: Merged) -> None:
    current = {line[key]: line for line in lines if _holds(line, on)}
    for name, cells in told.items():
        line = current.get(name)
        if line is None:
            lines.append({key: name, **cells, _FROM: on.isoformat(), _TO: ""})
            merged.added += 1
        elif any(line.get(heading, "") != cell for heading, cell in cells.items()):
            merged.changed += 1
            if line[_FROM] == on.isoformat():
                line.update(cells)
                continue
            lines.append({**line, **cells, _FROM: on.isoformat()})
            line[_TO] = on.isoformat()


def _end(lines: list[Cells], key: str, told: Mapping[str, Cells], on: date, merged: Merged) -> None:
    for line in [line for line in lines if line[key] not in told and _holds(line, on)]:
        merged.ended += 1
        if line[_FROM] == on.isoformat():
            lines.remove(line)
        else:
            line[_TO] = on.isoformat()


def _holds(line: Cells, on: date) -> bool:
    return line.get(_FROM, "") <= on.isoformat() and (not line.get(_TO) or line[_TO] > on.isoformat())


def _with_accounts(lines: list[Cells], described: Described) -> list[Cells]:
    """Counts of today replace those of before; of activated ones of which nobody speaks the old number stays."""
    places = {(line["uai"], line.get("classe", ""), line["profil"]): line for line in lines}
    for (uai, class_id, profile), cells in described.accounts.items():
        nobody_yet = {"uai": uai, "classe": class_id, "profil": profile, "actives": "0"}
        line = places.setdefault((uai, class_id, profile), nobody_yet)
        line.update(cells)
        if "actives" not in cells:
            line["actives"] = str(min(int(line["actives"] or 0), int(line["charges"])))
    return [places[place] for place in sorted(places)]


def _read(folder: Path, table: Table) -> list[Cells]:
    """The lines of a file; none where there is no such file yet."""
    path = folder / table.file
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            head = stream.readline()
            stream.seek(0)
            delimiter = ";" if head.count(";") >= head.count(",") else ","
            reader = csv.DictReader(stream, delimiter=delimiter)
            return [
                {(name or "").strip().lower(): (cell or "").strip() for name, cell in line.items()} for line in reader
            ]
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, csv.Error, AttributeError) as error:
        raise SourceError(f"{path} cannot be read ({error}): `ent directory check` says more") from None
