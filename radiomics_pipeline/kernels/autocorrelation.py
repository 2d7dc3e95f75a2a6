"""Sums over all pairs of voxels."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def sum_pairs(positions_mm, values):
    """Sums over all ordered pairs of voxels, weighted with the inverse of their distance.

    positions_mm : float64 [n, 3], no two alike
    values : float64 [n]
    returns : float64 [3], sums of w, of w a b and of w (a - b)^2
    """
    weight_sum, product_sum, difference_sum = 0.0, 0.0, 0.0
    for i in range(len(values)):
        weights, products, differences = 0.0, 0.0, 0.0
        for j in range(i):
            dz = positions_mm[i, 0] - positions_mm[j, 0]
            dy = positions_mm[i, 1] - positions_mm[j, 1]
            dx = positions_mm[i, 2] - positions_mm[j, 2]
            w = 1.0 / np.sqrt(dz * dz + dy * dy + dx * dx)
            weights += w
            products += w * values[j]
            differences += w * (values[i] - values[j]) ** 2
        weight_sum += weights
        product_sum += products * values[i]
        difference_sum += differences
    return 2.0 * np.array([weight_sum, product_sum, difference_sum])
