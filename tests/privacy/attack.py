"""The attack: linear programmes over everything that is published, which bound every cell that was not.

The attacker knows the rule, k, the base, every published cell, and the size of every group (accounts per school,
profile and class). A cell of fewer than k persons is *found* when its bounds meet, and *seen* when they show that one
to k-1 persons were there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import highspy
import numpy as np

from tests.privacy.reading import FEW, Exact, H, P, Shown
from tests.privacy.world import APPS, CIRCO_OF, DAYS, POLE_OF, SCHOOLS, Array

_GROUPS = ((0,), (1,), (2, 3, 4))
"""The profiles of each published column of a school: pupils, parents, the school's adults."""
_EXACT = 1e-6
_T = TypeVar("_T")


class Programme:
    """Variables between bounds, and linear relations between them."""

    def __init__(self) -> None:
        self._low: list[float] = []
        self._high: list[float] = []
        self._rows: list[tuple[list[int], list[float], float, float]] = []

    def variable(self, low: float, high: float) -> int:
        """A new one, by its number."""
        self._low.append(float(low))
        self._high.append(float(high))
        return len(self._low) - 1

    def sums(self, total: int, parts: Sequence[int]) -> None:
        """total = sum(parts)."""
        self._rows.append(([total, *parts], [1.0, *[-1.0] * len(parts)], 0.0, 0.0))

    def reaches(self, total: int, part: int) -> None:
        """total >= part."""
        self._rows.append(([total, part], [1.0, -1.0], 0.0, np.inf))

    def covers(self, total: int, parts: Sequence[int]) -> None:
        """max(parts) <= total <= sum(parts): the same persons over hours or days."""
        for part in parts:
            self.reaches(total, part)
        self._rows.append(([total, *parts], [1.0, *[-1.0] * len(parts)], -np.inf, 0.0))

    def bounds(self, targets: Iterable[int]) -> list[tuple[float, float]]:
        """Least and most of each target; NaN where the programme has no solution. The basis is kept between solves."""
        solver = self._solver()
        found = []
        for target in targets:
            pair = []
            for sense in (1.0, -1.0):
                solver.changeColCost(target, sense)
                solver.run()
                solved = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
                pair.append(solver.getInfo().objective_function_value * sense if solved else np.nan)
            solver.changeColCost(target, 0.0)
            found.append((pair[0], pair[1]))
        return found

    def _solver(self) -> highspy.Highs:
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = len(self._low), len(self._rows)
        model.col_cost_ = np.zeros(model.num_col_)
        model.col_lower_, model.col_upper_ = np.array(self._low), np.array(self._high)
        model.row_lower_ = np.array([row[2] for row in self._rows])
        model.row_upper_ = np.array([row[3] for row in self._rows])
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        model.a_matrix_.start_ = np.cumsum([0] + [len(row[0]) for row in self._rows]).astype(np.int32)
        model.a_matrix_.index_ = np.concatenate([row[0] for row in self._rows]).astype(np.int32)
        model.a_matrix_.value_ = np.concatenate([row[1] for row in self._rows]).astype(float)
        solver = highspy.Highs()  # type: ignore[no-untyped-call]
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("threads", 1)
        solver.passModel(model)
        return solver


@dataclass(frozen=True)
class Bound:
    """What the attack came to for one cell."""

    true: float
    low: float
    high: float
    persons: int
    """In the cell, in truth."""

    @property
    def wrong(self) -> bool:
        """The truth is excluded: the attack itself is at fault."""
        return not self.low - 1e-3 <= self.true <= self.high + 1e-3


@dataclass(frozen=True)
class Outcome:
    """Of the small cells that were attacked, and of the counts that stand for so few persons."""

    cells: int
    found: float
    """Share of the cells whose number of persons is known exactly."""
    seen: float
    """Share of the cells that are known to hold 1 to k-1 persons."""
    somebody: float
    """Share of the cells that are known to hold anybody, be it more than that."""
    counts: int
    counts_found: float
    """Share of the counts that are known to the unit."""
    counts_near: float
    """Share of the counts that are known within a tenth, or to one."""
    wrong: int


def attack(
    tables: dict[str, Shown], cells: dict[str, Exact], school_of_class: Array, k: int, schools: int, limit: int
) -> Outcome:
    """Attack at most `limit` small cells, and as many counts, of each of the first `schools` schools."""
    rng = np.random.default_rng(0)
    coarse = _coarse(tables, cells, schools)
    persons: list[Bound] = []
    counts: list[Bound] = []
    for school in range(schools):
        klasses = np.flatnonzero(school_of_class == school)
        persons += _Persons(school, klasses, tables, cells, coarse).bounds(k, limit, rng)
        counts += _Counts(school, tables, cells).bounds(k, limit, rng)
    low, high = (np.array([getattr(bound, name) for bound in persons]) for name in ("low", "high"))
    width = np.array([bound.high - bound.low for bound in counts])
    true = np.array([bound.true for bound in counts])
    return Outcome(
        cells=len(persons),
        found=float((low == high).mean()),
        seen=float(((low >= 1) & (high < k)).mean()),
        somebody=float((low >= 1).mean()),
        counts=len(counts),
        counts_found=float((width < 1).mean()),
        counts_near=float((width <= np.maximum(1, 0.2 * true)).mean()),
        wrong=sum(bound.wrong for bound in persons + counts),
    )


