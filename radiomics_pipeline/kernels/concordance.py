"""Harrell's C of many columns, with its variance."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def _places(x):
    """Dense ranks of x from 1, int64 [rows], and how many there are."""
    order = np.argsort(x)
    places = np.empty(x.size, np.int64)
    place = 0
    for k in range(x.size):
        if k == 0 or x[order[k]] != x[order[k - 1]]:
            place += 1
        places[order[k]] = place
    return places, place


@njit(cache=True, nogil=True)
def _add(tree, place):
    """Count one more row at this place; tree : float64 [places + 1], sums by Fenwick's scheme."""
    while place < tree.size:
        tree[place] += 1.0
        place += place & -place


@njit(cache=True, nogil=True)
def _up_to(tree, place):
    """Rows counted at this place and below."""
    total = 0.0
    while place > 0:
        total += tree[place]
        place -= place & -place
    return total


@njit(cache=True, nogil=True)
def _add_rows(tree, places, event, wanted, start, stop):
    """Count the rows from start to stop whose event is as wanted; how many there are."""
    found = 0.0
    for i in range(start, stop):
        if event[i] == wanted:
            _add(tree, places[i])
            found += 1.0
    return found


@njit(cache=True, nogil=True)
def _pairs(x, time, event):
    """Of every row, its comparable pairs, and how many of them are won; a tie is half a win. Rows by falling time.

    Each row is first the earlier one of its pairs (an event against those still followed), then the later one.
    """
    n = x.size
    wins, pairs = np.zeros(n), np.zeros(n)
    places, n_places = _places(x)
    later, n_later = np.zeros(n_places + 1), 0.0
    start = 0
    while start < n:
        stop = start
        while stop < n and time[stop] == time[start]:
            stop += 1
        n_later += _add_rows(later, places, event, False, start, stop)
        for i in range(start, stop):
            if event[i]:
                wins[i] += 0.5 * (_up_to(later, places[i] - 1) + _up_to(later, places[i]))
                pairs[i] += n_later
        n_later += _add_rows(later, places, event, True, start, stop)
        start = stop
    earlier, n_earlier = np.zeros(n_places + 1), 0.0
    while stop > 0:
        start = stop - 1
        while start > 0 and time[start - 1] == time[stop - 1]:
            start -= 1
        for turn in range(2):
            for i in range(start, stop):
                if event[i] == (turn == 0):
                    wins[i] += n_earlier - 0.5 * (_up_to(earlier, places[i] - 1) + _up_to(earlier, places[i]))
                    pairs[i] += n_earlier
            if turn == 0:
                n_earlier += _add_rows(earlier, places, event, True, start, stop)
        stop = start
    return wins, pairs


@njit(cache=True, nogil=True)
def concordance_columns(values, time, event, group, n_groups):
    """Harrell's C of every column, higher values meaning earlier events, and its variance.

    values : float64 [columns, rows], rows in order of falling time; NaN cells are left out, column by column
    time : float64 [rows], falling
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
