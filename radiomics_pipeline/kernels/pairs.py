"""Pairs of neighbouring grey levels."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def count_pairs(levels, dz, dy, dx, n_levels):
    """Count the grey-level pairs that lie one step (dz, dy, dx) apart.

    levels : int32 [z, y, x], 1..n_levels in the region, 0 outside it
    returns : int64 [n_levels, n_levels], first level by second, not symmetric
    """
    nz, ny, nx = levels.shape
    counts = np.zeros((n_levels, n_levels), np.int64)
    for z in range(max(0, -dz), min(nz, nz - dz)):
        for y in range(max(0, -dy), min(ny, ny - dy)):
            for x in range(max(0, -dx), min(nx, nx - dx)):
                first, second = levels[z, y, x], levels[z + dz, y + dy, x + dx]
                if first and second:
                    counts[first - 1, second - 1] += 1
    return counts
