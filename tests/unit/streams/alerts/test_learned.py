"""How sharp a shape is taken to be, and how careful one is before much is known."""

from __future__ import annotations

import numpy as np

from streams.alerts.rules import Check, Settings
from tests.unit.streams.alerts.city import GRID, LEARNED_DAYS, City

BELL = GRID.bin_at(9 * 60)


def city_with_a_bell() -> City:
    """Half of a school's classes, by lot, log in within five minutes at nine."""
    city = City()
    draw = np.random.default_rng(1)
    classes = draw.random((*city.counts.shape[:1], city.counts.shape[2], 12)) < 0.5
    city.counts[:, 0, :, BELL] += 20 * classes.sum(2)
    return city


def test_schools_that_log_in_at_the_bell_are_expected_at_the_bell() -> None:
    learned, _, _ = city_with_a_bell().replay()
    assert (learned.width()[:, 0] == 0).all()
    expected = learned.expect(learned.shape(0))[:, 0]
    assert (expected[:, BELL] > 60).all()
    assert (expected[:, BELL + 1] < 25).all(), "not spread over the rest of the quarter"


def test_where_nothing_comes_at_a_bell_the_shape_stays_smooth() -> None:
    learned, _, _ = City().replay()
    assert (learned.width() == len(GRID.widths) - 1).all()


def test_no_school_is_blamed_for_the_quiet_after_the_bell() -> None:
    """What has come at the bell is not waited for afterwards, and a bell that nobody follows is news at once."""
    assert city_with_a_bell().findings() == [()] * LEARNED_DAYS
    silent = city_with_a_bell()
    silent.counts[3, :, -1, BELL:] = 0
    found = [finding for finding in silent.findings()[-1] if finding.school == 3]
    assert found
    assert found[0].since <= BELL
    assert found[0].raised <= BELL + GRID.spans(Settings().age_min)


def test_limits_are_higher_before_many_quiet_days_are_known() -> None:
    learned, _, _ = City(days=2).replay()
    assert (learned.limits.value[:, Check.SILENCE] > 1.2 * Settings().rules[Check.SILENCE].prior).all()
