"""Score tests of Cox models of one column each, for many columns; and the partial likelihood of given risks."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def score_columns(values, time, event, group, n_groups):
    """Score of every column at coefficient 0, and its variance robust to rows that share a patient.

    values : float64 [columns, rows], rows in order of falling time; NaN cells are left out, column by column
    time, event : float64, bool [rows]
    group : int64 [rows], the patient of each row, 0..n_groups - 1
    returns : float64 [columns, 2]: score, sum over patients of the squared sum of their score residuals

    Lin and Wei, JASA 1989;84:1074, doi 10.1080/01621459.1989.10478874; Lee, Wei and Amato 1992.
    """
    n_columns = values.shape[0]
    out = np.full((n_columns, 2), np.nan)
    for c in range(n_columns):
        kept = ~np.isnan(values[c])
        x = values[c][kept]
        t = time[kept]
        d = event[kept]
        g = group[kept]
        n = x.size
        if n < 2 or d.sum() == 0 or x.max() == x.min():
            continue
        x = x - x.mean()
        residual = np.zeros(n)
        total = 0.0
        start = 0
        while start < n:
            stop = start
            deaths = 0
            while stop < n and t[stop] == t[start]:
                total += x[stop]
                deaths += d[stop]
                stop += 1
            mean = total / stop
            if deaths:
                for i in range(stop):
                    residual[i] -= deaths / stop * (x[i] - mean)
                for i in range(start, stop):
                    if d[i]:
                        residual[i] += x[i] - mean
            start = stop
        by_patient = np.zeros(n_groups)
        for i in range(n):
            by_patient[g[i]] += residual[i]
        out[c, 0] = by_patient.sum()
        out[c, 1] = (by_patient**2).sum()
    return out


@njit(cache=True, nogil=True)
def partial_likelihood(risks, time, event):
    """Log partial likelihood (Breslow) of several sets of log relative hazards.

    risks : float64 [sets, rows], rows in order of falling time
    time, event : float64, bool [rows]
    returns : float64 [sets]
    """
    n_sets, n = risks.shape
    out = np.zeros(n_sets)
    for s in range(n_sets):
        top = risks[s].max()
        total = 0.0
        start = 0
        while start < n:
            stop = start
            while stop < n and time[stop] == time[start]:
                total += np.exp(risks[s, stop] - top)
                stop += 1
            for i in range(start, stop):
                if event[i]:
                    out[s] += risks[s, i] - top - np.log(total)
            start = stop
    return out
