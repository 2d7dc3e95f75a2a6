"""Areas under the ROC curve of many columns, with what their variances need."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def _tie_sum(x):
    """Sum of t^3 - t over the groups of t equal values of x, float64 [rows] without NaN."""
    ordered = np.sort(x)
    total = 0.0
    start = 0
    for i in range(1, ordered.size + 1):
        if i == ordered.size or ordered[i] != ordered[start]:
            t = float(i - start)
            total += t * t * t - t
            start = i
    return total


@njit(cache=True, nogil=True)
def _wins(x, positive):
    """Of every row, how many pairs of a positive and a negative the positive wins; a tie is half a win."""
    wins = np.zeros(x.size)
    for i in range(x.size):
        if not positive[i]:
            continue
        for j in range(x.size):
            if positive[j] or x[i] < x[j]:
                continue
            win = 1.0 if x[i] > x[j] else 0.5
            wins[i] += win
            wins[j] += win
    return wins


@njit(cache=True, nogil=True)
def _variance(excess, positive, group, n_groups):
    """Obuchowski's variance of an area, from each row's placement less the area."""
    m = float(positive.sum())
    n = float(positive.size - positive.sum())
    with_positive = np.zeros(n_groups, np.bool_)
    with_negative = np.zeros(n_groups, np.bool_)
    of_positive = np.zeros(n_groups)
    of_negative = np.zeros(n_groups)
    for i in range(positive.size):
        if positive[i]:
            with_positive[group[i]] = True
            of_positive[group[i]] += excess[i]
        else:
            with_negative[group[i]] = True
            of_negative[group[i]] += excess[i]
    n_positive = with_positive.sum()
    n_negative = with_negative.sum()
    n_any = (with_positive | with_negative).sum()
    if n_positive < 2 or n_negative < 2:
        return np.nan
    s10 = n_positive / ((n_positive - 1.0) * m) * (of_positive**2).sum()
    s01 = n_negative / ((n_negative - 1.0) * n) * (of_negative**2).sum()
    s11 = n_any / (n_any - 1.0) * (of_positive * of_negative).sum()
    return max(s10 / m + s01 / n + 2.0 * s11 / (m * n), 0.0)


@njit(cache=True, nogil=True)
def auc_columns(values, positive, group, n_groups):
    """Area under the ROC curve of every column, its variance and the tie sum of its ranks.

    values : float64 [columns, rows]; NaN cells are left out, column by column
    positive : bool [rows]
    group : int64 [rows], the patient of each row, 0..n_groups - 1
    returns : float64 [columns, 5]: area, variance, positives, negatives, sum of t^3 - t over tied values

    The variance is Obuchowski's for clustered rows (Biometrics 1997;53:567, doi 10.2307/2533958), which
    is DeLong's (Biometrics 1988;44:837, doi 10.2307/2531595) where every patient has one row.
    """
    out = np.full((values.shape[0], 5), np.nan)
    for c in range(values.shape[0]):
        kept = ~np.isnan(values[c])
        x = values[c][kept]
        is_positive = positive[kept]
        m = is_positive.sum()
        n = x.size - m
        out[c, 2] = m
        out[c, 3] = n
        out[c, 4] = _tie_sum(x)
        if m == 0 or n == 0:
            continue
        wins = _wins(x, is_positive)
        area = wins[is_positive].sum() / (float(m) * n)
        out[c, 0] = area
        excess = np.where(is_positive, wins / n, wins / m) - area
        out[c, 1] = _variance(excess, is_positive, group[kept], n_groups)
    return out
