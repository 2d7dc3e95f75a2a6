"""Runs of one grey level."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def count_runs(levels, steps, group, n_groups, n_levels, longest):
    """Count the runs: as many voxels of one grey level, one step from each to the next, as follow one another.

    A voxel is the r-th of its run where the one before, a step back, is the (r - 1)-th of it. The voxels that are
    the r-th of a run are as many as the runs of r voxels or more; so all are counted, and differences taken at last.

    levels : int32 [z, y, x], 1..n_levels in the region, 0 outside it
    steps : int64 [m, 3], offsets (dz, dy, dx), the first component that is not 0 above 0
    group : int64 [m], the matrix that the runs of each step go into, 0..n_groups - 1
    longest : no less than the longest run, such as the longest side of the box
    returns : int64 [n_groups, n_levels, longest], runs of length r in column r - 1
    """
    nz, ny, nx = levels.shape
    reach_z, reach_y, reach_x = np.abs(steps[:, 0]).max(), np.abs(steps[:, 1]).max(), np.abs(steps[:, 2]).max()
    row, depth = nx + reach_x, reach_z + 1
    first, last = reach_y * row + reach_x, (reach_y + ny) * row
    held = np.zeros((depth, last + first), np.int32)  # slices with room around them, so that no index is checked
    places = np.ones((len(steps), depth, last + first), np.int32)
    inside = np.empty(ny * nx, np.int32)
    counts = np.zeros((n_groups, n_levels, longest), np.int64)
    table = counts.ravel()
    for z in range(nz):
        here = held[z % depth]
        found = _hold(levels[z], here, first, row, inside)
        for s in range(len(steps)):
            dz = steps[s, 0]
            back = steps[s, 1] * row + steps[s, 2]
            there, place = held[(z - dz) % depth], places[s, z % depth]
            if dz == 0 and steps[s, 1] == 0:
                for i in range(first, last):
                    place[i] = place[i - back] + 1 if here[i] == here[i - back] else 1
            elif z >= dz:
                span = last - first if dz else back
                for start in range(first, last, span):
                    _follow(here, there, places[s, (z - dz) % depth], start, min(start + span, last), back, place)
            base = (group[s] * n_levels - 1) * longest - 1
            for k in range(found):
                i = inside[k]
                table[np.uint64(base + here[i] * longest + place[i])] += 1
    for g in range(n_groups):
        for i in range(n_levels):
            for r in range(longest - 1):
                counts[g, i, r] -= counts[g, i, r + 1]
    return counts


@njit(cache=True, nogil=True)
def _hold(levels, held, first, row, inside):
    """Write a slice into a padded one, and list where it is inside the region; returns how many voxels are."""
    found = 0
    for y in range(len(levels)):
        at, line = first + y * row, levels[y]
        for x in range(len(line)):
            held[at + x] = line[x]
            inside[found] = at + x
            found += line[x] != 0
    return found


@njit(cache=True, nogil=True)
def _follow(here, there, before, start, end, back, place):
    """Places of some voxels in their runs, from those of the voxels a step back."""
    level, target = here[start:end], place[start:end]
    other, earlier = there[start - back : end - back], before[start - back : end - back]
    one, zero = np.int32(1), np.int32(0)
    for i in range(len(target)):
        target[i] = one + (earlier[i] if level[i] == other[i] else zero)


@njit(cache=True, nogil=True)
def list_runs(counts, levels):
    """The entries of run-length matrices that are not 0, by matrix, level and length.

    counts : int64 [matrices, n, longest]
    levels : int64 [n], the grey level of each rank
    returns : levels, lengths, counts, each int64 [entries]; starts, int64 [matrices], the first entry of each
    """
    groups, n, longest = counts.shape
    entries = 0
    for g in range(groups):
        for i in range(n):
            for r in range(longest):
                entries += counts[g, i, r] > 0
    found = np.empty((3, entries), np.int64)
    starts = np.empty(groups, np.int64)
    at = 0
    for g in range(groups):
        starts[g] = at
        for i in range(n):
            for r in range(longest):
                if counts[g, i, r]:
                    found[0, at], found[1, at], found[2, at] = levels[i], r + 1, counts[g, i, r]
                    at += 1
    return found[0], found[1], found[2], starts


@njit(cache=True, nogil=True)
def sum_by(keys, counts, starts):
    """Add up the counts of equal keys, for each of several lists that lie end to end.

    keys, counts : int64 [entries], keys from 0, counts above 0
    starts : int64 [lists], the first entry of each list, none of which is empty
    returns : keys that occur, ascending in each list, and their share in the list's counts, float64 [bins];
        starts of the lists in these, int64 [lists]
    """
    sums = np.zeros(keys.max() + 1, np.int64)
    values, shares = np.empty(len(keys)), np.empty(len(keys))
    firsts = np.empty(len(starts), np.int64)
    used = 0
    for s in range(len(starts)):
        end = starts[s + 1] if s + 1 < len(starts) else len(keys)
        firsts[s] = used
        total, low, high = 0, keys[starts[s]], 0
        for at in range(starts[s], end):
            sums[keys[at]] += counts[at]
            total += counts[at]
            low, high = min(low, keys[at]), max(high, keys[at])
        for key in range(low, high + 1):
            if sums[key]:
                values[used], shares[used] = key, sums[key] / total
                sums[key] = 0
                used += 1
    return values[:used], shares[:used], firsts


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
