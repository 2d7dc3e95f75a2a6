"""Recursive filters of fourth order along the axes of an image, forwards and backwards."""

from __future__ import annotations

import numpy as np
from numba import njit

LANES = 24
"""Lines that are filtered side by side: wide enough for the processor's vectors, narrow enough for its first cache."""


@njit(cache=True, nogil=True)
def filter_along(image, begin, end, axis, low, high, forward, backward, feedback):
    """The sum of a causal and an anticausal filter along an axis of a box, whose ends go on for ever.

    Each output is the sum of products in the order written here, in float64, so that it has the digits of any other
    program that sums them so; only the result is rounded.

    image : float32 or float64 [z, y, x]
    begin, end : int64 [3], the box, of 4 voxels or more along the axis
    low, high : indices along the axis, from the box's corner, between which results are wanted
    forward : float64 [4], what the voxel and the three before it weigh; backward : the four behind it
    feedback : float64 [4], what the four results before are taken away by
    returns : float32, the box's shape with high - low along the axis
    """
    nz, ny, nx = end[0] - begin[0], end[1] - begin[1], end[2] - begin[2]
    n, wanted = end[axis] - begin[axis], high - low
    if axis == 0:
        result = np.empty((wanted, ny, nx), np.float32)
    elif axis == 1:
        result = np.empty((nz, wanted, nx), np.float32)
    else:
        result = np.empty((nz, ny, wanted), np.float32)
    data, there, back = np.zeros((n, LANES)), np.zeros((n, LANES)), np.zeros((n, LANES))
    slabs, lines = ny if axis == 0 else nz, ny if axis == 2 else nx
    for slab in range(slabs):
        for first in range(0, lines, LANES):
            start = max(0, min(first, lines - LANES))  # the last ones begin among those before, so that all are full
            lanes = min(LANES, lines)
            _gather(image, begin, axis, slab, start, lanes, data)
            _causal(data, forward, feedback, high, there)
            _anticausal(data, backward, feedback, low, back)
            _scatter(there, back, low, axis, slab, start, lanes, result)
    return result


@njit(cache=True, nogil=True)
def _gather(image, begin, axis, slab, start, lanes, data):
    """Some lines of a box side by side, from line `start` of a slab."""
    n = len(data)
    z, y, x = begin[0], begin[1], begin[2]
    if axis == 2:
        for lane in range(lanes):
            line = image[z + slab, y + start + lane][x : x + n]
            for i in range(n):
                data[i, lane] = line[i]
        return
    x += start
    for i in range(n):
        line, row = image[z + i, y + slab] if axis == 0 else image[z + slab, y + i], data[i]
        part = line[x : x + lanes]
        if len(part) == LANES:
            for lane in range(LANES):
                row[lane] = part[lane]
        else:
            for lane in range(lanes):
                row[lane] = part[lane]


@njit(cache=True, nogil=True)
def _scatter(there, back, low, axis, slab, start, lanes, result):
    """The sum of both directions from index `low` on, back in place."""
    n = result.shape[axis]
    if axis == 2:
        for lane in range(lanes):
            line = result[slab, start + lane]
            for i in range(n):
                line[i] = np.float32(there[low + i, lane] + back[low + i, lane])
        return
    for i in range(n):
        line = result[i, slab] if axis == 0 else result[slab, i]
        one, other = there[low + i], back[low + i]
        part = line[start : start + lanes]
        if len(part) == LANES:
            for lane in range(LANES):
                part[lane] = np.float32(one[lane] + other[lane])
        else:
            for lane in range(lanes):
                part[lane] = np.float32(one[lane] + other[lane])


@njit(cache=True, nogil=True)
def _causal(data, weights, feedback, until, found):
    """Forwards up to an index; before the first voxel lie others like it, and the results that they would have."""
    a, b, c, d = weights[0], weights[1], weights[2], weights[3]
    e, f, g, h = feedback[0], feedback[1], feedback[2], feedback[3]
    whole, rest = a + b + c + d, 1.0 + e + f + g + h
    e0, f0, g0, h0 = e * whole / rest, f * whole / rest, g * whole / rest, h * whole / rest
    for i in range(4):
        for lane in range(LANES):
            edge = data[0, lane]
            x1 = data[i - 1, lane] if i >= 1 else edge
            x2 = data[i - 2, lane] if i >= 2 else edge
            x3 = data[i - 3, lane] if i >= 3 else edge
            y = data[i, lane] * a + x1 * b + x2 * c + x3 * d
            y1 = found[i - 1, lane] * e if i >= 1 else edge * e0
            y2 = found[i - 2, lane] * f if i >= 2 else edge * f0
            y3 = found[i - 3, lane] * g if i >= 3 else edge * g0
            found[i, lane] = y - (y1 + y2 + y3 + edge * h0)
    for i in range(4, until):
        x0, x1, x2, x3 = data[i], data[i - 1], data[i - 2], data[i - 3]
        y0, y1, y2, y3, y4 = found[i], found[i - 1], found[i - 2], found[i - 3], found[i - 4]
        for lane in range(LANES):
            y = x0[lane] * a + x1[lane] * b + x2[lane] * c + x3[lane] * d
            y0[lane] = y - (y1[lane] * e + y2[lane] * f + y3[lane] * g + y4[lane] * h)


@njit(cache=True, nogil=True)
def _anticausal(data, weights, feedback, until, found):
    """Backwards down to an index, from the voxels behind each one; behind the last voxel lie others like it."""
    a, b, c, d = weights[0], weights[1], weights[2], weights[3]
    e, f, g, h = feedback[0], feedback[1], feedback[2], feedback[3]
    whole, rest = a + b + c + d, 1.0 + e + f + g + h
    e0, f0, g0, h0 = e * whole / rest, f * whole / rest, g * whole / rest, h * whole / rest
    n = len(data)
    for k in range(4):
        i = n - 1 - k
        for lane in range(LANES):
            edge = data[n - 1, lane]
            x1 = data[i + 1, lane] if k >= 1 else edge
            x2 = data[i + 2, lane] if k >= 2 else edge
            x3 = data[i + 3, lane] if k >= 3 else edge
            y = x1 * a + x2 * b + x3 * c + edge * d
            y1 = found[i + 1, lane] * e if k >= 1 else edge * e0
            y2 = found[i + 2, lane] * f if k >= 2 else edge * f0
            y3 = found[i + 3, lane] * g if k >= 3 else edge * g0
            found[i, lane] = y - (y1 + y2 + y3 + edge * h0)
    for i in range(n - 5, until - 1, -1):
        x1, x2, x3, x4 = data[i + 1], data[i + 2], data[i + 3], data[i + 4]
        y0, y1, y2, y3, y4 = found[i], found[i + 1], found[i + 2], found[i + 3], found[i + 4]
        for lane in range(LANES):
            y = x1[lane] * a + x2[lane] * b + x3[lane] * c + x4[lane] * d
            y0[lane] = y - (y1[lane] * e + y2[lane] * f + y3[lane] * g + y4[lane] * h)
