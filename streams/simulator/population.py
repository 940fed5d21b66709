"""Who there is: the schools with the ENT, their classes and account holders, in numbered columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from schemas.directory_row import DirectoryRows
from schemas.event import Profile
from schemas.uai import check_letter
from streams.simulator.calendar import weeks_into_the_year
from streams.simulator.places import Places, School

PROFILES: Final = tuple(profile.value for profile in Profile)
PUPIL, PARENT, TEACHER, STAFF, UNTOLD = (
    PROFILES.index(profile)
    for profile in (Profile.ELEVE, Profile.PARENT, Profile.ENSEIGNANT, Profile.PERSONNEL, Profile.INCONNU)
)
SIBLINGS: Final = 0.1
SEVERAL_SCHOOLS: Final = 0.02
"""Shares of the parents with children in two classes of a school, and in two schools."""
ENTCORE_SHARE: Final = 0.15
"""Share of the classes whose school's platform is entcore."""
WEDNESDAY_SHARE: Final = 0.5
"""Share of the schools that work on Wednesday mornings."""
_BEGINNINGS_MIN: Final = (8 * 60 + 25, 8 * 60 + 30, 8 * 60 + 30, 8 * 60 + 30)
_LABELS_SHARE: Final = 0.3
"""Share of the schools whose platform sends classes by their first name in the directory, not by our id."""
_TRAINED, _PILOT, _DORMANT_SHARE, _DORMANT = 1.5, 1.3, 0.08, 0.05
_LAST_DIGITS: Final = 689999
_GROWTH_WEEKS: Final = 10.0
_BEGINNERS: Final = 0.4
"""What a school does with the ENT in its first week, of what it comes to in the long run."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class People:
    """The account holders of one profile, in the order of their schools and classes."""

    profile: int
    number: Ints
    """What their ids are made of."""
    place: Ints
    school: Ints
    class_: Ints
    """-1: none."""


@dataclass(frozen=True)
class Population:
    """Schools and classes as columns; people by profile."""

    uais: list[str]
    entcore: npt.NDArray[np.bool_]
    wednesday: npt.NDArray[np.bool_]
    begins_s: Ints
    """When lessons begin, in seconds of the day."""
    deployed: npt.NDArray[np.datetime64]
    school_level: Floats
    """How much a school does with the ENT, about 1."""
    class_school: Ints
    class_level: Floats
    """Likewise of a class within its school."""
    first_parent: Ints
    parents: Ints
    """Of each class: the number of its first parent, and how many there are."""
    places: Places
    cells: pl.DataFrame
    people: dict[int, People]

    def growth(self, day: date) -> Floats:
        """What each school does on that day, of what it comes to in the long run: it grows with every week, first
        since it has the ENT, then in each school year."""
        since_deployed = (np.datetime64(day) - self.deployed) / np.timedelta64(7, "D")
        weeks = np.minimum(since_deployed, weeks_into_the_year(day))
        return 1 - (1 - _BEGINNERS) * np.exp(-weeks / _GROWTH_WEEKS)


class Settling:
    """Finds out who there is on a day; days on which nothing changed share one population."""

    def __init__(self, directory: DirectoryRows, seed: int) -> None:
        self._directory = directory
        self._seed = seed
        self._last: tuple[tuple[list[Any], list[Any]], Population] | None = None
        accounts = directory.accounts.unique(["uai", "class_id", "profile"], keep="last", maintain_order=True)
        self._first_number: dict[tuple[str, str, int], int] = {}
        self._activated: dict[tuple[str, str, int], int] = {}
        first = 0
        for row in accounts.sort("uai", "class_id", "profile").iter_rows(named=True):
            holder = (row["uai"], row["class_id"], PROFILES.index(row["profile"]))
            self._first_number[holder], self._activated[holder] = first, row["activated"]
            first += row["loaded"]
        known = set(directory.schools["uai"])
        numbers = (f"{_LAST_DIGITS - less:07d}" for less in range(len(known) + 1))
        uai = next(uai for digits in numbers if (uai := digits + check_letter(digits)) not in known)
        self._stranger = School(uai, "str-inconnue", {}, known=False)

    def on(self, day: date) -> Population:
        """The population of a day, without schools whose ENT has not begun."""
        in_force = (pl.col("valid_from") <= day) & (pl.col("valid_to") > day)
        schools = self._directory.schools.filter(in_force & (pl.col("deployed_from") <= day)).sort("uai")
        classes = self._directory.classes.filter(in_force & pl.col("uai").is_in(schools["uai"].to_list()))
        classes = classes.sort("uai", "class_id")
        described = (schools["digest"].to_list(), classes["digest"].to_list())
        if self._last is None or self._last[0] != described:
            self._last = (described, self._settle(schools, classes))
        return self._last[1]

    def _settle(self, schools: pl.DataFrame, classes: pl.DataFrame) -> Population:
        rows = {row["uai"]: row for row in schools.iter_rows(named=True)}
        names: dict[str, dict[str, str]] = {uai: {} for uai in rows}
        for row in classes.iter_rows(named=True):
            for name in (row["class_id"], *row["names"]):
                names[row["uai"]].setdefault(name, row["class_id"])
        named = [School(uai, next(iter(row["structure_ids"]), None), names[uai]) for uai, row in rows.items()]
        own = list(classes.iter_rows(named=True))
        places = Places(self._stranger)
        entcore = self._entcore(named)
        index = {uai: number for number, uai in enumerate(rows)}
        class_school = np.array([index[row["uai"]] for row in own], np.int64)
        sent = [self._sent(row, entcore=bool(entcore[school])) for row, school in zip(own, class_school, strict=True)]
        class_place = [places.number((named[s],), (name,)) for s, name in zip(class_school, sent, strict=True)]
        school_place = [places.number((school,), ()) for school in named]
        people = {
            profile: self._people_of_classes(profile, own, class_school, class_place) for profile in (PUPIL, TEACHER)
        }
        people[PARENT] = self._people_of_classes(PARENT, own, class_school, class_place)
        self._join_families(people[PARENT], named, class_school, sent, entcore, places)
        people[STAFF] = self._staff(named, school_place)
        parents = [(row["uai"], row["class_id"], PARENT) for row in own]
        return Population(
            uais=list(rows),
            entcore=entcore,
            wednesday=np.array([self._chance(uai, "wednesday") < WEDNESDAY_SHARE for uai in rows], np.bool_),
            begins_s=np.array([60 * self._one_of(_BEGINNINGS_MIN, uai, "begins") for uai in rows], np.int64),
            deployed=np.array([row["deployed_from"] for row in rows.values()], "datetime64[D]"),
            school_level=np.array([0.7 + 0.6 * self._chance(uai, "level") for uai in rows], np.float64),
            class_school=class_school,
            class_level=np.array([self._class_level(row) for row in own], np.float64),
            first_parent=np.array([self._first_number.get(holder, 0) for holder in parents], np.int64),
            parents=np.array([self._activated.get(holder, 0) for holder in parents], np.int64),
            places=places,
            cells=places.cells(),
            people=people,
        )

    def _entcore(self, named: list[School]) -> npt.NDArray[np.bool_]:
        """Some schools, by lot, until they have their share of the classes."""
        wanted = ENTCORE_SHARE * sum(len(set(school.names.values())) for school in named)
        chosen = np.zeros(len(named), np.bool_)
        for number in sorted(range(len(named)), key=lambda number: self._chance(named[number].uai, "platform")):
            classes = len(set(named[number].names.values()))
            if named[number].structure is not None and classes / 2 <= wanted:
                chosen[number] = True
                wanted -= classes
        return chosen

    def _sent(self, row: dict[str, Any], *, entcore: bool) -> str:
        """The name by which the platform sends a class."""
        if entcore:
            return str(next(reversed(row["names"]), row["class_id"]))
        by_label = self._chance(row["uai"], "labels") < _LABELS_SHARE
        return str(next(iter(row["names"]), row["class_id"]) if by_label else row["class_id"])

    def _class_level(self, row: dict[str, Any]) -> float:
        """Trained teachers and those of the pilot group do more; some hardly begin."""
        if self._chance(row["class_id"], "dormant") < _DORMANT_SHARE and not row["pilot"]:
            return _DORMANT
        drawn = 0.5 + self._chance(row["class_id"], "level")
        return drawn * (_TRAINED if row["teacher_trained"] else 1.0) * (_PILOT if row["pilot"] else 1.0)

    def _people_of_classes(
        self, profile: int, own: list[dict[str, Any]], class_school: Ints, class_place: list[int]
    ) -> People:
        holders = [(row["uai"], row["class_id"], profile) for row in own]
        counts = np.array([self._activated.get(holder, 0) for holder in holders], np.int64)
        number = _ranges([self._first_number.get(holder, 0) for holder in holders], counts)
        classes = np.repeat(np.arange(len(own)), counts)
        return People(profile, number, np.array(class_place, np.int64)[classes], class_school[classes], classes)

    def _staff(self, named: list[School], school_place: list[int]) -> People:
        holders = [(school.uai, "", STAFF) for school in named]
        counts = np.array([self._activated.get(holder, 0) for holder in holders], np.int64)
        number = _ranges([self._first_number.get(holder, 0) for holder in holders], counts)
        schools = np.repeat(np.arange(len(named)), counts)
        return People(STAFF, number, np.array(school_place, np.int64)[schools], schools, np.full(len(number), -1))

    def _join_families(
        self,
        parents: People,
        named: list[School],
        class_school: Ints,
        sent: list[str],
        entcore: npt.NDArray[np.bool_],
        places: Places,
    ) -> None:
        """Give some parents a second class, in the same school or in another one."""
        random = np.random.default_rng(self._number("families"))
        lots = random.random(len(parents.number))
        others = random.integers(0, max(len(sent), 1), len(parents.number))
        for parent in (lots < SIBLINGS + SEVERAL_SCHOOLS).nonzero()[0].tolist():
            here, own = int(parents.school[parent]), int(parents.class_[parent])
            other = int(others[parent])
            there = int(class_school[other])
            if lots[parent] < SEVERAL_SCHOOLS:
                if there == here or (entcore[here] and named[there].structure is None):
                    continue
                schools: tuple[School, ...] = (named[here], named[there])
            else:
                neighbours = (class_school == here).nonzero()[0]
                other = int(neighbours[other % len(neighbours)])
                schools = (named[here],)
            parents.place[parent] = places.number(schools, tuple(dict.fromkeys((sent[own], sent[other]))))

    def _chance(self, *names: str) -> float:
        """A number from 0 to 1 that belongs to these names, whoever else there is."""
        return self._number(*names) / 2**64

    def _one_of(self, values: tuple[int, ...], *names: str) -> int:
        return values[int(self._chance(*names) * len(values))]

    def _number(self, *names: str) -> int:
        return int.from_bytes(blake2b(repr((self._seed, names)).encode(), digest_size=8).digest(), "big")


def _ranges(firsts: Iterable[int], counts: Ints) -> Ints:
    """first, first + 1 … as many as its count says, for each one after the other."""
    before = np.cumsum(counts) - counts
    starts = np.repeat(np.array(list(firsts), np.int64) - before, counts)
    return (starts + np.arange(len(starts))).astype(np.int64)
