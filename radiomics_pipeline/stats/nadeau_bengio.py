"""Interval and test of a mean over cross-validation folds, whose training parts overlap.

Nadeau and Bengio, Mach Learn 2003;52:239, doi 10.1023/A:1024068626366; for repeated cross-validation Bouckaert and
Frank, PAKDD 2004, doi 10.1007/978-3-540-24775-3_3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from radiomics_pipeline.errors import ParamsError

NAN = float("nan")
ROUNDING = 1e-12
"""Spread, as a share of the largest score, below which scores differ by rounding only."""


@dataclass(frozen=True)
class ResampledT:
    """Corrected resampled t test of a mean difference.

    mean, lower, upper : of the differences; statistic, df : Student's t with its degrees of freedom
    p : two-sided. note : folds left out, or why a number is NaN
    """

    mean: float
    lower: float
    upper: float
    statistic: float
    df: int
    p: float
    n_folds: int
    note: str = ""


def corrected_interval(scores: np.ndarray, test_share: float, level: float = 0.95) -> tuple[float, float, float]:
    """Mean over folds with its corrected resampled t interval: mean, lower, upper.

    scores : float64 [folds of all repeats]; NaN scores are left out
    test_share : rows tested over rows trained on, 1 / (k - 1) for k folds

    The variance is s^2 (1 / folds + test_share): folds share training rows, so s^2 / folds would claim too much. NaN
    bounds with fewer than two scores, and where all are the same up to rounding: an interval of no width would claim
    certainty. The interval is not cut at 0 or 1.
    """
    kept = np.asarray(scores, np.float64)
    kept = kept[~np.isnan(kept)]
    if not len(kept):
        return NAN, NAN, NAN
    mean, error = _mean_error(kept, test_share, float(np.abs(kept).max()))
    reach = _quantile(len(kept), level) * error
    return mean, mean - reach, mean + reach


def corrected_t_test(
    first: np.ndarray, second: np.ndarray, test_share: float, level: float = 0.95, *, margin: float = 0.0
) -> ResampledT:
    """Whether two models differ over the same folds: first less second.

    first, second : float64 [folds of all repeats], in the same order; a fold in which either is NaN is left out of both
    test_share : as in `corrected_interval`
    margin : difference that is tested against; the interval does not depend on it

    A p of 1 where the models score alike in every fold and no margin is asked for; NaN where they differ by one other
    number in all of them: there is no spread to judge it by. Scores pooled over the folds of a repeat are no folds.
    Raises ParamsError where the folds differ in number.
    """
    own, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if own.shape != other.shape or own.ndim != 1:
        raise ParamsError(f"scores of shape {own.shape} and {other.shape}; evaluate both with one set of folds")
    if test_share < 0:
        raise ParamsError(f"share of rows tested over rows trained on {test_share}; it cannot be negative")
    both = ~(np.isnan(own) | np.isnan(other))
    difference = own[both] - other[both]
    n = len(difference)
    lost = f"{len(both) - n} of {len(both)} folds lack a score" if n < len(both) else ""
    if n < 2:
        mean = float(difference[0]) if n else NAN
        return ResampledT(mean, NAN, NAN, NAN, max(n - 1, 0), NAN, n, _join(lost, "fewer than two folds"))
    size = float(max(np.abs(own[both]).max(), np.abs(other[both]).max()))
    mean, error = _mean_error(difference, test_share, size)
    if not np.isnan(error):
        statistic, reach = (mean - margin) / error, _quantile(n, level) * error
        p = float(2 * stdtr(n - 1, -abs(statistic)))
        return ResampledT(mean, mean - reach, mean + reach, statistic, n - 1, p, n, lost)
    if abs(mean) <= ROUNDING * size and margin == 0:
        return ResampledT(mean, NAN, NAN, 0.0, n - 1, 1.0, n, _join(lost, "equal in every fold"))
    return ResampledT(mean, NAN, NAN, NAN, n - 1, NAN, n, _join(lost, "the same difference in every fold"))


def _quantile(n: int, level: float) -> float:
    return float(stdtrit(n - 1, 0.5 + level / 2)) if n > 1 else NAN


def _mean_error(scores: np.ndarray, test_share: float, size: float) -> tuple[float, float]:
    """Mean and corrected standard error; the latter NaN where scores, near `size`, spread by no more than rounding."""
    mean = float(np.mean(scores))
    if len(scores) < 2 or np.ptp(scores) <= ROUNDING * size:
        return mean, NAN
    return mean, float(np.sqrt(np.var(scores, ddof=1) * (1 / len(scores) + test_share)))


def _join(*notes: str) -> str:
    return "; ".join(n for n in notes if n)
