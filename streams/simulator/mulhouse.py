"""A synthetic directory with Mulhouse's orders of magnitude: fictive schools, valid UAIs, no real person.

The figures are those of the deployment: 54 schools in 9 pôles and 3 circonscriptions, 45 of them REP or REP+; 21
elementary ones with the ENT, their 450 classes, 9 000 pupils and 450 teachers of whom 50 trained; 34 mobile classes;
projector and PC in 80 % of the classes; a pilot group of 25 teachers of 15 schools. `examples/mulhouse` was written by
`python -m streams.simulator.mulhouse examples/mulhouse`.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final, TypeAlias

from schemas.directory import Level, Nature
from schemas.uai import check_letter

EXAMPLE: Final = Path(__file__).resolve().parents[2] / "examples" / "mulhouse"
"""Where a checkout keeps it."""
SCHOOLS: Final = 54
DEPLOYED: Final = 21
CLASSES: Final = 450
PUPILS: Final = 9000
TRAINED_TEACHERS: Final = 50
PILOT_TEACHERS: Final = 25
PILOT_SCHOOLS: Final = 15
MOBILE_CLASSES: Final = 34
REP_PLUS: Final = 28
REP: Final = 17
PROJECTOR_SHARE: Final = 0.8
PARENTS_PER_PUPIL: Final = 1.6
POLES: Final = ("Bollwerk", "Canal", "Collines", "Filature", "Grand Rhin", "Hardt", "Ill", "Rebberg", "Tour")
CIRCONSCRIPTIONS: Final = ("Villefictive 1", "Villefictive 2", "Villefictive 3")
"""Three pôles each."""
FIRST_DAY: Final = "2025-09-01"
WAVES: Final = (FIRST_DAY, "2025-11-03", "2026-01-05")
"""First days of the ENT."""
PRIORITY_CHANGE: Final = "2026-09-01"
"""One school went from REP to REP+ then."""
_CLASSES_OF_A_SCHOOL: Final = (12, 32)
_PUPILS_OF_A_CLASS: Final = (14, 26)
_FIRST_NUMBER: Final = 689901
"""Département 068, numbers that are given to nobody."""
_SEED: Final = 68
_LEVELS: Final = (Level.CP, Level.CE1, Level.CE2, Level.CM1, Level.CM2)
_NATURES: Final = (
    *(Nature.ELEMENTAIRE,) * (DEPLOYED + 6),
    *(Nature.MATERNELLE,) * 24,
    *(Nature.PRIMAIRE,) * 3,
)
_KINDS: Final = {
    Nature.MATERNELLE: "École maternelle",
    Nature.ELEMENTAIRE: "École élémentaire",
    Nature.PRIMAIRE: "École primaire",
}
_PROFILES: Final = (
    ("eleve", "Élèves", "eleve", 1),
    ("parent", "Parents", "parent", 2),
    ("enseignant", "Enseignants", "enseignant", 3),
    ("personnel", "Personnels", "admin_vie_scol_tech", 4),
    ("academie", "Académie", "", 5),
    ("collectivite", "Collectivité", "", 6),
    ("autre", "Autres", "", 7),
    ("inconnu", "Profil inconnu", "", 8),
)
_NAMES: Final = (
    "des Acacias", "des Alouettes", "de l'Amandier", "des Ancolies", "de l'Arc-en-Ciel", "des Aubépines",
    "du Belvédère", "des Bleuets", "des Bouleaux", "de la Bruyère", "des Campanules", "du Carrousel",
    "des Cerisiers", "des Charmes", "de la Cigogne", "des Coquelicots", "des Cyprès", "des Écureuils",
    "de l'Églantine", "des Érables", "de l'Étang", "des Fauvettes", "de la Fontaine", "des Frênes", "des Genêts",
    "de la Grange", "des Hirondelles", "des Houblons", "des Iris", "des Jonquilles", "du Lavoir", "des Lilas",
    "du Marronnier", "des Mésanges", "du Moulin", "des Myrtilles", "du Noyer", "de l'Observatoire",
    "de l'Orangerie", "des Ormes", "du Parc", "des Peupliers", "des Pinsons", "des Platanes", "du Pont-Rouge",
    "des Prunelles", "de la Roseraie", "du Sentier", "des Sorbiers", "de la Source", "des Tilleuls",
    "des Tournesols", "du Vallon", "du Verger",
)  # fmt: skip

Rows: TypeAlias = list[tuple[object, ...]]


@dataclass(frozen=True)
class _School:
    number: int
    uai: str
    classes: int

    @property
    def deployed(self) -> bool:
        return self.classes > 0

    @property
    def pilot(self) -> bool:
        return self.number < PILOT_SCHOOLS

    @property
    def nature(self) -> Nature:
        return _NATURES[self.number]


def write_mulhouse(folder: Path) -> None:
    """Write the four files; the same every time."""
    random = Random(_SEED)
    schools = _schools(random)
    classes, accounts = _classes(random, schools)
    accounts += [(school.uai, "", "personnel", 3, 2 + school.number % 2) for school in schools if school.deployed]
    folder.mkdir(parents=True, exist_ok=True)
    _write(
        folder / "schools.csv",
        "uai nom commune circonscription pole education_prioritaire nature academie zone feries deploye_depuis pilote "
        "classes_mobiles identifiants valide_du valide_au",
        _school_rows(random, schools),
    )
    _write(
        folder / "classes.csv",
        "classe uai libelle niveaux eleves videoprojecteur enseignant_forme pilote noms valide_du",
        classes,
    )
    _write(folder / "profiles.csv", "profil libelle dnma rang", _PROFILES)
    _write(folder / "accounts.csv", "uai classe profil charges actives", accounts)


def _schools(random: Random) -> list[_School]:
    """The deployed ones come first."""
    classes = _spread(random, CLASSES, DEPLOYED, _CLASSES_OF_A_SCHOOL) + [0] * (SCHOOLS - DEPLOYED)
    digits = [f"{_FIRST_NUMBER + number:07d}" for number in range(SCHOOLS)]
    return [_School(number, f"{own}{check_letter(own)}", classes[number]) for number, own in enumerate(digits)]


def _spread(random: Random, total: int, parts: int, bounds: tuple[int, int]) -> list[int]:
    """`total` in `parts` of different sizes within `bounds`."""
    sizes = [total // parts + (part < total % parts) for part in range(parts)]
    for _ in range(4 * parts):
        smaller, larger = random.sample(range(parts), 2)
        if sizes[smaller] > bounds[0] and sizes[larger] < bounds[1]:
            sizes[smaller] -= 1
            sizes[larger] += 1
    return sizes


def _school_rows(random: Random, schools: Sequence[_School]) -> Rows:
    priorities = ["REP+"] * REP_PLUS + ["REP"] * REP + [""] * (SCHOOLS - REP_PLUS - REP)
    random.shuffle(priorities)
    names = random.sample(_NAMES, SCHOOLS)
    mobile_classes = _spread(random, MOBILE_CLASSES, DEPLOYED, (1, 3)) + [0] * (SCHOOLS - DEPLOYED)
    changed = next(school for school in schools if priorities[school.number] == "REP+")
    rows: Rows = []
    for school in schools:
        pole = school.number % len(POLES)
        before = (
            school.uai,
            f"{_KINDS[school.nature]} {names[school.number]}",
            "Villefictive",
            CIRCONSCRIPTIONS[pole // len(CIRCONSCRIPTIONS)],
            POLES[pole],
        )
        after = (
            school.nature.value,
            "Strasbourg",
            "B",
            "6AE",
            WAVES[school.number % len(WAVES)] if school.deployed else "",
            _yes(school.pilot),
            mobile_classes[school.number],
            f"str-{school.number + 1:04d}",
        )
        start = FIRST_DAY
        if school is changed:
            rows.append((*before, "REP", *after, start, PRIORITY_CHANGE))
            start = PRIORITY_CHANGE
        rows.append((*before, priorities[school.number], *after, start, ""))
    return rows


def _classes(random: Random, schools: Sequence[_School]) -> tuple[Rows, Rows]:
    """The classes and their accounts."""
    places = [(school, turn) for school in schools for turn in range(school.classes)]
    pupils = _spread(random, PUPILS, CLASSES, _PUPILS_OF_A_CLASS)
    with_projector = set(random.sample(range(CLASSES), int(CLASSES * PROJECTOR_SHARE)))
    pilots = _pilots(random, places)
    trained = pilots | set(random.sample(sorted(set(range(CLASSES)) - pilots), TRAINED_TEACHERS - PILOT_TEACHERS))
    classes: Rows = []
    accounts: Rows = []
    for index, (school, turn) in enumerate(places):
        class_id = f"cl-{school.uai}-{turn + 1:02d}"
        label, levels = _name(school, turn)
        flags = (_yes(index in with_projector), _yes(index in trained), _yes(index in pilots))
        names = f"{label}|cls-{index + 1:04d}"
        classes.append((class_id, school.uai, label, levels, pupils[index], *flags, names, FIRST_DAY))
        parents = round(pupils[index] * PARENTS_PER_PUPIL)
        accounts.append((school.uai, class_id, "eleve", pupils[index], round(pupils[index] * random.uniform(0.8, 1))))
        accounts.append((school.uai, class_id, "parent", parents, round(parents * random.uniform(0.45, 0.9))))
        accounts.append((school.uai, class_id, "enseignant", 1, 1))
    return classes, accounts


def _pilots(random: Random, places: Sequence[tuple[_School, int]]) -> set[int]:
    """Classes of the pilot group: one at least in each of its schools."""
    first_of = {school.number: index for index, (school, turn) in enumerate(places) if school.pilot and turn == 0}
    others = [index for index, (school, turn) in enumerate(places) if school.pilot and turn > 0]
    return {*first_of.values(), *random.sample(others, PILOT_TEACHERS - PILOT_SCHOOLS)}


def _name(school: _School, turn: int) -> tuple[str, str]:
    """Label and levels: CP A, CE1 A …; the last class is ULIS or UPE2A, the one before it has two levels."""
    if turn == school.classes - 1:
        level = Level.UPE2A if school.number % 3 == 0 else Level.ULIS
        return level.value, level.value
    round_, place = divmod(turn, len(_LEVELS))
    letter = chr(ord("A") + round_)
    levels = _LEVELS[place : place + 2] if turn == school.classes - 2 else _LEVELS[place : place + 1]
    joined = "-".join(levels)
    return f"{joined} {letter}", joined


def _yes(value: bool) -> str:
    return "oui" if value else "non"


def _write(path: Path, headings: str, rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=";", lineterminator="\n")
        writer.writerow(headings.split())
        writer.writerows(rows)


if __name__ == "__main__":
    write_mulhouse(Path(sys.argv[1]))
