"""Areas under the ROC curve of many columns, with what their variances need."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def _wins(x, positive):
    """Of every row, how many pairs of a positive and a negative the positive wins; a tie is half a win.

    x : float64 [rows], no NaN. returns : wins float64 [rows], sum of t^3 - t over the groups of t equal values
    """
    order = np.argsort(x)
    wins = np.zeros(x.size)
    ties = 0.0
    n_positive = float(positive.sum())
    positives_below = 0.0
    negatives_below = 0.0
    start = 0
    while start < x.size:
        stop = start
        positives = 0.0
        while stop < x.size and x[order[stop]] == x[order[start]]:
            positives += positive[order[stop]]
            stop += 1
        size = float(stop - start)
        for place in range(start, stop):
            row = order[place]
            if positive[row]:
                wins[row] = negatives_below + 0.5 * (size - positives)
            else:
                wins[row] = n_positive - positives_below - 0.5 * positives
        ties += size * size * size - size
        positives_below += positives
        negatives_below += size - positives
        start = stop
    return wins, ties


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
        wins, out[c, 4] = _wins(x, is_positive)
        if m == 0 or n == 0:
            continue
        area = wins[is_positive].sum() / (float(m) * n)
        out[c, 0] = area
        excess = np.where(is_positive, wins / n, wins / m) - area
        out[c, 1] = _variance(excess, is_positive, group[kept], n_groups)
    return out
