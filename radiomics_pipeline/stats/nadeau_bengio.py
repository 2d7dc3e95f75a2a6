"""Interval of a mean over cross-validation folds, whose training parts overlap."""

from __future__ import annotations

import numpy as np
from scipy.special import stdtrit


def corrected_interval(scores: np.ndarray, test_share: float, level: float = 0.95) -> tuple[float, float, float]:
    """Mean over folds with its corrected resampled t interval: mean, lower, upper.

    scores : float64 [folds of all repeats]; NaN scores are left out
    test_share : rows tested over rows trained on, 1 / (k - 1) for k folds

    The variance is s^2 (1 / folds + test_share): folds share training rows, so s^2 / folds would claim too
    much. NaN bounds with fewer than two scores, and where all are
    the same: an interval of no width would claim certainty. Nadeau and Bengio, Mach Learn 2003;52:239,
    doi 10.1023/A:1024068626366. The interval is not cut at 0 or 1.
    """
    kept = np.asarray(scores, np.float64)
    kept = kept[~np.isnan(kept)]
    if not len(kept):
        return float("nan"), float("nan"), float("nan")
    mean = float(np.mean(kept))
    if len(kept) < 2:
        return mean, float("nan"), float("nan")
    spread = float(np.var(kept, ddof=1)) * (1 / len(kept) + test_share)
    if spread == 0:
        return mean, float("nan"), float("nan")
    reach = float(stdtrit(len(kept) - 1, 0.5 + level / 2)) * spread**0.5
    return mean, mean - reach, mean + reach
