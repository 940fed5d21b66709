"""A directory as a folder of CSV files: read, checked as a whole, and made into the records of its topics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError

from schemas.directory import (
    Accounts,
    Manifest,
    ProfileRecord,
    School,
    SchoolClass,
    content_digest,
    cycle_of,
    digest_of,
)
from schemas.directory_reader import read_directory_records
from schemas.directory_row import to_rows
from schemas.event import Profile
from streams.directory.columns import ACCOUNTS, CLASSES, PROFILES, SCHOOLS, Table
from streams.directory.csv_file import Problem, Row, read_rows
from streams.directory.snapshot import Directory
from streams.directory.spans import Spans

ModelT = TypeVar("ModelT", bound=BaseModel)
_Counted: TypeAlias = tuple[Profile, int, int]
"""Profile, loaded, activated: there are many, and models are large."""


class DirectoryFolderError(ValueError):
    """The files of a directory cannot be used; the message lists every line to mend."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass
class Folder:
    """What a folder holds, in the form in which it is sent, and what is wrong with it."""

    revision: int
    records: dict[str, list[tuple[bytes, bytes]]] = field(default_factory=lambda: defaultdict(list))
    """topic -> (key, value), without the manifest."""
    problems: list[Problem] = field(default_factory=list)
    _digests: list[bytes] = field(default_factory=list)

    def add(self, record: School | SchoolClass | ProfileRecord) -> None:
        """Keep a record."""
        encoded = record.model_dump_json().encode()
        self.records[record.topic].append((record.key.encode(), encoded))
        self._digests.append(digest_of(encoded))

    def numbered(self, revision: int) -> Folder:
        """The same as another revision: it stands first in every record, and no digest knows it."""
        old, new = (f'{{"revision":{number},'.encode() for number in (self.revision, revision))
        records = {
            topic: [(key, new + value.removeprefix(old)) for key, value in pairs]
            for topic, pairs in self.records.items()
        }
        return replace(self, revision=revision, records=defaultdict(list, records))

    def manifest(self) -> Manifest:
        """What these records are, as a whole."""
        return Manifest(
            revision=self.revision,
            schools=len(self.records[School.topic]),
            classes=len(self.records[SchoolClass.topic]),
            profiles=len(self.records[ProfileRecord.topic]),
            content=content_digest(self._digests),
        )

    def directory(self) -> Directory:
        """The same as a snapshot."""
        read = [
            read_directory_records(topic, [key for key, _ in records], [value for _, value in records])
            for topic, records in self.records.items()
        ]
        return Directory(self.revision, to_rows(record for batch in read for record in batch.records))


def read_directory_folder(folder: Path, revision: int = 1) -> Directory:
    """The folder's directory as a snapshot, without Kafka. Raises DirectoryFolderError."""
    found = read_folder(folder, revision)
    if found.problems:
        raise DirectoryFolderError(found.problems)
    return found.directory()


def read_folder(folder: Path, revision: int = 1) -> Folder:
    """Read and check all files; the records belong to `revision`. Every problem is listed, none is raised."""
    found = Folder(revision)
    accounts = _AccountsByPlace(folder, found.problems)
    uais = _read_schools(folder, accounts, found)
    _read_classes(folder, accounts, uais, found)
    _read_profiles(folder, found)
    found.problems.extend(accounts.of_nobody())
    found.problems.sort(key=lambda problem: (problem.file, problem.line))
    return found


class _AccountsByPlace:
    """The accounts of each class, and of each school beside its classes."""

    def __init__(self, folder: Path, problems: list[Problem]) -> None:
        self._accounts: dict[str, list[_Counted]] = {}
        self._lines: dict[str, int] = {}
        """The first line of each place that no other file has named yet."""
        for row in read_rows(folder, ACCOUNTS, problems):
            accounts = _validated(Accounts, ACCOUNTS, row, {}, problems)
            if "uai" not in row.cells:
                problems.append(_to_fill(ACCOUNTS, row, "uai"))
            elif accounts is not None:
                place = _place(row.cells["uai"], row.cells.get("class_id", ""))
                counted = self._accounts.setdefault(place, [])
                if accounts.profile in [profile for profile, _, _ in counted]:
                    told = f"{accounts.profile} of {place} stands there twice: keep one line"
                    problems.append(Problem(ACCOUNTS.file, row.line, "profil", told))
                else:
                    counted.append((accounts.profile, accounts.loaded, accounts.activated))
                self._lines.setdefault(place, row.line)

    def of(self, uai: object, class_id: object = "") -> list[dict[str, object]]:
        """The accounts of a place, which is thereby known to exist."""
        place = _place(uai, class_id)
        self._lines.pop(place, None)
        return [
            {"profile": profile, "loaded": loaded, "activated": activated}
            for profile, loaded, activated in self._accounts.get(place, ())
        ]

    def of_nobody(self) -> Iterator[Problem]:
        """Accounts of places that no other file names."""
        for place, line in self._lines.items():
            uai, _, class_id = place.partition(" ")
            if class_id:
                told = f"class {class_id} of {uai} is not in {CLASSES.file}: add it there, or remove the line"
                yield Problem(ACCOUNTS.file, line, "classe", told)
            else:
                told = f"{uai} is not in {SCHOOLS.file}: add it there, or remove the line"
                yield Problem(ACCOUNTS.file, line, "uai", told)


