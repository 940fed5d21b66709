"""What a load of timetables would change: the weeks in force beside those that are about to be."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from schemas.school_time.timetable import Timetable

Weeks = Mapping[tuple[str, str], Timetable]
"""By UAI and school year."""


class TooManyWeeksLostError(ValueError):
    """A load would lose the weeks of more schools than it may."""


@dataclass(frozen=True)
class WeeksDifference:
    """Of the schools of the directory, each with its school year, in their order."""

    added: tuple[str, ...]
    lost: tuple[str, ...]
    changed: tuple[str, ...]
    before: int

    @property
    def loss_share(self) -> float:
        """Lost weeks, of those that were there."""
        return len(self.lost) / self.before if self.before else 0.0

    def check(self, max_loss_share: float) -> None:
        """TooManyWeeksLostError where more is lost than this share."""
        if self.loss_share > max_loss_share:
            some = ", ".join(self.lost[:5]) + (", …" if len(self.lost) > 5 else "")
            raise TooManyWeeksLostError(
                f"{len(self.lost)} of {self.before} timetables would be lost ({some}), {self.loss_share:.0%} where "
                f"{max_loss_share:.0%} may be: is the file cut off, or of another year? Else allow it with --max-loss"
            )

    def __str__(self) -> str:
        return f"timetables: {len(self.added)} added, {len(self.lost)} lost, {len(self.changed)} changed"


def compare_weeks(before: Weeks, after: Weeks, schools: Collection[str]) -> WeeksDifference:
    """The difference for the schools of the directory; files tell of many others."""
    old, new = ({key: week for key, week in weeks.items() if key[0] in schools} for weeks in (before, after))

    def named(keys: Collection[tuple[str, str]]) -> tuple[str, ...]:
        return tuple(" ".join(key) for key in sorted(keys))

    return WeeksDifference(
        added=named(new.keys() - old.keys()),
        lost=named(old.keys() - new.keys()),
        changed=named({key for key in old.keys() & new.keys() if old[key] != new[key]}),
        before=len(old),
    )