def _coarse(tables: dict[str, Shown], cells: dict[str, Exact], schools: int) -> tuple[Array, Array]:
    """Bounds of the persons of each day and profile of the first schools, from one programme over all coarse tables."""
    programme = Programme()
    people = cells["school_every_profile_day"].population
    number = {
        (day, school, profile): programme.variable(0, people[day, school, profile])
        for day in range(DAYS)
        for school in range(SCHOOLS)
        for profile in range(P)
    }

    def shown(table: str, day: int, place: int, kind: int) -> int:
        return programme.variable(*_persons(tables, cells, table, day, place, kind))

    alone = tuple((profile,) for profile in range(P))
    above = (
        ("pole_profile_day", POLE_OF, _GROUPS),
        ("circonscription_profile_day", CIRCO_OF, alone),
        ("territory_profile_day", np.zeros(SCHOOLS, int), alone),
        ("territory_day", np.zeros(SCHOOLS, int), (tuple(range(P)),)),
        ("school_profile_day", np.arange(SCHOOLS), _GROUPS),
        ("school_day", np.arange(SCHOOLS), (tuple(range(P)),)),
    )
    for day in range(DAYS):
        for table, of, columns in above:
            for place in range(of.max() + 1):
                inside = np.flatnonzero(of == place)
                for kind, profiles in enumerate(columns):
                    parts = [number[day, int(school), profile] for school in inside for profile in profiles]
                    programme.sums(shown(table, day, place, kind), parts)
    low, high = np.zeros(people.shape), np.zeros(people.shape)
    wanted = [at for at in number if at[1] < schools]
    for at, (least, most) in zip(wanted, programme.bounds(number[at] for at in wanted), strict=True):
        low[at], high[at] = np.ceil(least - _EXACT), np.floor(most + _EXACT)
    return low, high


def _persons(
    tables: dict[str, Shown], cells: dict[str, Exact], table: str, window: int, place: int, kind: int
) -> tuple[float, float]:
    at = window, place, kind
    return tables[table].low[at], min(tables[table].high[at], cells[table].population[at])


class _Persons:
    """The persons of one school in one week."""

    def __init__(
        self,
        school: int,
        klasses: Array,
        tables: dict[str, Shown],
        cells: dict[str, Exact],
        coarse: tuple[Array, Array],
    ) -> None:
        self._school, self._klasses = school, klasses
        self._tables, self._cells, self._coarse = tables, cells, coarse
        self._programme = Programme()
        self._targets: list[tuple[int, int]] = []
        """A variable and its true number of persons."""
        days = [self._day(day) for day in range(DAYS)]
        self._week(*(list(column) for column in zip(*days, strict=True)))

    def bounds(self, k: int, limit: int, rng: np.random.Generator) -> list[Bound]:
        """Of a sample of the small cells."""
        small = _sample([target for target in self._targets if 0 < target[1] < k], limit, rng)
        found = self._programme.bounds(variable for variable, _ in small)
        return [
            Bound(true, np.ceil(low - _EXACT), np.floor(high + _EXACT), true)
            for (_, true), (low, high) in zip(small, found, strict=True)
        ]

    def _shown(self, table: str, window: int, place: int, kind: int) -> int:
        variable = self._programme.variable(*_persons(self._tables, self._cells, table, window, place, kind))
        self._targets.append((variable, int(self._cells[table].persons[window, place, kind])))
        return variable

    def _hidden(self, table: str, day: int, kind: int, most: float) -> int:
        """A cell of a table that is published only where the reader may group as he likes."""
        school = self._school
        variable = (
            self._programme.variable(*_persons(self._tables, self._cells, table, day, school, kind))
            if table in self._tables
            else self._programme.variable(0, most)
        )
        self._targets.append((variable, int(self._cells[table].persons[day, school, kind])))
        return variable

    def _day(self, day: int) -> tuple[int, list[int], list[int], list[int]]:
        """Total, profiles, classes and applications of a day."""
        lp, school = self._programme, self._school
        profiles = [lp.variable(self._coarse[0][day, school, p], self._coarse[1][day, school, p]) for p in range(P)]
        self._targets += [
            (variable, int(self._cells["school_every_profile_day"].persons[day, school, p]))
            for p, variable in enumerate(profiles)
        ]
        total = self._shown("school_day", day, school, 0)
        lp.sums(total, profiles)
        classes = [self._shown("class_day", day, int(klass), 0) for klass in self._klasses]
        lp.sums(profiles[0], classes)
        for group, members in enumerate(_GROUPS):
            lp.sums(self._shown("school_profile_day", day, school, group), [profiles[p] for p in members])
        most = self._cells["school_every_profile_day"].population[day, school]
        crossed = {
            table: [[self._hidden(table, day, p * width + n, most[p]) for n in range(width)] for p in range(P)]
            for table, width in (("school_profile_app_day", APPS), ("school_profile_hour", H))
        }
        apps = [self._shown("school_app_day", day, school, n) for n in range(APPS)]
        hours = [self._shown("school_hour", day, school, n) for n in range(H)]
        for wholes, parts in ((apps, crossed["school_profile_app_day"]), (hours, crossed["school_profile_hour"])):
            for n, whole in enumerate(wholes):
                lp.sums(whole, [parts[p][n] for p in range(P)])
        for p in range(P):
            lp.covers(profiles[p], crossed["school_profile_hour"][p])
            for part in crossed["school_profile_app_day"][p]:
                lp.reaches(profiles[p], part)
        for hour in hours:
            lp.reaches(total, hour)
        return total, profiles, classes, apps

    def _week(
        self, totals: list[int], profiles: list[list[int]], classes: list[list[int]], apps: list[list[int]]
    ) -> None:
        lp, school = self._programme, self._school
        most = self._cells["school_every_profile_day"].population[0, school]
        for group, members in enumerate(_GROUPS):
            parts = [lp.variable(0, most[p]) for p in members]
            lp.sums(self._shown("school_profile_week", 0, school, group), parts)
            for p, week in zip(members, parts, strict=True):
                lp.covers(week, [day[p] for day in profiles])
        for at, klass in enumerate(self._klasses):
            lp.covers(self._shown("class_week", 0, int(klass), 0), [day[at] for day in classes])
        for app in range(APPS):
            lp.covers(self._shown("school_app_week", 0, school, app), [day[app] for day in apps])
        lp.covers(self._shown("school_week", 0, school, 0), totals)


