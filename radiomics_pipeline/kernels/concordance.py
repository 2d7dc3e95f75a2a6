"""Harrell's C of many columns, with its variance."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def _pairs(x, time, event):
    """Of every row, its comparable pairs, and how many of them are won; a tie is half a win."""
    wins = np.zeros(x.size)
    pairs = np.zeros(x.size)
    for i in range(x.size):
        if not event[i]:
            continue
        for j in range(x.size):
            if time[j] < time[i] or (time[j] == time[i] and event[j]):
                continue
            win = 1.0 if x[i] > x[j] else (0.5 if x[i] == x[j] else 0.0)
            wins[i] += win
            wins[j] += win
            pairs[i] += 1.0
            pairs[j] += 1.0
    return wins, pairs


@njit(cache=True, nogil=True)
def concordance_columns(values, time, event, group, n_groups):
    """Harrell's C of every column, higher values meaning earlier events, and its variance.

    values : float64 [columns, rows]; NaN cells are left out, column by column
    time : float64 [rows]
    event : bool [rows]
    group : int64 [rows], the patient of each row, 0..n_groups - 1
    returns : float64 [columns, 5]: C, variance, comparable pairs, rows, events

    A pair is comparable where the earlier time is an event, or where times are equal and one of the two is
    an event (Harrell et al., Stat Med 1996;15:361). Equal values count one half. The variance is the
    infinitesimal jackknife over patients (Therneau and Atkinson, R package survival, "Concordance"):
    the squared influence of each patient, summed, times n / (n - 1).
    """
    out = np.full((values.shape[0], 5), np.nan)
    for c in range(values.shape[0]):
        kept = ~np.isnan(values[c])
        wins, pairs = _pairs(values[c][kept], time[kept], event[kept])
        n_pairs = pairs.sum() / 2.0
        out[c, 2] = n_pairs
        out[c, 3] = kept.sum()
        out[c, 4] = event[kept].sum()
        if n_pairs == 0:
            continue
        index = wins.sum() / 2.0 / n_pairs
        out[c, 0] = index
        influence = np.zeros(n_groups)
        present = np.zeros(n_groups, np.bool_)
        of_row = group[kept]
        for i in range(of_row.size):
            influence[of_row[i]] += (wins[i] - index * pairs[i]) / n_pairs
            present[of_row[i]] = True
        n_present = present.sum()
        if n_present > 1:
            out[c, 1] = (influence**2).sum() * n_present / (n_present - 1.0)
    return out
