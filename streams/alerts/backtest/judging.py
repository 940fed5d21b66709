"""Findings against the truth: episodes, precision, recall, false alarms and time to detect."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from streams.alerts.backtest.case import Case, Raised
from streams.alerts.backtest.incidents import BAD_DAY, FAMILIES_SILENT, SLOW
from streams.alerts.backtest.year import Incident
from streams.alerts.rules import Check, Kind

SIZES: Final = (0.0, 5.0, 10.0, 20.0, 40.0, 80.0, np.inf)
"""Borders, in logins expected per hour."""
_WHOLE_DAYS: Final = frozenset({BAD_DAY, SLOW, FAMILIES_SILENT, "closure"})
_LASTS_DAYS: Final = frozenset({Check.FAMILIES, Check.DROP, Check.DAY, Check.SLOW})
_JOIN_MIN, _AFTER_MIN, _LATE_MIN = 60, 60, 15
_JOIN_DAYS = 2


@dataclass
class Episode:
    """Findings of one school, or of the platform, that a reader would take as one."""

    school: int | None
    parts: list[Raised]
    whole: Incident | None = None
    """The incident that it belongs to; None: false, or a closure."""
    on_closure: bool = False
    folded: bool = False
    """A school's page inside an outage of everybody: neither right nor wrong."""

    @property
    def kinds(self) -> frozenset[Kind]:
        """What it was called."""
        return frozenset(part.finding.kind for part in self.parts)

    @property
    def pages(self) -> bool:
        """Somebody was told at once."""
        return any(part.finding.pages for part in self.parts)


@dataclass(frozen=True)
class Outcome:
    """What became of one incident."""

    kind: str
    size: int
    """Place in SIZES."""
    minutes: float | None
    """From its start to the alert; None: never seen."""


@dataclass
class Figures:
    """Counts over one or more cases; everything that is told is worked out from them."""

    months: float = 0.0
    episodes: list[Episode] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    months_by_size: list[float] = field(default_factory=lambda: [0.0] * (len(SIZES) - 1))
    false_by_size: list[int] = field(default_factory=lambda: [0] * (len(SIZES) - 1))

    @property
    def paged(self) -> list[Episode]:
        """Without the digest's, and without those folded into an outage of everybody."""
        return [one for one in self.episodes if one.pages and not one.folded]

    @property
    def right(self) -> int:
        """Pages that belong to an incident."""
        return sum(one.whole is not None for one in self.paged)

    @property
    def on_closures(self) -> int:
        """Pages on a closure that nobody declared."""
        return sum(one.whole is None and one.on_closure for one in self.paged)

    @property
    def false(self) -> int:
        """Pages on nothing."""
        return len(self.paged) - self.right - self.on_closures

    @property
    def precision(self) -> float:
        """Of the pages that lie on no closure; NaN without any."""
        return self.right / (self.right + self.false) if self.right + self.false else np.nan

    @property
    def precision_with_closures(self) -> float:
        """Pages on undeclared closures counted as false; NaN without any page."""
        return self.right / len(self.paged) if self.paged else np.nan

    @property
    def false_per_school_month(self) -> float:
        """Pages on nothing."""
        return self.false / self.months

    @property
    def false_with_closures_per_school_month(self) -> float:
        """Pages on nothing and on undeclared closures."""
        return (self.false + self.on_closures) / self.months

    def pick(self, kinds: Iterable[str], low: float = 0.0, high: float = np.inf) -> list[Outcome]:
        """Outcomes of these kinds where `low` logins an hour or more, and less than `high`, are expected."""
        wanted = frozenset(kinds)
        return [one for one in self.outcomes if one.kind in wanted and low <= SIZES[one.size] < high]

    def recall(self, kinds: Iterable[str], low: float = 0.0, high: float = np.inf) -> float:
        """Share of them that were seen; NaN without any."""
        picked = self.pick(kinds, low, high)
        return float(np.mean([one.minutes is not None for one in picked])) if picked else np.nan

    def minutes(self, kinds: Iterable[str], low: float = 0.0, high: float = np.inf, part: float = 0.5) -> float:
        """A quantile of the time to detect of those that were seen; NaN without any."""
        seen = [one.minutes for one in self.pick(kinds, low, high) if one.minutes is not None]
        return float(np.quantile(seen, part)) if seen else np.nan


