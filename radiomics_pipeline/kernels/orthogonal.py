"""Columns of a design made orthogonal to others: no coefficient of theirs changes by it, and a sum of others shows."""

from __future__ import annotations

import numpy as np
from numba import njit

LEFT = 1e-6
"""Share of a column's spread that must be left beside the others."""


@njit(cache=True, nogil=True)
def dot(a, b):
    """Sum of products, in four parts: a single one would wait for each addition."""
    s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
    whole = a.size - a.size % 4
    for i in range(0, whole, 4):
        s0 += a[i] * b[i]
        s1 += a[i + 1] * b[i + 1]
        s2 += a[i + 2] * b[i + 2]
        s3 += a[i + 3] * b[i + 3]
    for i in range(whole, a.size):
        s0 += a[i] * b[i]
    return (s0 + s1) + (s2 + s3)


@njit(cache=True, nogil=True)
def orthogonalise(x, basis, used):
    """Take the mean and the first `used` rows of the basis out of x and give it mean square 1, in place.

    returns : the root mean square that was left, 0 where it is none
    """
    n = x.size
    largest = np.abs(x).max()
    x -= x.mean()
    before = np.sqrt(dot(x, x) / n)
    if not before > 1e-13 * largest or before == 0.0:
        return 0.0
    x /= before
    for _ in range(2):
        for j in range(used):
            share = dot(x, basis[j]) / n
            for i in range(n):
                x[i] -= share * basis[j, i]
    left = np.sqrt(dot(x, x) / n)
    if left < LEFT:
        return 0.0
    x /= left
    return before * left