class _Counts:
    """The connections and visits of one school in one week."""

    def __init__(self, school: int, tables: dict[str, Shown], cells: dict[str, Exact]) -> None:
        self._school, self._tables, self._cells = school, tables, cells
        self._programme = Programme()
        self._targets: list[tuple[int, float, int]] = []
        """A variable, its true count, and the persons it stands for."""
        self._measure("logins", "school_hour", "school_profile_hour", H, None)
        self._measure("visits", "school_app_day", "school_profile_app_day", APPS, "school_app_week")

    def bounds(self, k: int, limit: int, rng: np.random.Generator) -> list[Bound]:
        """Of a sample of the counts that stand for few persons."""
        small = _sample([target for target in self._targets if 0 < target[2] < k and target[1] > 0], limit, rng)
        found = self._programme.bounds(variable for variable, _, _ in small)
        return [Bound(true, low, high, n) for (_, true, n), (low, high) in zip(small, found, strict=True)]

    def _measure(self, name: str, split: str, crossed: str, width: int, split_week: str | None) -> None:
        """The tables that hold one measure: by profile, and by hour or application (`split`)."""
        lp, school = self._programme, self._school
        shown = self._reader(name)
        weeks: list[list[int]] = []
        split_weeks: list[list[int]] = []
        for day in range(DAYS):
            profiles = [lp.variable(0, FEW) for _ in range(P)]
            cell = self._cells["school_every_profile_day"]
            self._targets += [
                (variable, float(cell.counts[name][day, school, p]), int(cell.persons[day, school, p]))
                for p, variable in enumerate(profiles)
            ]
            for group, members in enumerate(_GROUPS):
                lp.sums(shown("school_profile_day", day, group), [profiles[p] for p in members])
            lp.sums(shown("school_day", day, 0), profiles)
            parts = [[self._crossed(crossed, name, day, p * width + n) for n in range(width)] for p in range(P)]
            for p in range(P):
                lp.sums(profiles[p], parts[p])
            wholes = [shown(split, day, n) for n in range(width)]
            for n, whole in enumerate(wholes):
                lp.sums(whole, [parts[p][n] for p in range(P)])
                cell = self._cells[split]
                at = day, school, n
                self._targets.append((whole, float(cell.counts[name][at]), int(cell.persons[at])))
            weeks.append(profiles)
            split_weeks.append(wholes)
        for group, members in enumerate(_GROUPS):
            lp.sums(shown("school_profile_week", 0, group), [day[p] for day in weeks for p in members])
        if split_week:
            for n in range(width):
                lp.sums(shown(split_week, 0, n), [day[n] for day in split_weeks])
        lp.sums(shown("school_week", 0, 0), [variable for day in weeks for variable in day])

    def _reader(self, name: str) -> Callable[[str, int, int], int]:
        def shown(table: str, window: int, kind: int) -> int:
            _, low, high = self._tables[table].counts[name]
            at = window, self._school, kind
            return self._programme.variable(low[at], high[at])

        return shown

    def _crossed(self, table: str, name: str, day: int, kind: int) -> int:
        if table not in self._tables:
            return self._programme.variable(0, FEW)
        _, low, high = self._tables[table].counts[name]
        at = day, self._school, kind
        return self._programme.variable(low[at], high[at])


def _sample(targets: list[_T], limit: int, rng: np.random.Generator) -> list[_T]:
    chosen = rng.choice(len(targets), min(limit, len(targets)), replace=False)
    return [targets[at] for at in sorted(chosen)]
