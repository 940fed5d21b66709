"""What a load would change: the directory in force today beside the one that is about to be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date

from schemas.directory import School, SchoolClass

MAX_LOSS_SHARE = 0.05
"""Of the schools of today: what a load may lose unless it is told otherwise."""
_OF_A_LOAD = frozenset({"revision", "valid_from", "valid_to"})


class TooManyLostError(ValueError):
    """A load would lose more schools than it may."""


@dataclass(frozen=True)
class Changed:
    """A school that is described otherwise."""

    uai: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """Of the schools and classes that hold on one day, in the order of their keys."""

    added: tuple[str, ...]
    lost: tuple[str, ...]
    changed: tuple[Changed, ...]
    classes_added: int
    classes_lost: int
    schools_before: int

    @property
    def loss_share(self) -> float:
        """Lost schools, of those that were there."""
        return len(self.lost) / self.schools_before if self.schools_before else 0.0

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self) if field.name != "schools_before")

    def check(self, max_loss_share: float) -> None:
        """TooManyLostError where more is lost than this share."""
        if self.loss_share > max_loss_share:
            some = ", ".join(self.lost[:5]) + (", …" if len(self.lost) > 5 else "")
            raise TooManyLostError(
                f"{len(self.lost)} of {self.schools_before} schools would be lost ({some}), {self.loss_share:.0%} "
                f"where {max_loss_share:.0%} may be: is a file cut off? If they are gone, allow it with --max-loss"
            )


def compare(before: Iterable[School | SchoolClass], after: Iterable[School | SchoolClass], on: date) -> Difference:
    """The difference between two directories on a day."""
    old_schools, old_classes = _in_force(before, on)
    new_schools, new_classes = _in_force(after, on)
    both = sorted(old_schools.keys() & new_schools.keys())
    changed = [Changed(uai, told) for uai in both if (told := _changed(old_schools[uai], new_schools[uai]))]
    return Difference(
        added=tuple(sorted(new_schools.keys() - old_schools.keys())),
        lost=tuple(sorted(old_schools.keys() - new_schools.keys())),
        changed=tuple(changed),
        classes_added=len(new_classes - old_classes),
        classes_lost=len(old_classes - new_classes),
        schools_before=len(old_schools),
    )


def _in_force(records: Iterable[School | SchoolClass], on: date) -> tuple[Mapping[str, School], set[str]]:
    schools: dict[str, School] = {}
    classes: set[str] = set()
    for record in records:
        if not record.valid_from <= on < record.valid_to:
            continue
        if isinstance(record, School):
            schools[record.uai] = record
        else:
            classes.add(record.class_id)
    return schools, classes


def _changed(old: School, new: School) -> tuple[str, ...]:
    names = School.model_fields.keys() - _OF_A_LOAD
    return tuple(sorted(name for name in names if getattr(old, name) != getattr(new, name)))
