"""Single passes over the intensities of a region."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def find_range(image, mask):
    """Lowest and highest intensity in a mask; inf and -inf where it is empty.

    image : float64 [n]; mask : bool [n]
    """
    low, high = np.inf, -np.inf
    for i in range(len(image)):
        if mask[i]:
            low, high = min(low, image[i]), max(high, image[i])
    return low, high


@njit(cache=True, nogil=True)
def keep_range(image, mask, low, high):
    """The voxels of a mask whose intensities lie from low to high, both included, and their number.

    image : float64 [n]; mask : bool [n]
    returns : bool [n], int
    """
    kept = np.empty(len(image), np.bool_)
    count = 0
    for i in range(len(image)):
        kept[i] = mask[i] & (image[i] >= low) & (image[i] <= high)
        count += kept[i]
    return kept, count


@njit(cache=True, nogil=True)
def count_steps(image, mask, origin, factor, width, highest):
    """Number each intensity x in a mask: floor(factor (x - origin) / width) + 1, or the nearest of 1..highest.

    image : float64 [n]; mask : bool [n]
    returns : int32 [n], 0 outside the mask
    """
    levels = np.empty(len(image), np.int32)
    last = np.float64(highest - 1)
    for i in range(len(image)):
        step = factor * (image[i] - origin) / width
        step = step if step > 0.0 else 0.0  # which NaN is not: counts by level rely on 1..highest
        step = step if step < last else last
        levels[i] = np.int32(step) + 1 if mask[i] else 0
    return levels


@njit(cache=True, nogil=True)
def level_between(values, places, edges, size):
    """The last edge that each value does not lie below, counted from 1.

    Edges stand about as far apart as each other: where a value lies is first guessed, then made right.

    values : float64 [n], none below the first edge; places : int64 [n], index of each voxel in the image
    edges : float64 [levels], ascending; size : voxels of the image
    returns : int32 [size], the level of each voxel, 0 where there is no value; int64 [levels + 1], voxels of each level
    """
    levels, counts = np.zeros(size, np.int32), np.zeros(len(edges) + 1, np.int64)
    last = len(edges) - 1
    width = edges[last] - edges[0]
    scale = last / width if width > 0 else 0.0
    for k in range(len(values)):
        x = values[k]
        at = min(max(np.int64((x - edges[0]) * scale), 0), last)
        while at > 0 and x < edges[at]:
            at -= 1
        while at < last and x >= edges[at + 1]:
            at += 1
        levels[places[k]] = at + 1
        counts[at + 1] += 1
    return levels, counts


@njit(cache=True, nogil=True)
def sum_deviations(values, centre, scale, middle):
    """Sums over values of what their spread is computed from; by blocks, so that little is lost of small terms.

    values : float64 [n]
    returns : float64 [6], sums of |d|, d^2, d^3 and d^4 with d = (value - centre) / scale, of |value - middle| and of
        value^2
    """
    sums = np.zeros(6)
    for start in range(0, len(values), 1024):
        absolute, second, third, fourth, around, square = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for value in values[start : start + 1024]:
            d = (value - centre) / scale
            dd = d * d
            absolute += abs(d)
            second += dd
            third += dd * d
            fourth += dd * dd
            around += abs(value - middle)
            square += value * value
        sums += np.array([absolute, second, third, fourth, around, square])
    return sums


@njit(cache=True, nogil=True)
def count_levels(levels, highest):
    """Number of voxels of each level.

    levels : int32 [n], 0..highest
    returns : int64 [highest + 1]
    """
    # four counts side by side: a voxel need not wait until its neighbour of the same level is counted
    counts = np.zeros((4, highest + 1), np.int64)
    whole = len(levels) - len(levels) % 4
    for i in range(0, whole, 4):
        counts[0, levels[i]] += 1
        counts[1, levels[i + 1]] += 1
        counts[2, levels[i + 2]] += 1
        counts[3, levels[i + 3]] += 1
    for i in range(whole, len(levels)):
        counts[0, levels[i]] += 1
    return counts.sum(axis=0)
