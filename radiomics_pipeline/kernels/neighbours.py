"""What the neighbours of each voxel are like: sums for NGTDM and NGLDM."""

from __future__ import annotations

import numpy as np
from numba import njit

CHUNK = 1024
"""Voxels that are compared with their neighbours at a time, so that their sums stay in the fastest cache."""

APART = 29
"""Bits of a grey level where the levels of neighbours and their number are summed apart."""


@njit(cache=True, nogil=True)
def sum_neighbours(levels, values, steps, coarseness):
    """Grey-level differences to, and dependences on, the neighbours of all voxels, by grey level.

    Each chunk of voxels is compared with the chunks one step away, all of its voxels alike; the planes in reach are
    held padded with 0, so that no index is checked. A voxel inside the region is held as its grey level plus a large
    number: one sum then gives both the grey levels of the neighbours and how many there are, and what lies outside is
    like nothing inside. Where that sum has no room in 32 bits, levels and neighbours are summed apart, which takes
    longer. Sums and differences are whole numbers: no result depends on the order of voxels.

    levels : int32 [z, y, x], ranks 1..n of the grey levels in the region, 0 outside it
    values : float64 [n], the grey level of each rank, whole numbers from 1; OverflowError from 2^29 on
    steps : int64 [m, 3], one of each two opposite steps (dz, dy, dx); neighbours lie in both directions
    coarseness : int64, largest difference of grey levels that depend on one another
    returns : voxels int64 [n], number of voxels of each level with a neighbour inside the region;
        deviations float64 [n], sum over them of |level - mean level of the neighbours inside|;
        dependences int64 [n, 2 m + 1], number of all voxels of each level with k dependent neighbours inside
    """
    nz, ny, nx = levels.shape
    reach_z, reach_y, reach_x = np.abs(steps[:, 0]).max(), np.abs(steps[:, 1]).max(), np.abs(steps[:, 2]).max()
    row, depth = nx + reach_x, 2 * reach_z + 1
    plane = (ny + 2 * reach_y) * row + reach_x
    first, last = reach_y * row + reach_x, (reach_y + ny) * row
    widest = 2 * len(steps)
    together, shift = _layout(values.max(), widest)
    one, low = np.int32(1 << shift), np.int32((1 << shift) - 1)
    greys = np.zeros(len(values) + 1, np.int32)
    greys[1:] = values.astype(np.int32) + one
    held = np.zeros((depth, plane), np.int32)
    for z in range(min(reach_z, nz)):
        _hold(held[z % depth], levels[z], greys, first, row)
    dependences = np.zeros((len(values), widest + 1), np.int64)
    differences = np.zeros((len(values), widest + 1), np.int64)
    alone = np.zeros(len(values), np.int64)
    sums = np.empty((2, CHUNK), np.int32)
    total, alike = sums
    apart = np.empty((2, 1 if together else CHUNK), np.int64)
    greys_near, near = apart
    for z in range(nz):
        if z + reach_z < nz:
            _hold(held[(z + reach_z) % depth], levels[z + reach_z], greys, first, row)
        else:
            held[(z + reach_z) % depth] = 0
        for begin in range(first, last, CHUNK):
            end = min(begin + CHUNK, last)
            here = held[z % depth, begin:end]
            if not here.any():
                continue
            sums[:] = 0
            apart[:] = 0
            for k in range(len(steps)):
                away = steps[k, 1] * row + steps[k, 2]
                before = held[(z - steps[k, 0]) % depth, begin - away : end - away]
                after = held[(z + steps[k, 0]) % depth, begin + away : end + away]
                _add(here, before, after, np.int32(min(coarseness, low)), sums)
                if not together:
                    _add_apart(before, after, shift, apart)
            y, x = divmod(begin - first, row)
            for i in range(end - begin):
                if here[i]:
                    rank = levels[z, y, x] - 1
                    inside = np.int64(total[i] >> shift) if together else near[i]
                    around = np.int64(total[i] & low) if together else greys_near[i]
                    dependences[rank, alike[i]] += 1
                    differences[rank, inside] += abs((here[i] & low) * inside - around)
                    alone[rank] += inside == 0
                x += 1
                if x == row:
                    y, x = y + 1, 0
    deviations = np.zeros(len(values), np.float64)
    for count in range(1, widest + 1):
        deviations += differences[:, count] / count
    return dependences.sum(axis=1) - alone, deviations, dependences


@njit(cache=True, nogil=True)
def _layout(highest, widest):
    """Whether 31 bits hold the sum of `widest` grey levels and their number, and how many of them are the sum's."""
    bits, number = 31, widest
    while number:
        number >>= 1
        bits -= 1
    if highest * widest < 1 << bits:
        return True, bits
    if highest >= 1 << APART:
        raise OverflowError("grey levels of 2^29 and more cannot be summed")
    return False, APART


@njit(cache=True, nogil=True)
def _hold(plane, levels, greys, first, row):
    """Write the grey levels of a slice [y, x] of ranks into a padded plane."""
    ny, nx = levels.shape
    for y in range(ny):
        target = plane[first + y * row : first + y * row + nx]
        for x in range(nx):
            target[x] = greys[levels[y, x]]


@njit(cache=True, nogil=True)
def _add(here, before, after, coarseness, sums):
    """Add the neighbours in two opposite directions: to the sum of what is held, and to the number of those alike."""
    total, alike = sums
    zero, one = np.int32(0), np.int32(1)
    for i in range(len(here)):
        a, b = before[i], after[i]
        total[i] += a + b
        alike[i] += one if abs(here[i] - a) <= coarseness else zero
        alike[i] += one if abs(here[i] - b) <= coarseness else zero


@njit(cache=True, nogil=True)
def _add_apart(before, after, shift, apart):
    """Add the neighbours in two opposite directions: to the sum of their grey levels, and to their number."""
    greys, near = apart
    low = np.int32((1 << shift) - 1)
    for i in range(len(before)):
        a, b = before[i], after[i]
        greys[i] += np.int64(a & low) + np.int64(b & low)
        near[i] += np.int64(a >> shift) + np.int64(b >> shift)


@njit(cache=True, nogil=True)
def sum_complexity(levels, shares, deviations):
    """Sum over all pairs of levels i, j of |i - j| (p_i s_i + p_j s_j) / (p_i + p_j), each pair in both orders.

    levels, shares, deviations : float64 [n], grey levels i, p_i > 0 and s_i
    """
    total = 0.0
    for a in range(len(levels)):
        for b in range(a):
            weight = shares[a] * deviations[a] + shares[b] * deviations[b]
            total += abs(levels[a] - levels[b]) * weight / (shares[a] + shares[b])
    return 2 * total
