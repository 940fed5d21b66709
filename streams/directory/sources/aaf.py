"""AAF exports of the premier degré, complete ones (`FULL_…_Complet_…xml`), read as a stream.

Schools, classes and how many accounts each holds are taken. Of persons only the join keys are read, to count them once;
no name, birth date, INE or address, and nothing of a person is written. Attributes: facts of the SDET's annexe, 1D.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from xml.parsers import expat

from schemas.directory import Level
from streams.directory.sources.described import Cells, Described, SourceError
from streams.directory.sources.opendata import plain

Attributes = Mapping[str, list[str]]
_CHUNK_BYTES: Final = 1 << 20
_KINDS: Final = ("EtabEducNat", "Eleve", "PersRelEleve", "PersEducNat")
_READ: Final = frozenset(
    [
        *("ENTStructureJointure", "ENTStructureUAI", "ENTStructureNomCourant", "ENTStructureTypeStruct"),
        *("ENTEcoleCirconscription", "ENTEcoleCommune", "ENTServAcAcademie"),
        *("ENTPersonJointure", "ENTPersonStructRattach", "ENTPersonClasses", "ENTPersonFonctions"),
        *("ENTEleveNiveau", "ENTEleveAutoriteParentale", "ENTPersonCategorieEnseignant"),
    ]
)
"""Every other attribute is skipped unread."""
_TEACHING: Final = frozenset({"ENS", "BED", "RPL", "UPI"})
_YES: Final = frozenset({"O", "OUI", "1", "TRUE", "VRAI"})
_NATURES: Final = (("primaire", "primaire"), ("maternelle", "maternelle"), ("elementaire", "elementaire"))


@dataclass
class _Class:
    uai: str
    name: str
    number: str
    levels: set[str] = field(default_factory=set)
    pupils: set[str] = field(default_factory=set)
    parents: set[str] = field(default_factory=set)


def read_aaf(folder: Path) -> Described:
    """All files of a complete export in a folder. SourceError where it is none, or a file is no such XML."""
    files = {kind: sorted(folder.glob(f"*_{kind}_*.xml")) for kind in _KINDS}
    for kind in ("EtabEducNat", "Eleve"):
        if not files[kind]:
            raise SourceError(f"{folder}: no file *_{kind}_*.xml: is it a complete AAF export?")
    found = Described()
    uais: dict[str, str] = {}
    for entry in _entries(files["EtabEducNat"]):
        _take_school(entry, uais, found)
    classes: dict[str, _Class] = {}
    homeless = sum(not _take_pupil(entry, uais, classes) for entry in _entries(files["Eleve"]))
    if homeless:
        found.notes.append(f"{homeless} pupils of no class or of an unknown school were not counted")
    for class_id, one in classes.items():
        _describe(class_id, one, found)
    _count_staff(_entries(files["PersEducNat"]), uais, found)
    return found


def _take_school(entry: Attributes, uais: dict[str, str], found: Described) -> None:
    uai = _first(entry, "ENTStructureUAI").upper()
    if not uai:
        return
    uais[_first(entry, "ENTStructureJointure")] = uai
    kind = plain(_first(entry, "ENTStructureTypeStruct"))
    cells: Cells = {
        "nom": _first(entry, "ENTStructureNomCourant"),
        "nature": next((nature for sign, nature in _NATURES if sign in kind), ""),
        "circonscription": _first(entry, "ENTEcoleCirconscription"),
        "commune": _first(entry, "ENTEcoleCommune"),
        "academie": _first(entry, "ENTServAcAcademie"),
    }
    found.schools[uai] = {heading: cell for heading, cell in cells.items() if cell}


def _take_pupil(entry: Attributes, uais: Mapping[str, str], classes: dict[str, _Class]) -> bool:
    """Count a pupil in each of their classes; whether there is one."""
    taken = False
    for told in entry.get("ENTPersonClasses", ()):
        structure, number, name, *_ = [*told.split("$"), "", ""]
        uai = uais.get(structure)
        if uai is None or not number:
            continue
        one = classes.setdefault(f"{uai}-{number}", _Class(uai, name or number, number))
        one.pupils.add(_first(entry, "ENTPersonJointure"))
        one.levels.update(level for level in map(_level, entry.get("ENTEleveNiveau", ())) if level)
        one.parents.update(told.split("$")[0] for told in entry.get("ENTEleveAutoriteParentale", ()))
        taken = True
    return taken


def _level(told: str) -> str:
    words = told.upper().replace("-", " ").split()
    return next((level.value for level in Level if level.value in words), "")


def _describe(class_id: str, one: _Class, found: Described) -> None:
    if not one.levels:
        found.notes.append(f"class {class_id} has no level that is known: add it to classes.csv by hand")
        return
    names = dict.fromkeys((one.name, one.number))
    found.classes[class_id] = {
        "uai": one.uai,
        "libelle": one.name,
        "niveaux": "-".join(level.value for level in Level if level.value in one.levels),
        "eleves": str(len(one.pupils)),
        "noms": "|".join(name for name in names if name != class_id),
    }
    found.accounts[one.uai, class_id, "eleve"] = {"charges": str(len(one.pupils))}
    found.accounts[one.uai, class_id, "parent"] = {"charges": str(len(one.parents))}


def _count_staff(entries: Iterable[Attributes], uais: Mapping[str, str], found: Described) -> None:
    """A person is one account in each school of theirs; who teaches is a teacher, head of the school or not."""
    people: dict[tuple[str, str], set[str]] = defaultdict(set)
    for entry in entries:
        functions = [told.split("$") for told in entry.get("ENTPersonFonctions", ())]
        structures = {*entry.get("ENTPersonStructRattach", ()), *(parts[0] for parts in functions)}
        teaches = _first(entry, "ENTPersonCategorieEnseignant").upper() in _YES
        teaches = teaches or any(_TEACHING.intersection(parts[1:]) for parts in functions)
        for uai in {uais[structure] for structure in structures if structure in uais}:
            people[uai, "enseignant" if teaches else "personnel"].add(_first(entry, "ENTPersonJointure"))
    for (uai, profile), ids in people.items():
        found.accounts[uai, "", profile] = {"charges": str(len(ids))}


def _first(entry: Attributes, name: str) -> str:
    return next((value.strip() for value in entry.get(name, ()) if value.strip()), "")


def _entries(files: Iterable[Path]) -> Iterator[Attributes]:
    """The attributes of each addRequest of some files, one at a time."""
    for path in files:
        ready: list[Attributes] = []
        parser = _parser(ready.append)
        try:
            with path.open("rb") as stream:
                while chunk := stream.read(_CHUNK_BYTES):
                    parser.Parse(chunk)
                    yield from ready
                    ready.clear()
                parser.Parse(b"", True)
                yield from ready
        except OSError as error:
            raise SourceError(f"{path} cannot be read ({error.strerror})") from None
        except expat.ExpatError as error:
            raise SourceError(f"{path} is no XML that is taken here: {error}") from None


def _parser(done: Callable[[Attributes], None]) -> expat.XMLParserType:
    """A parser that takes no entities: neither bombs nor other files come in by them."""
    entry: dict[str, list[str]] = {}
    state = {"name": "", "reading": False}
    text: list[str] = []

    def start(tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "addRequest":
            entry.clear()
        elif tag == "attr":
            state["name"] = attributes.get("name", "")
        elif tag == "value":
            state["reading"] = state["name"] in _READ
            text.clear()

    def end(tag: str) -> None:
        if tag == "value" and state["reading"]:
            entry.setdefault(str(state["name"]), []).append("".join(text).strip())
            state["reading"] = False
        elif tag == "addRequest":
            done(dict(entry))

    def data(piece: str) -> None:
        if state["reading"]:
            text.append(piece)

    def refuse(*_told: object) -> None:
        raise SourceError("the XML declares entities: an AAF export has none")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = data
    parser.EntityDeclHandler = refuse
    return parser
