"""Likelihoods and tails behave as their formulas say."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.alerts.negative_binomial import (
    bounds,
    information_per_login,
    log_gamma,
    log_likelihood_ratio,
    lower_deviance,
    upper_deviance,
)


@given(st.floats(1e-9, 1e7))
def test_log_gamma_is_that_of_the_standard_library(z: float) -> None:
    assert log_gamma(np.array([z]))[0] == pytest.approx(math.lgamma(z), rel=1e-11, abs=1e-11)


@given(st.floats(0.1, 50), st.floats(1.2, 40), st.floats(0.01, 0.9))
def test_silence_weighs_the_same_in_one_bin_as_in_twelve(mu: float, c: float, share: float) -> None:
    def weigh(expected: float) -> float:
        return float(log_likelihood_ratio(np.zeros(1), np.array([expected]), np.array([c]), share)[0])

    assert weigh(12 * mu) == pytest.approx(12 * weigh(mu))
    assert weigh(mu) == pytest.approx((1 - share) * mu * float(information_per_login(np.array([c]))[0]))


@given(st.integers(0, 200), st.floats(0.5, 100), st.floats(1.2, 20))
def test_a_ratio_is_that_of_the_two_likelihoods(x: int, mu: float, c: float) -> None:
    def log_mass(mean: float) -> float:
        size = mean / (c - 1)
        choose = math.lgamma(x + size) - math.lgamma(size) - math.lgamma(x + 1)
        return choose - size * math.log(c) + x * math.log((c - 1) / c)

    ratio = log_likelihood_ratio(np.array([x]), np.array([mu]), np.array([c]), 0.4)[0]
    assert ratio == pytest.approx(log_mass(0.4 * mu) - log_mass(mu), abs=1e-7)


@pytest.mark.parametrize(("x", "mean", "variance"), [(0, 10, 30), (5, 20, 60), (40, 100, 900), (3, 8, 9)])
def test_the_deviance_bounds_the_odds_of_a_tail(x: int, mean: float, variance: float) -> None:
    size, drawn = mean**2 / (variance - mean), np.random.default_rng(1)
    counts = drawn.negative_binomial(size, size / (size + mean), 200_000)
    arrays = np.array([x]), np.array([mean]), np.array([variance])
    assert (counts <= x).mean() <= math.exp(-lower_deviance(*arrays)[0]) * 1.05
    assert upper_deviance(*arrays)[0] == 0


def test_false_alarms_of_the_ideal_case_are_fewer_than_the_bound() -> None:
    """With the true parameters, exp(h) bounds the mean run length of Page's test from below."""
    draw = np.random.default_rng(0)
    counts = draw.negative_binomial(3 / 5, 1 / 6, (1000, 600)).astype(float)
    mu, c = np.full(counts.shape, 3.0), np.full(counts.shape, 6.0)
    step = log_likelihood_ratio(counts, mu, c, 0.05)
    score, highest = np.zeros(1000), np.zeros(1000)
    for at in range(600):
        score = np.maximum(score + step[:, at], 0)
        highest = np.maximum(highest, score)
    assert (highest > math.log(1e5)).mean() < 600 / 1e5


def test_nineteen_counts_in_twenty_lie_within_the_bounds() -> None:
    draw = np.random.default_rng(2)
    counts = draw.negative_binomial(40 / 5, 1 / 6, 50_000)
    low, high = bounds(np.array([40.0]), np.array([240.0]))
    assert ((counts >= low) & (counts <= high)).mean() == pytest.approx(0.95, abs=0.015)