def _place(uai: object, class_id: object) -> str:
    return f"{uai} {class_id}".strip()


def _read_schools(folder: Path, accounts: _AccountsByPlace, found: Folder) -> set[str]:
    """Read the schools; their UAIs, right or wrong, so that one mistake is told once."""
    uais: set[str] = set()
    versions, structures = Spans(), Spans()
    for row in read_rows(folder, SCHOOLS, found.problems):
        uai = row.cells.get("uai")
        uais.add(str(uai))
        more = {"revision": found.revision, "accounts": accounts.of(uai)}
        school = _validated(School, SCHOOLS, row, more, found.problems)
        if school is None:
            continue
        found.add(school)
        versions.add(school.uai, school.valid_from, school.valid_to, row.line)
        for structure in school.structure_ids:
            structures.add(structure, school.valid_from, school.valid_to, row.line)
    _tell_overlaps(SCHOOLS, "uai", versions, found.problems)
    _tell_overlaps(SCHOOLS, "identifiants", structures, found.problems)
    return uais


def _read_classes(folder: Path, accounts: _AccountsByPlace, uais: set[str], found: Folder) -> None:
    versions, names = Spans(), Spans()
    for row in read_rows(folder, CLASSES, found.problems):
        uai = row.cells.get("uai")
        more = {"revision": found.revision, "accounts": accounts.of(uai, row.cells.get("class_id", ""))}
        school_class = _validated(SchoolClass, CLASSES, row, more, found.problems)
        if uai is not None and str(uai) not in uais:
            found.problems.append(
                Problem(CLASSES.file, row.line, "uai", f"{uai} is not in {SCHOOLS.file}: add it there")
            )
        if school_class is None:
            continue
        if not school_class.cycle:
            school_class = school_class.model_copy(update={"cycle": cycle_of(school_class.levels)})
        found.add(school_class)
        span = (school_class.valid_from, school_class.valid_to, row.line)
        versions.add(school_class.class_id, *span)
        for name in (school_class.class_id, *school_class.names):
            names.add(f"{name} in {school_class.uai}", *span)
    _tell_overlaps(CLASSES, "classe", versions, found.problems)
    _tell_overlaps(CLASSES, "noms", names, found.problems)


def _read_profiles(folder: Path, found: Folder) -> None:
    lines: dict[str, int] = {}
    for row in read_rows(folder, PROFILES, found.problems):
        profile = _validated(ProfileRecord, PROFILES, row, {"revision": found.revision}, found.problems)
        if profile is None:
            continue
        if profile.profile in lines:
            told = f"{profile.profile} stands in line {lines[profile.profile]} already: keep one of them"
            found.problems.append(Problem(PROFILES.file, row.line, "profil", told))
        lines.setdefault(profile.profile, row.line)
        found.add(profile)


def _validated(
    model: type[ModelT], table: Table, row: Row, more: Mapping[str, object], problems: list[Problem]
) -> ModelT | None:
    """The row as a model, or None with its problems told."""
    try:
        return model.model_validate({**row.cells, **more})
    except ValidationError as error:
        problems.extend(_told(table, row, dict(detail)) for detail in error.errors(include_url=False))
        return None


def _told(table: Table, row: Row, detail: dict[str, object]) -> Problem:
    place = detail["loc"]
    assert isinstance(place, tuple)
    name = str(place[0] if place else detail["type"])  # rules over several fields are called after the one to mend
    if detail["type"] == "missing":
        return _to_fill(table, row, name)
    column = table.column_of(name)
    told = f"{_shown(row.cells.get(name))}: {detail['msg']}; write {column.advice}"
    return Problem(table.file, row.line, column.heading, told)


def _to_fill(table: Table, row: Row, name: str) -> Problem:
    column = table.column_of(name)
    return Problem(table.file, row.line, column.heading, f"is empty: write {column.advice}")


def _shown(cell: object) -> str:
    return "|".join(map(str, cell)) if isinstance(cell, list) else str(cell)


def _tell_overlaps(table: Table, heading: str, spans: Spans, problems: list[Problem]) -> None:
    for key, line, earlier in spans.overlaps():
        told = f"{key} is described by line {earlier} on the same days: end one of them with valide_au, or remove it"
        problems.append(Problem(table.file, line, heading, told))
