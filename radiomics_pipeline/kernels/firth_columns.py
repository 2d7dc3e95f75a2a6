"""Firth's logistic regression of many columns, each beside a constant and adjusting columns."""

from __future__ import annotations

import numpy as np
from numba import njit

from radiomics_pipeline.kernels.firth import firth_profile
from radiomics_pipeline.kernels.orthogonal import orthogonalise


@njit(cache=True, nogil=True)
def _whole_rows(column, adjust, used):
    """Int64 [n], rows with a value of the column and of every adjusting one used."""
    whole = ~np.isnan(column)
    for k in np.flatnonzero(used):
        whole &= ~np.isnan(adjust[k])
    return np.flatnonzero(whole)


@njit(cache=True, nogil=True)
def _design(column, adjust, used, kept):
    """A constant, the adjusting columns and the column, orthogonal to each other with mean square 1.

    returns : float64 [d, n]; the column's standard deviation (n - 1) over what is left of it, 0 where nothing is
    """
    design = np.ones((used.sum() + 2, kept.size))
    d = 1
    for k in np.flatnonzero(used):
        design[d] = adjust[k][kept]
        d += 1 if orthogonalise(design[d], design, d) > 0.0 else 0
    design[d] = column[kept]
    spread = np.sqrt(((design[d] - design[d].mean()) ** 2).sum() / (kept.size - 1))
    left = orthogonalise(design[d], design, d)
    return design[: d + 1], spread / left if left > 0.0 else 0.0


@njit(cache=True, nogil=True)
def firth_added(columns, event, adjust, used, drop):
    """Firth's regression of every column by itself, beside a constant and adjusting columns.

    columns : float64 [columns, rows], NaN where missing; event : bool [rows]
    adjust : float64 [k, rows], NaN where missing; used : bool [columns, k], which of them each model has
    drop : by how much the profile falls at an interval's ends
    returns : float64 [columns, 7]: coefficient per standard deviation (n - 1), its standard error, lower and upper end
        of the interval, statistic of the penalised likelihood ratio, rows, whether all iterations ended; NaN where the
        rows are no more than the coefficients or of one class, or the column is constant or a sum of the others
    """
    out = np.full((columns.shape[0], 7), np.nan)
    for c in range(columns.shape[0]):
        kept = _whole_rows(columns[c], adjust, used[c])
        y = event[kept].astype(np.float64)
        n, positive = kept.size, y.sum()
        out[c, 5], out[c, 6] = n, 0.0
        if n < 3 or positive in (0.0, float(n)):
            continue
        design, unit = _design(columns[c], adjust, used[c], kept)
        d = design.shape[0]
        if unit == 0.0 or n <= d:
            continue
        start = np.zeros(d)
        start[0] = np.log(positive / (n - positive))
        theta, found = firth_profile(design, y, start, drop)
        out[c, 0], out[c, 1] = theta[d - 1] * unit, found[0] * unit
        out[c, 2], out[c, 3] = found[1] * unit, found[2] * unit
        out[c, 4], out[c, 6] = found[3], found[5]
    return out
