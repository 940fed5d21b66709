"""Counts that come in bursts: negative-binomial likelihoods, tails and ranges, in numpy alone.

A count of mean `mu` and variance `c * mu` with a fixed `c` adds up over bins (a Lévy process): silence over one hour
weighs the same in one bin as in twelve, so that no window has to be chosen.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streams.alerts.arrays import Floats

_SHIFT: Final = 8
_TINY: Final = 1e-300


def log_gamma(z: Floats) -> Floats:
    """ln Γ(z) for z > 0, to about 1e-12 (Abramowitz and Stegun 6.1.15 and 6.1.41)."""
    below = np.array(z, dtype=np.float64)
    product = below.copy()
    for n in range(1, _SHIFT):
        product *= below + n
    w = below + _SHIFT
    square = 1 / (w * w)
    series = (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680))) / w
    return np.asarray((w - 0.5) * np.log(w) - w + 0.5 * np.log(2 * np.pi) + series - np.log(product))


def log_likelihood_ratio(x: Floats, mu: Floats, c: Floats, share: float) -> Floats:
    """ln f(x; share * mu) - ln f(x; mu) in nats, for counts x of variance c times their mean, c > 1.

    x and mu have one shape of one axis or more, c one that fits it.
    """
    normal = np.asarray(mu / (c - 1), dtype=np.float64)
    fewer = share * normal
    ratio = (normal - fewer) * np.log(c)
    some = x > 0
    if some.any():
        here, more, less = x[some], normal[some], fewer[some]
        ratio[some] += log_gamma(here + less) - log_gamma(less) - log_gamma(here + more) + log_gamma(more)
    return ratio


def lower_deviance(x: Floats, mean: Floats, variance: Floats) -> Floats:
    """Chernoff's bound on -ln P(X <= x) in nats, 0 where x is above the mean: the odds are at most exp(-result).

    X is negative binomial with this mean and variance; a variance below 1.01 times the mean is taken as that.
    """
    return np.where(x < mean, _half_deviance(x, mean, variance), 0.0)


def upper_deviance(x: Floats, mean: Floats, variance: Floats) -> Floats:
    """Chernoff's bound on -ln P(X >= x) in nats, 0 where x is below the mean."""
    return np.where(x > mean, _half_deviance(x, mean, variance), 0.0)


def _half_deviance(x: Floats, mean: Floats, variance: Floats) -> Floats:
    mean = np.maximum(mean, 1e-9)
    size = mean**2 / (np.maximum(variance, 1.01 * mean) - mean)
    own = np.where(x > 0, x * np.log(np.maximum(x, _TINY) / mean), 0.0)
    return np.asarray(np.maximum(own - (x + size) * np.log((x + size) / (mean + size)), 0.0))


def information_per_login(c: Floats) -> Floats:
    """Nats that one expected login, not seen, speaks against normal: ln c / (c - 1). Bursts make it small."""
    return np.asarray(np.log(c) / (c - 1))


def bounds(mean: Floats, variance: Floats, z: float = 1.96) -> tuple[Floats, Floats]:
    """About 95 % of counts lie between these (z = 1.96): Wilson-Hilferty for the gamma of this mean and variance."""
    mean = np.maximum(mean, 1e-9)
    width = np.sqrt(np.maximum(variance, mean)) / (3 * mean)
    centre = 1 - width**2
    low, high = (mean * np.maximum(centre + side * z * width, 0) ** 3 for side in (-1, 1))
    return np.asarray(low), np.asarray(high)
