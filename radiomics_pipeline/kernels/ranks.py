"""Ranks of many columns, and their correlation with the ranks of an outcome."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def _centred(x):
    """Mid-ranks less their mean, the order of x, and the sums of t (t - 1) and t (t - 1) (t - 2) over ties."""
    n = x.size
    order = np.argsort(x)
    ranks = np.empty(n)
    pairs, triples = 0.0, 0.0
    start = 0
    while start < n:
        stop = start
        while stop < n and x[order[stop]] == x[order[start]]:
            stop += 1
        middle = 0.5 * (start + stop - n)
        for place in range(start, stop):
            ranks[order[place]] = middle
        size = float(stop - start)
        pairs += size * (size - 1.0)
        triples += size * (size - 1.0) * (size - 2.0)
        start = stop
    return ranks, order, pairs, triples


@njit(cache=True, nogil=True)
def _pull(x, order, weights):
    """Of every row half the weights of the rows above it less those below it; float64 [rows]."""
    n = x.size
    out = np.empty(n)
    total = weights.sum()
    below = 0.0
    start = 0
    while start < n:
        stop = start
        level = 0.0
        while stop < n and x[order[stop]] == x[order[start]]:
            level += weights[order[stop]]
            stop += 1
        for place in range(start, stop):
            out[order[place]] = 0.5 * (total - level - 2.0 * below)
        below += level
        start = stop
    return out


@njit(cache=True, nogil=True)
def centred_ranks(values):
    """Mid-ranks of every column less their mean, with the column's rows and sums over its ties.

    values : float64 [columns, rows], NaN where missing
    returns : ranks float64 [columns, rows], NaN where missing; float64 [columns, 3]: rows, sums of t (t - 1) and of
        t (t - 1) (t - 2) over the groups of t equal values
    """
    ranks = np.full(values.shape, np.nan)
    counts = np.zeros((values.shape[0], 3))
    for c in range(values.shape[0]):
        kept = np.flatnonzero(~np.isnan(values[c]))
        found, _, pairs, triples = _centred(values[c][kept])
        for place in range(kept.size):
            ranks[c, kept[place]] = found[place]
        counts[c, 0], counts[c, 1], counts[c, 2] = kept.size, pairs, triples
    return ranks, counts


@njit(cache=True, nogil=True)
def rank_correlation(values, against, group, n_groups):
    """Spearman's correlation of every column with one outcome, its variance and the score test over patients.

    values : float64 [columns, rows]; a NaN cell leaves its row out of that column, and out of the outcome's ranks
    against : float64 [rows]; group : int64 [rows], the patient of each row, 0..n_groups - 1
    returns : float64 [columns, 4]: correlation, its variance, score statistic, rows

    Variance: infinitesimal jackknife over patients, with what a row does to the ranks of the others. Score statistic:
    the squared sum of the products of ranks over the sum of the patients' squared sums.
    """
    out = np.full((values.shape[0], 4), np.nan)
    for c in range(values.shape[0]):
        kept = ~np.isnan(values[c])
        x = values[c][kept]
        y = against[kept]
        of_row = group[kept]
        n = x.size
        out[c, 3] = n
        if n < 2:
            continue
        a, order_x, _, _ = _centred(x)
        b, order_y, _, _ = _centred(y)
        xx, yy, xy = (a * a).sum(), (b * b).sum(), (a * b).sum()
        if xx == 0.0 or yy == 0.0:
            continue
        rho = xy / np.sqrt(xx * yy)
        out[c, 0] = min(max(rho, -1.0), 1.0)
        of_xy = a * b + _pull(x, order_x, b) + _pull(y, order_y, a)
        of_xx = a * a + 2.0 * _pull(x, order_x, a)
        of_yy = b * b + 2.0 * _pull(y, order_y, b)
        influence = of_xy / np.sqrt(xx * yy) - 0.5 * rho * (of_xx / xx + of_yy / yy)
        of_patient, scores, present = np.zeros(n_groups), np.zeros(n_groups), np.zeros(n_groups, np.bool_)
        for i in range(n):
            of_patient[of_row[i]] += influence[i]
            scores[of_row[i]] += a[i] * b[i]
            present[of_row[i]] = True
        n_present = present.sum()
        if n_present > 1:
            out[c, 1] = (of_patient * of_patient).sum() * n_present / (n_present - 1.0)
        spread = (scores * scores).sum()
        if spread > 0.0:
            out[c, 2] = xy * xy / spread
    return out
