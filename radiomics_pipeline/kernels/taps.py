"""Weighted sums of neighbouring voxels along an axis."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def weigh_along(image, axis, taps, places, early):
    """Sums of as many voxels in a row as there are taps, the last of them with the first weight; only whole rows.

    Products are added in the order of the taps, in the image's type, but for those that go early.

    image : float32 or float64 [z, y, x]; taps : of the same type [n]
    places : int64 [m], the rows of voxels along the axis by their indices; -1 for one of zeros
    early : int64 [m - n + 1], with how many taps each sum begins, the last of them first
    returns : the image's type and shape, m - n + 1 along the axis
    """
    nz, ny, nx = image.shape
    less = len(taps) - 1
    wanted = len(places) - less
    if axis == 0:
        result = np.zeros((wanted, ny, nx), image.dtype)
    elif axis == 1:
        result = np.zeros((nz, wanted, nx), image.dtype)
    else:
        result = np.zeros((nz, ny, wanted), image.dtype)
    line = np.zeros(len(places), image.dtype)
    for z in range(result.shape[0]):
        for y in range(result.shape[1]):
            target = result[z, y]
            if axis == 2:
                for k in range(len(places)):
                    line[k] = image[z, y, places[k]] if places[k] >= 0 else 0.0
                for j in range(less + 1):
                    _add(target, taps[j], line[less - j : less - j + wanted])
                _begin_early(target, taps, line, early)
            else:
                k = z if axis == 0 else y
                for t in range(less + 1):
                    j = early[k] - 1 - t if t < early[k] else t
                    at = places[k + less - j]
                    if at >= 0:
                        _add(target, taps[j], image[at, y] if axis == 0 else image[z, at])
    return result


@njit(cache=True, nogil=True)
def _add(target, weight, source):
    """Add a row of voxels times a weight."""
    for x in range(len(target)):
        target[x] += weight * source[x]


@njit(cache=True, nogil=True)
def _begin_early(target, taps, line, early):
    """Sum those of a row anew that do not begin with the first tap."""
    less = len(taps) - 1
    for x in range(len(target)):
        if early[x] > 1:
            target[x] = 0.0
            for t in range(less + 1):
                j = early[x] - 1 - t if t < early[x] else t
                target[x] += taps[j] * line[x + less - j]
