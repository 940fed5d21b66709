"""Bins are those of the wall clock."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from streams.alerts.grid import Grid

PARIS = ZoneInfo("Europe/Paris")


def test_nine_in_the_morning_is_one_bin_in_winter_and_in_summer() -> None:
    winter = Grid().locate(datetime(2026, 1, 12, 8, tzinfo=UTC), PARIS)
    summer = Grid().locate(datetime(2026, 6, 15, 7, tzinfo=UTC), PARIS)
    assert winter == (date(2026, 1, 12).toordinal(), 24)
    assert summer == (date(2026, 6, 15).toordinal(), 24)


def test_the_hour_that_comes_twice_is_counted_once() -> None:
    grid = Grid.whole_day(30)
    passages = [grid.locate(datetime(2026, 10, 25, hour, 30, tzinfo=UTC), PARIS) for hour in (0, 1)]
    assert passages == [(date(2026, 10, 25).toordinal(), 5), None]


def test_a_moment_outside_the_grid_has_no_bin() -> None:
    assert Grid().locate(datetime(2026, 1, 12, 2, tzinfo=UTC), PARIS) is None


@pytest.mark.parametrize("step", [1, 5, 10, 15, 20, 30, 60, 120, 1440])
def test_any_step_that_divides_a_day_makes_a_grid(step: int) -> None:
    grid = Grid.whole_day(step)
    assert grid.slots * grid.slot_bins == grid.bins
    assert all(width % 2 == 1 for width in grid.widths)
    assert all(grid.bins % bins == 0 for bins in grid.grains)
    assert grid.watched == slice(0, grid.bins)


@pytest.mark.parametrize("step", [0, 7, 50])
def test_another_step_is_refused(step: int) -> None:
    with pytest.raises(ValueError, match="does not divide a day"):
        Grid.whole_day(step)