def judge(cases: Sequence[tuple[Case, Sequence[Raised]]], sizes: Sequence[Sequence[float]] | None = None) -> Figures:
    """Pool cases. `sizes`: per case, each school's logins per class hour, for false alarms by size."""
    figures = Figures()
    for index, (case, raised) in enumerate(cases):
        counted = [one for one in raised if one.day >= case.first_day]
        pages = [one for one in counted if one.finding.pages]
        digest = [one for one in counted if not one.finding.pages]
        episodes = [*join(case, pages), *join(case, digest)]
        for episode in episodes:
            _attribute(case, episode)
        figures.months += case.months
        figures.episodes += episodes
        figures.outcomes += [_outcome(case, one, pages, counted) for one in case.incidents]
        if sizes is not None:
            _count_by_size(figures, case, episodes, sizes[index])
    return figures


def place_of(rate_per_h: float) -> int:
    """The place in SIZES of so many logins per hour."""
    return int(np.searchsorted(SIZES, rate_per_h, side="right")) - 1


def _count_by_size(figures: Figures, case: Case, episodes: list[Episode], sizes: Sequence[float]) -> None:
    for rate in sizes:
        figures.months_by_size[place_of(rate)] += case.months / case.schools
    for one in episodes:
        if one.pages and one.school is not None and one.whole is None and not one.on_closure and not one.folded:
            figures.false_by_size[place_of(sizes[one.school])] += 1


def join(case: Case, raised: Iterable[Raised]) -> list[Episode]:
    """One episode per school and lull of an hour; drops that come back within two days belong together."""
    episodes: list[Episode] = []
    gap = case.grid.spans(_JOIN_MIN)
    for one in sorted(raised, key=lambda one: (_key(one), one.day, one.finding.raised)):
        episode = episodes[-1] if episodes and episodes[-1].school == one.finding.school else None
        if episode is not None and _continues(episode, one, gap):
            episode.parts.append(one)
        else:
            episodes.append(Episode(one.finding.school, [one]))
    return episodes


def _key(one: Raised) -> int:
    return -1 if one.finding.school is None else one.finding.school


def _continues(episode: Episode, one: Raised, gap: int) -> bool:
    last_day = episode.parts[-1].day
    same_day = [part.finding.until for part in episode.parts if part.day == one.day]
    if same_day and one.finding.raised - max(same_day) <= gap:
        return True
    apart = one.day - last_day
    lasting = one.finding.check in _LASTS_DAYS and any(part.finding.check in _LASTS_DAYS for part in episode.parts)
    return (lasting and 0 <= apart <= _JOIN_DAYS) or (one.finding.school is None and apart == 1)


def _attribute(case: Case, episode: Episode) -> None:
    mine = [one for one in case.incidents if _concerns(case, one, episode.school) and _overlap(case, episode, one)]
    everybody = [one for one in case.incidents if one.school is None and _overlap(case, episode, one)]
    episode.whole = next(iter(mine), None)
    episode.folded = episode.whole is None and episode.school is not None and bool(everybody)
    episode.on_closure = any(one.school == episode.school and _overlap(case, episode, one) for one in case.closures)


def _concerns(case: Case, incident: Incident, school: int | None) -> bool:
    """One alert for everybody stands for the labels of half of the schools or more at the same time."""
    if incident.school == school:
        return True
    if school is not None or incident.school is None:
        return False
    alike = {one.school for one in case.incidents if set(one.spans) & set(incident.spans)}
    return 2 * len(alike) >= case.schools


def _overlap(case: Case, episode: Episode, incident: Incident) -> bool:
    after = case.grid.spans(_AFTER_MIN)
    return any(
        part.day == day
        and (incident.kind in _WHOLE_DAYS or (part.finding.raised <= end + after and part.finding.until >= first))
        for part in episode.parts
        for day, first, end in incident.spans
    )


def _outcome(case: Case, incident: Incident, pages: Sequence[Raised], counted: Sequence[Raised]) -> Outcome:
    """When it was first told of. The digest counts for slow declines alone."""
    size = len(SIZES) - 2 if incident.school is None else place_of(incident.expected_per_h)
    before = 0
    for day, first, end in incident.spans:
        told = [
            one.finding.raised
            for one in (counted if incident.kind == SLOW else pages)
            if one.day == day
            and _concerns(case, incident, one.finding.school)
            and first <= one.finding.raised < end + case.grid.spans(_LATE_MIN)
        ]
        if told:
            return Outcome(incident.kind, size, float((before + min(told) + 1 - first) * case.grid.step_min))
        before += end - first
    return Outcome(incident.kind, size, None)
