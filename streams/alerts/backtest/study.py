"""The whole back-test: simulated years of both worlds, the detector and its rivals on each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from streams.alerts.backtest import rivals, stl
from streams.alerts.backtest.case import Case, Raised, detect
from streams.alerts.backtest.incidents import SCHOOLS, simulate
from streams.alerts.backtest.judging import Figures, judge

TUNED_ON: Final = (11, 12, 13, 14, 15, 16)
SEEDS: Final = (41, 42, 43, 44, 45, 46)
"""The tables in docs/alerts.md and the committed bounds are of these; they were looked at, see there."""
DETECTOR: Final = "this detector"


def study(
    world: str,
    seeds: Sequence[int],
    with_rivals: bool,
    tell: Callable[[str], None],
    schools: int = SCHOOLS,
) -> dict[str, Figures]:
    """Figures of the detector, and of each rival, pooled over the years of these seeds."""
    cases, sizes, found = [], [], []
    for seed in seeds:
        year = simulate(world, seed, schools)
        case = Case.of_year(year)
        cases.append(case)
        sizes.append([float(rate) for rate in year.rate_per_h()])
        found.append(detect(case))
        tell(f"{world}, year {seed}: {len(year.incidents)} incidents, {len(found[-1])} findings")
    figures = {DETECTOR: judge(list(zip(cases, found, strict=True)), sizes)}
    if with_rivals:
        for name, raised in rival_alerts(cases):
            tell(f"{world}: {name}")
            figures[name] = judge(list(zip(cases, raised, strict=True)), sizes)
    return figures


def rival_alerts(cases: Sequence[Case]) -> Iterator[tuple[str, list[list[Raised]]]]:
    """Each rival by name with its alerts per case; STL only where statsmodels is installed."""
    hours = [rivals.hourly(case) for case in cases]
    both = list(zip(cases, hours, strict=True))
    for name, rule in rivals.RULES.items():
        yield name, [rivals.alerts(case, one, rule(one)) for case, one in both]
    if stl.installed():
        yield stl.NAME, [rivals.alerts(case, one, stl.hits(one, case.weekday)) for case, one in both]
