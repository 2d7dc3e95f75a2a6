"""Eigenvalues of small symmetric matrices."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

STEPS = 60
"""Halvings of an interval: what is left of it is less than a rounding error of its width."""
NOTHING = 1e-20
"""Share of a matrix that does not move its eigenvalues."""


@njit(cache=True, nogil=True)
def second_magnitudes(matrix, first, second, entries, count, n):
    """Of each symmetric matrix the larger magnitude of its lowest and its second highest eigenvalue.

    That is the second largest magnitude where the largest belongs to the highest eigenvalue.

    matrix : int64 [k], the matrix of each entry, ascending, 0..count - 1
    first, second : int64 [k], row and column, 0..n - 1; an entry beside the diagonal stands once
    entries : float64 [k]
    returns : float64 [count]; 0 for a matrix of one row
    """
    found = np.zeros(count)
    at = 0
    place = np.empty(n, np.int64)
    for m in range(count):
        start = at
        while at < len(matrix) and matrix[at] == m:
            at += 1
        place[:] = -1
        for k in range(start, at):
            place[first[k]] = place[second[k]] = 0
        size = 0
        for i in range(n):
            if place[i] == 0:
                place[i] = size
                size += 1
        if size < 2:
            continue
        full = np.zeros((size, size))
        for k in range(start, at):
            i, j = place[first[k]], place[second[k]]
            full[i, j] = full[j, i] = entries[k]
        diagonal, beside = _tridiagonal(full)
        lowest, below = _eigenvalues(diagonal, beside, 0, size - 2)
        found[m] = max(abs(lowest), abs(below))
    return found


@njit(cache=True, nogil=True)
def _tridiagonal(a):
    """Diagonal [n] and side [n - 1] of a tridiagonal matrix with the same eigenvalues, by Householder's reflections.

    a : float64 [n, n], symmetric, spoilt
    """
    n = len(a)
    diagonal, beside = np.empty(n), np.zeros(n - 1)
    nothing = 0.0
    for x in a.ravel():
        nothing += x * x
    nothing *= NOTHING * NOTHING
    for k in range(n - 1):
        diagonal[k] = a[k, k]
        rest = n - k - 1
        v = a[k, k + 1 :].copy()
        further = 0.0
        for x in v[1:]:
            further += x * x
        if further <= nothing:
            beside[k] = v[0]
            continue
        square = further + v[0] * v[0]
        beside[k] = -math.copysign(math.sqrt(square), v[0])
        v[0] -= beside[k]
        scale = 1.0 / (square - beside[k] * (v[0] + beside[k]))  # 2 / v'v
        part = a[k + 1 :, k + 1 :]
        w = np.zeros(rest)
        for i in range(rest):
            row, factor = part[i], v[i] * scale
            for j in range(rest):
                w[j] += row[j] * factor
        along = 0.0
        for i in range(rest):
            along += w[i] * v[i]
        along *= scale / 2
        for i in range(rest):
            w[i] -= along * v[i]
        for i in range(rest):
            row, p, q = part[i], v[i], w[i]
            for j in range(rest):
                row[j] -= p * w[j] + q * v[j]
    diagonal[n - 1] = a[n - 1, n - 1]
    return diagonal, beside


@njit(cache=True, nogil=True)
def _eigenvalues(diagonal, beside, one, other):
    """Two eigenvalues of a tridiagonal matrix by their place from below, by halving intervals (Sturm's sequence).

    Both at once, since the quotients of neither wait for those of the other.
    """
    n = len(diagonal)
    low, high = np.inf, -np.inf
    for i in range(n):
        around = (abs(beside[i - 1]) if i else 0.0) + (abs(beside[i]) if i < n - 1 else 0.0)
        low, high = min(low, diagonal[i] - around), max(high, diagonal[i] + around)
    tiny = 1e-300 + 1e-32 * max(abs(low), abs(high))
    a, b, c, d = low, high, low, high
    for _ in range(STEPS):
        x, y = a + (b - a) / 2, c + (d - c) / 2
        below_x, below_y, p, q = 0, 0, 1.0, 1.0
        for i in range(n):
            square = beside[i - 1] * beside[i - 1] if i else 0.0
            p, q = diagonal[i] - x - square / p, diagonal[i] - y - square / q
            p, q = p if abs(p) > tiny else -tiny, q if abs(q) > tiny else -tiny
            below_x += p < 0
            below_y += q < 0
        a, b = (a, x) if below_x > one else (x, b)
        c, d = (c, y) if below_y > other else (y, d)
    return a + (b - a) / 2, c + (d - c) / 2
