"""The cut of a score that parts fates best, with p values that know of the search for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from radiomics_pipeline.errors import ParamsError, TableError
from radiomics_pipeline.stats.cox import empty_residuals
from radiomics_pipeline.stats.permutation_p import permutation_p

CHUNK = 250
"""Arrangements in memory at a time."""
ROUNDING = 1e-12


@dataclass(frozen=True)
class MaximallySelected:
    """The best cut of a score and every cut that was tried.

    cut : the upper group is above it; NaN where no cut is allowed or no fate differs
    statistic : the largest standardised difference between the groups; NaN likewise
    upper_worse : whether the upper group had more than its share of events
    p_1992 : of the limiting process between the limits (Lausen and Schumacher)
    p_1994 : of the improved Bonferroni inequality over the cuts tried (Lausen)
    p_permutation : share of arrangements as extreme; NaN where none were drawn
    cuts, statistics : float64 [cuts], values at which groups were parted, and the standardised differences
    sizes : int64 [cuts], rows at or below each
    reason : why there is no cut; empty where there is one
    """

    cut: float
    statistic: float
    upper_worse: bool
    p_1992: float
    p_1994: float
    p_permutation: float
    cuts: np.ndarray
    statistics: np.ndarray
    sizes: np.ndarray
    reason: str = ""

    @property
    def p(self) -> float:
        """That of the permutations, exact; without them the smaller of the two bounds, at most 1."""
        if not np.isnan(self.p_permutation):
            return self.p_permutation
        return float(min(self.p_1992, self.p_1994)) if not self.reason else float("nan")


def maximally_selected_log_rank(
    values: np.ndarray,
    time: np.ndarray,
    event: np.ndarray,
    *,
    limits: tuple[float, float] = (0.1, 0.9),
    permutations: int = 0,
    seed: int = 0,
) -> MaximallySelected:
    """The cut with the largest standardised sum of log-rank scores, for times to an event.

    values : float64 [rows], finite; time, event : float64, bool [rows]; the rest as in `maximally_selected`

    Scores are events less those expected by the curve of all rows, ties after Efron, rows censored at an event time at
    risk at it. R's maxstat counts the latter as gone before it, so that its statistic differs where times tie.
    """
    return maximally_selected(values, empty_residuals(time, event), limits=limits, permutations=permutations, seed=seed)


def maximally_selected(
    values: np.ndarray,
    fates: np.ndarray,
    *,
    limits: tuple[float, float] = (0.1, 0.9),
    permutations: int = 0,
    seed: int = 0,
) -> MaximallySelected:
    """The cut with the largest standardised linear rank statistic.

    values : float64 [rows], the score to cut, finite; fates : float64 [rows], what differs between rows, more is worse
    limits : shares of the rows, between which the lower group must hold
    permutations : arrangements of the fates drawn; their p is exact whatever the number of rows and ties

    Given values and fates, the sum of fates of a lower group of m rows has mean and variance known from all
    arrangements; the statistic is the difference from the mean over the standard deviation. Of equally good cuts the
    lowest is taken. Lausen and Schumacher, Biometrics 1992;48:73, doi 10.2307/2532740; Hothorn and Lausen, Comput Stat
    Data Anal 2003;43:121, doi 10.1016/S0167-9473(02)00225-6.

    Raises ParamsError for limits that are none, TableError where values are missing or do not match.
    """
    score, worth = np.asarray(values, np.float64), np.asarray(fates, np.float64)
    low, high = limits
    if not 0 < low < high < 1:
        raise ParamsError(f"limits {low:g} and {high:g}; give shares of the rows, 0 < lower < upper < 1")
    if score.shape != worth.shape or score.ndim != 1 or not np.isfinite(score).all() or not np.isfinite(worth).all():
        raise TableError(f"scores of shape {score.shape} and fates of {worth.shape} must match and be finite")
    n, order = len(score), np.argsort(score, kind="stable")
    ordered, moved = score[order], worth[order]
    below = np.arange(1, n)
    allowed = (ordered[1:] > ordered[:-1]) & (below >= low * n - ROUNDING * n) & (below <= high * n + ROUNDING * n)
    sizes = below[allowed].astype(np.int64)
    reason = _why_none(sizes, worth, limits)
    if reason:
        nan, none = float("nan"), np.zeros(0)
        return MaximallySelected(nan, nan, False, nan, nan, nan, none, none, sizes[:0], reason)
    differences = _standardised(moved, sizes)
    statistics = np.abs(differences)
    best = int(np.argmax(np.round(statistics, 12)))
    largest = float(statistics[best])
    return MaximallySelected(
        cut=float(ordered[sizes[best] - 1]),
        statistic=largest,
        upper_worse=bool(differences[best] < 0),
        p_1992=lausen_schumacher_p(largest, low, high),
        p_1994=lausen_p(largest, n, sizes),
        p_permutation=_permuted(moved, sizes, largest, permutations, seed),
        cuts=ordered[sizes - 1],
        statistics=statistics,
        sizes=sizes,
    )


def lausen_schumacher_p(statistic: float, low: float, high: float) -> float:
    """Probability that a standardised Brownian bridge between the shares `low` and `high` exceeds this anywhere.

    Miller and Siegmund, Biometrics 1982;38:1011, doi 10.2307/2529881. An approximation for small p; at most 1.
    """
    density = np.exp(-(statistic**2) / 2) / np.sqrt(2 * np.pi)
    width = np.log(high * (1 - low) / ((1 - high) * low))
    if statistic <= 1:  # the approximation is of large statistics, and falls again below this
        return 1.0
    return float(min(1.0, density * (4 / statistic + (statistic - 1 / statistic) * width)))


def lausen_p(statistic: float, n: int, sizes: np.ndarray) -> float:
    """Bound from neighbouring cuts' correlation: one cut's p, and for every other one what it adds to the one before.

    n : rows; sizes : int64 [cuts], rising, rows below each
    Lausen, Lehmacher and Sauerbrei, in: Dirschedl and Ostermann, Computational Statistics, Physica 1994, p 483;
    Worsley, Biometrika 1982;69:297, doi 10.1093/biomet/69.2.297. At most 1.
    """
    before, after = sizes[:-1].astype(np.float64), sizes[1:].astype(np.float64)
    apart = np.sqrt(1 - before * (n - after) / (after * (n - before)))
    added = np.exp(-(statistic**2) / 2) / np.pi * (apart - (statistic**2 / 4 - 1) * apart**3 / 6)
    return float(min(1.0, 2 * ndtr(-statistic) + np.maximum(added, 0).sum()))


def _why_none(sizes: np.ndarray, worth: np.ndarray, limits: tuple[float, float]) -> str:
    if not len(worth) or np.ptp(worth) == 0:
        return "no fate differs from another"
    if not len(sizes):
        return f"no two scores differ between the shares {limits[0]:g} and {limits[1]:g} of the rows"
    return ""


def _standardised(fates: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Sum of the first rows' fates less its mean, over its standard deviation, float64 [..., cuts].

    fates : float64 [..., rows], in the order of the score
    """
    n, mean = fates.shape[-1], fates.mean(axis=-1, keepdims=True)
    sums = np.cumsum(fates, axis=-1)[..., sizes - 1]
    variance = fates.var(axis=-1, ddof=1, keepdims=True) * sizes * (n - sizes) / n
    return np.asarray((sums - sizes * mean) / np.sqrt(variance))


def _permuted(fates: np.ndarray, sizes: np.ndarray, largest: float, permutations: int, seed: int) -> float:
    if not permutations:
        return float("nan")
    rng = np.random.default_rng(seed)
    null = np.empty(permutations)
    for start in range(0, permutations, CHUNK):
        several = np.tile(fates, (min(CHUNK, permutations - start), 1))
        null[start : start + CHUNK] = np.abs(_standardised(rng.permuted(several, axis=1), sizes)).max(axis=1)
    return float(permutation_p(largest, null))
