"""Pairs of neighbouring grey levels: counted, and folded into the histograms that features are made of."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

# Indices are cast to unsigned where they are known to be no less than 0: numba spends a test on the sign of others.


@njit(cache=True, nogil=True)
def count_pairs(levels, steps, group, n_groups, n_levels):
    """Count the grey-level pairs that lie one step apart.

    levels : int32 [z, y, x], 1..n_levels in the region, 0 outside it
    steps : int64 [m, 3], offsets (dz, dy, dx)
    group : int64 [m], the matrix that the pairs of each step go into, 0..n_groups - 1
    returns : int64 [n_groups, n_levels, n_levels], first level by second, not symmetric
    """
    nz, ny, nx = levels.shape
    flat = levels.ravel()
    begin, end = _extents(levels)
    counts = np.zeros(n_groups * n_levels * n_levels, np.int64)
    for z in range(nz):
        for y in range(ny):
            for s in range(len(steps)):
                low, high, shift = _overlap(begin, end, z, y, steps[s, 0], steps[s, 1], steps[s, 2], nx)
                base = (group[s] * n_levels - 1) * n_levels - 1
                for at in range(low, high):
                    first, second = flat[np.uint64(at)], flat[np.uint64(at + shift)]
                    if first and second:
                        counts[np.uint64(base + first * n_levels + second)] += 1
    return counts.reshape(n_groups, n_levels, n_levels)


@njit(cache=True, nogil=True)
def list_entries(counts, symmetric):
    """The pairs that occur in matrices: matrix, first and second level from 0, and how often, each int64 [entries].

    counts : int64 [matrices, n, n], as `count_pairs` gives them
    symmetric : of each pair and its reverse the one is listed that has the lower level first, with both their numbers
    """
    groups, n, _ = counts.shape
    found = 0
    for g in range(groups):
        for i in range(n):
            for j in range(i if symmetric else 0, n):
                found += (counts[g, i, j] | (counts[g, j, i] if symmetric else 0)) != 0
    entries = np.empty((4, found), np.int64)
    at = 0
    for g in range(groups):
        for i in range(n):
            for j in range(i if symmetric else 0, n):
                number = counts[g, i, j] + (counts[g, j, i] if symmetric and i != j else 0)
                if number:
                    entries[0, at], entries[1, at], entries[2, at], entries[3, at] = g, i, j, number
                    at += 1
    return entries


@njit(cache=True, nogil=True)
def list_pairs(levels, steps, n_levels, room):
    """List the grey-level pairs that lie one step apart, each as lower * n_levels + higher with both from 0.

    levels : int32 [z, y, x], 1..n_levels in the region, 0 outside it; n_levels at most 65535
    steps : int64 [m, 3], offsets (dz, dy, dx)
    room : no fewer than there are pairs
    returns : uint32 [pairs], unsorted
    """
    nz, ny, nx = levels.shape
    flat = levels.ravel()
    begin, end = _extents(levels)
    keys = np.empty(room, np.uint32)
    used = 0
    for z in range(nz):
        for y in range(ny):
            for s in range(len(steps)):
                low, high, shift = _overlap(begin, end, z, y, steps[s, 0], steps[s, 1], steps[s, 2], nx)
                for at in range(low, high):
                    first, second = flat[at], flat[at + shift]
                    if first and second:
                        keys[used] = (min(first, second) - 1) * n_levels + max(first, second) - 1
                        used += 1
    return keys[:used]


@njit(cache=True, nogil=True)
def fold_matrices(counts, levels):
    """Symmetric co-occurrence matrices as histograms; matrices without a pair are left out.

    counts : int64 [matrices, n, n], pairs as `count_pairs` gives them
    levels : int64 [n], the grey level of each rank, ascending
    returns : of each matrix plus its transpose
        joint : float64 [matrices left, 3], largest share, sum of squared shares, entropy in bits
        values, shares : float64 [3, room], bins end to end, empty ones left out: grey levels of either partner,
            absolute differences, and sums of the two, with their shares
        starts : int64 [3, matrices left], first bin of each matrix
        used : int64 [3], number of bins
    """
    n = len(levels)
    width = 2 * (levels[-1] - levels[0]) + 1
    room = counts.shape[0] * min(width, n * (n + 1) // 2)
    values, shares = np.empty((3, room)), np.empty((3, room))
    starts, used = np.empty((3, counts.shape[0]), np.int64), np.zeros(3, np.int64)
    joint = np.empty((counts.shape[0], 3))
    scratch = np.zeros((3, width), np.int64)
    kept = 0
    for g in range(counts.shape[0]):
        total = 0
        for i in range(n):
            for j in range(n):
                total += counts[g, i, j]
        if not total:
            continue
        joint[kept] = 0
        for i in range(n):
            for j in range(i, n):
                count = counts[g, i, j] + (counts[g, j, i] if j > i else 0)
                if count:
                    _add(count, i, j, total, levels, scratch, joint[kept])
        starts[:, kept] = used
        _collect(scratch, levels[0], total, values, shares, used)
        kept += 1
    return joint[:kept], values, shares, starts[:, :kept], used


@njit(cache=True, nogil=True)
def fold_list(keys, levels):
    """One symmetric co-occurrence matrix as histograms, as `fold_matrices` gives them.

    keys : uint32 [pairs], ascending, at least one, as `list_pairs` gives them
    levels : int64 [n], the grey level of each rank, ascending
    """
    n = len(levels)
    width = 2 * (levels[-1] - levels[0]) + 1
    values, shares = np.empty((3, width)), np.empty((3, width))
    starts, used = np.zeros((3, 1), np.int64), np.zeros(3, np.int64)
    joint = np.zeros((1, 3))
    scratch = np.zeros((3, width), np.int64)
    total, count = len(keys), 0
    for at in range(total):
        count += 1
        if at + 1 == total or keys[at + 1] != keys[at]:
            key = np.int64(keys[at])
            _add(count, key // n, key % n, total, levels, scratch, joint[0])
            count = 0
    _collect(scratch, levels[0], total, values, shares, used)
    return joint, values, shares, starts, used


@njit(cache=True, nogil=True)
def _extents(levels):
    """For each row along x: where the voxels inside begin, and where they have ended; both 0 where there is none."""
    nz, ny, nx = levels.shape
    begin, end = np.zeros((nz, ny), np.int64), np.zeros((nz, ny), np.int64)
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                if levels[z, y, x]:
                    begin[z, y] = x
                    break
            for x in range(nx - 1, -1, -1):
                if levels[z, y, x]:
                    end[z, y] = x + 1
                    break
    return begin, end


@njit(cache=True, nogil=True)
def _overlap(begin, end, z, y, dz, dy, dx, nx):
    """Where in a row (flat indices) a voxel and the one a step away may both be inside, and how far apart they are."""
    nz, ny = begin.shape
    if z + dz < 0 or z + dz >= nz or y + dy < 0 or y + dy >= ny:
        return 0, 0, 0
    low = max(begin[z, y], begin[z + dz, y + dy] - dx)
    high = min(end[z, y], end[z + dz, y + dy] - dx)
    row = (z * ny + y) * nx
    return row + low, row + high, (dz * ny + dy) * nx + dx


@njit(cache=True, nogil=True)
def _add(count, i, j, total, levels, scratch, joint):
    """Count one cell (i <= j) of the upper triangle, and its mirror image."""
    first, second = levels[i] - levels[0], levels[j] - levels[0]
    scratch[0, first] += count
    scratch[0, second] += count
    scratch[1, second - first] += count
    scratch[2, first + second] += count
    share = count / total if i == j else count / (2 * total)
    cells = 1 if i == j else 2
    joint[0] = max(joint[0], share)
    joint[1] += cells * share * share
    joint[2] -= cells * share * math.log2(share)


@njit(cache=True, nogil=True)
def _collect(scratch, lowest, total, values, shares, used):
    """Append the bins of one matrix that are not empty, and empty them."""
    for kind in range(3):
        whole = 2 * total if kind == 0 else total
        shift = lowest * (kind if kind == 2 else 1 - kind)
        at = used[kind]
        for k in range(scratch.shape[1]):
            if scratch[kind, k]:
                values[kind, at] = shift + k
                shares[kind, at] = scratch[kind, k] / whole
                scratch[kind, k] = 0
                at += 1
        used[kind] = at
