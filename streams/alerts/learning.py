"""A finished day is taken in: levels, shapes, bursts, spreads and limits."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from streams.alerts.arrays import Booleans, Floats, Integers, Singles
from streams.alerts.closing import Closed
from streams.alerts.grid import Grid
from streams.alerts.learned import Learned, average

_BLOCK = 4096
_LONGEST_WEEKLY, _LONGEST_COMMON = 7, 24
_LEAST_LEVEL = 0.05
_WARM_WEEKDAYS = 2
_LEVEL_GAIN, _LEVEL_STEP = 0.12, 0.5
_SPREAD_GAIN, _SPREAD_STEP = 0.05, 0.6
_SPREAD_LEAST, _SPREAD_MOST = 0.05**2, 0.4**2
_MEMORY = 0.98
_OUTLIER = 400.0
_PRIOR_BURSTS = 3.0
_KNOWN_SHARE = 0.5


def learn(learned: Learned, closed: Closed) -> None:
    """Take one finished day into `learned`, in place.

    A school day counts where at least half of its open bins have data. Days without one login where some were due, and
    days far above the expected, are left out until they have lasted (Settings.blank_days, surge_days): then a school
    that fell silent is forgotten, to be learned anew, and a school that grew is believed.
    """
    day, settings = closed.day, learned.settings
    learned.limits.take(closed.peak, closed.quiet, settings)
    learned.last = closed.last
    opened = _has_data(closed)
    learned.blank = np.where(opened, np.where(closed.blank, learned.blank + 1, 0), learned.blank)
    learned.surge = np.where(opened, np.where(closed.surge, learned.surge + 1, 0), learned.surge)
    believed = learned.surge > settings.surge_days
    skip = closed.skip | ~(day.calendar.opened & day.known)
    skip[believed] = ~(day.calendar.opened & day.known)[believed]
    burst = learned.burst()
    for start in range(0, learned.schools, _BLOCK):
        part = slice(start, start + _BLOCK)
        _learn_block(learned, part, closed, opened[part], skip[part], burst[part])
    learned.days += opened & ~closed.blank
    learned.day += 1
    gone = learned.blank > settings.blank_days
    if gone.any():
        forget(learned, gone)


def _has_data(closed: Closed) -> Booleans:
    day = closed.day
    watched = day.calendar.opened[:, day.grid.watched]
    known = (watched & day.known[:, day.grid.watched]).sum(1)
    return np.asarray(day.open_day & (known >= _KNOWN_SHARE * watched.sum(1)))


def _learn_block(
    learned: Learned, part: slice, closed: Closed, opened: Booleans, skip: Booleans, burst: Floats
) -> None:
    day, grid = closed.day, learned.grid
    weekday = day.calendar.weekday
    expected = day.expected[part]
    seen = np.where(skip[:, None, :], expected, day.seen[part])
    warm = (opened & (learned.weekly_days[part, weekday] >= _WARM_WEEKDAYS))[:, None]
    _learn_shape(learned, part, weekday, seen, opened)
    within = learned.within[part]
    learned.within[part] = np.where(opened[:, None, None], np.float32(_MEMORY) * within + seen, within)
    watched = grid.watched
    total = seen[:, :, watched].sum(2, dtype=np.float64)
    due = expected[:, :, watched].sum(2, dtype=np.float64)
    prior = _PRIOR_BURSTS * burst
    ratio = np.log((total + prior) / (due + prior))
    step = np.exp(_LEVEL_GAIN * np.clip(ratio, -_LEVEL_STEP, _LEVEL_STEP))
    learned.level[part] *= np.where(warm, step, 1)
    explained = burst * due / np.maximum(due + prior, 1) ** 2
    excess = np.clip(ratio, -_SPREAD_STEP, _SPREAD_STEP) ** 2 - explained
    spread = learned.spread[part] + np.where(warm, _SPREAD_GAIN * (excess - learned.spread[part]), 0)
    learned.spread[part] = np.clip(spread, _SPREAD_LEAST, _SPREAD_MOST)
    _learn_bursts(learned, part, closed, seen, (total + prior) / (due + prior), skip, warm)


def _learn_bursts(
    learned: Learned, part: slice, closed: Closed, seen: Singles, own_level: Floats, skip: Booleans, warm: Booleans
) -> None:
    """In what bursts the day came against the shape averaged over each width, at each grain.

    The day's own level is taken out: the burst size holds bursts, the spread holds good and bad days.
    """
    grid = learned.grid
    for place, width in enumerate(grid.widths):
        expected = average(closed.day.shape[part], width, grid) * own_level.astype(np.float32)[:, :, None]
        for grain, bins in enumerate(grid.grains):
            counts, means = (_spans(values, skip, grid, bins) for values in (seen, expected))
            squares = np.minimum((counts - means) ** 2, _OUTLIER * np.maximum(means, 1))
            for kept, news in ((learned.burst_squares, squares), (learned.burst_means, means)):
                before = kept[part, :, place, grain]
                kept[part, :, place, grain] = np.where(warm, _MEMORY * before + news.sum(2), before)


def _learn_shape(learned: Learned, part: slice, weekday: int, seen: Singles, opened: Booleans) -> None:
    slots = seen.reshape(*seen.shape[:2], learned.grid.slots, -1).sum(3)
    slots /= np.maximum(learned.level[part, :, None], _LEAST_LEVEL).astype(np.float32)
    weight = np.where(opened, 1 / (np.minimum(learned.weekly_days[part, weekday], _LONGEST_WEEKLY) + 1), 0)
    weekly = learned.weekly[part, :, weekday]
    weekly += weight.astype(np.float32)[:, None, None] * (slots - weekly)
    learned.weekly_days[part, weekday] += opened
    if weekday in learned.settings.lenders:
        weight = np.where(opened, 1 / (np.minimum(learned.common_days[part], _LONGEST_COMMON) + 1), 0)
        common = learned.common[part]
        common += weight.astype(np.float32)[:, None, None] * (slots - common)
        learned.common_days[part] += opened


def _spans(values: Singles, skip: Booleans, grid: Grid, width: int) -> Floats:
    """Sums [school, profile, span] over `width` bins each of the watched day; 0 where a bin of it is skipped."""
    watched = grid.watched
    end = watched.start + (watched.stop - watched.start) // width * width
    shape = (*values.shape[:2], -1, width)
    sums = values[:, :, watched.start : end].reshape(shape).sum(3, dtype=np.float64)
    kept = np.logical_not(skip[:, watched.start : end].reshape(len(values), -1, width).any(2))
    return np.asarray(sums * kept[:, None])


def forget(learned: Learned, schools: Booleans) -> None:
    """Make these schools [school] unknown, in place: they are learned anew from their next school day on."""
    place = np.where(schools, -1, np.arange(learned.schools))
    fresh = select(learned, place)
    for field in fields(Learned):
        setattr(learned, field.name, getattr(fresh, field.name))


def select(learned: Learned, places: Integers) -> Learned:
    """The state of other schools: row n is that of school `places[n]`, or unknown where that is -1.

    For a school that opens or closes: the directory changes, the others keep what was learned of them.
    """
    chosen = Learned.empty(len(places), learned.grid, learned.settings)
    kept = places >= 0
    for target, source in ((chosen, learned), (chosen.last, learned.last), (chosen.limits, learned.limits)):
        for name, value in vars(source).items():
            if isinstance(value, np.ndarray):
                getattr(target, name)[kept] = value[places[kept]]
    chosen.limits.cursor = learned.limits.cursor
    chosen.day = learned.day
    return chosen
