"""Systems of equations with a symmetric positive definite matrix."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def solve(matrix, right, relative, absolute):
    """Solution of matrix x = right, float64 [d], and whether there is one.

    matrix : float64, of which the lower half of the first d rows and columns is read
    relative, absolute : share of its diagonal, and number, that each pivot must exceed for the matrix to count as
        positive definite
    """
    d = right.size
    low = np.zeros((d, d))
    x = right.copy()
    for j in range(d):
        for i in range(j, d):
            total = matrix[i, j]
            for k in range(j):
                total -= low[i, k] * low[j, k]
            if i > j:
                low[i, j] = total / low[j, j]
            elif total > relative * matrix[j, j] and total > absolute:
                low[j, j] = np.sqrt(total)
            else:
                return x, False
    for i in range(d):
        for k in range(i):
            x[i] -= low[i, k] * x[k]
        x[i] /= low[i, i]
    for i in range(d - 1, -1, -1):
        for k in range(i + 1, d):
            x[i] -= low[k, i] * x[k]
        x[i] /= low[i, i]
    return x, True
