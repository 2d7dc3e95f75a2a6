"""Weighted sums of neighbouring voxels along an axis."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def weigh_along(image, axis, taps):
    """Sums of as many voxels in a row as there are taps, the last of them with the first weight; only whole rows.

    Products are added in the order of the taps, in the image's type.

    image : float32 or float64 [z, y, x]; taps : of the same type [n]
    returns : the image's type and shape, n - 1 less along the axis
    """
    nz, ny, nx = image.shape
    less = len(taps) - 1
    if axis == 0:
        result = np.zeros((nz - less, ny, nx), image.dtype)
    elif axis == 1:
        result = np.zeros((nz, ny - less, nx), image.dtype)
    else:
        result = np.zeros((nz, ny, nx - less), image.dtype)
    dz, dy, dx = int(axis == 0), int(axis == 1), int(axis == 2)
    for z in range(result.shape[0]):
        for y in range(result.shape[1]):
            target = result[z, y]
            for j in range(less + 1):
                tap, at = taps[j], less - j
                source = image[z + at * dz, y + at * dy][at * dx : at * dx + len(target)]
                for x in range(len(target)):
                    target[x] += tap * source[x]
    return result
