"""Zones: connected voxels of one grey level."""

from __future__ import annotations

import numpy as np
from numba import njit

CHUNK = 2048
"""Voxels whose neighbours are compared at a time, so that they stay in the fastest cache."""


@njit(cache=True, nogil=True)
def find_zones(levels, distances, reach):
    """Level, size and smallest distance of every zone of touching voxels with one grey level.

    Each voxel joins the zones of those neighbours that were visited before it; where they belonged to several zones,
    these become one. Of the neighbours with its level only one in each touching group is looked up, since the others
    in the group were joined to it before. Two planes are held at a time, padded so that no index is checked.

    levels : int32 [z, y, x], 1 or more in the region, 0 outside it
    distances : int32 [z, y, x], a number for each voxel
    reach : int64 [3], 1 for each axis along which voxels touch (1, 1, 1: 26 neighbours; 0, 1, 1: 8 in the plane)
    returns : int64 [zones, 3], level, number of voxels, smallest of their distances; in the order of each zone's first
        voxel
    """
    nz, ny, nx = levels.shape
    row = nx + 1  # one empty voxel ends a row and begins the next
    plane = (ny + 2) * row + 1
    first, last = row + 1, (ny + 1) * row
    earlier = _earlier_neighbours(reach)
    touching = _touching_groups(earlier, reach)
    offsets = _offsets(earlier, plane, row)
    groups = np.zeros(1 << len(earlier), np.uint16)
    values = np.zeros(2 * plane, np.int32)
    labels = np.empty(2 * plane, np.int32)
    same = np.empty(CHUNK, np.int32)
    n_voxels = np.count_nonzero(levels)
    parents = np.empty(n_voxels, np.int32)
    zones = np.empty((n_voxels, 3), np.int64)
    n_labels = 0
    for z in range(nz):
        base = (z & 1) * plane
        for y in range(ny):
            start = base + first + y * row
            values[start : start + nx] = levels[z, y]
        for begin in range(base + first, base + last, CHUNK):
            end = min(begin + CHUNK, base + last)
            if not values[begin:end].any():
                continue
            _compare(values, begin, end, offsets[z & 1], same)
            y, x = divmod(begin - base - first, row)
            x -= 1
            for i in range(begin, end):
                x += 1
                if x == row:
                    y, x = y + 1, 0
                level = values[i]
                if level == 0:
                    continue
                bits = same[i - begin]
                if bits == 0:
                    parents[n_labels] = labels[i] = n_labels
                    zones[n_labels, 0], zones[n_labels, 1], zones[n_labels, 2] = level, 1, distances[z, y, x]
                    n_labels += 1
                    continue
                group = np.int64(groups[bits])
                if group == 0:
                    group = _one_of_each_group(bits, touching)
                    groups[bits] = group
                label = labels[i + offsets[z & 1, (group & 15) - 1]]
                group >>= 4
                while group:
                    label = _join(parents, label, labels[i + offsets[z & 1, (group & 15) - 1]])
                    group >>= 4
                labels[i] = label
                zones[label, 1] += 1
                zones[label, 2] = min(zones[label, 2], distances[z, y, x])
    return zones[: _merge(zones, parents, n_labels)]


@njit(cache=True, nogil=True)
def _earlier_neighbours(reach):
    """Steps (dz, dy, dx) to the neighbours that come before a voxel in memory; int64 [steps, 3]."""
    steps = np.empty((13, 3), np.int64)
    n = 0
    for dz in range(-reach[0], 1):
        for dy in range(-reach[1], 1 if dz == 0 else reach[1] + 1):
            for dx in range(-reach[2], 0 if dz == 0 and dy == 0 else reach[2] + 1):
                steps[n, 0], steps[n, 1], steps[n, 2] = dz, dy, dx
                n += 1
    return steps[:n].copy()


@njit(cache=True, nogil=True)
def _offsets(steps, plane, row):
    """Distance in memory to each neighbour, from a voxel in the first of the two planes and from one in the second.

    The plane before is always the other one. Returns int64 [2, steps].
    """
    offsets = np.empty((2, len(steps)), np.int64)
    for k in range(len(steps)):
        inside = steps[k, 1] * row + steps[k, 2]
        across = plane if steps[k, 0] else 0
        offsets[0, k], offsets[1, k] = inside + across, inside - across
    return offsets


@njit(cache=True, nogil=True)
def _touching_groups(steps, reach):
    """For each neighbour the bits of all neighbours that it touches, itself included; int64 [steps]."""
    touching = np.zeros(len(steps), np.int64)
    for a in range(len(steps)):
        for b in range(len(steps)):
            if (np.abs(steps[a] - steps[b]) <= reach).all():
                touching[a] |= 1 << b
    return touching


@njit(cache=True, nogil=True)
def _compare(values, begin, end, offsets, same):
    """Set bit k of same[i - begin] where values[i] equals values[i + offsets[k]]."""
    here = values[begin:end]
    found = same[: end - begin]
    found[:] = 0
    for k in range(len(offsets)):
        there = values[begin + offsets[k] : end + offsets[k]]
        bit = np.int32(1 << k)
        for i in range(len(here)):
            found[i] |= bit if here[i] == there[i] else np.int32(0)


@njit(cache=True, nogil=True)
def _one_of_each_group(bits, touching):
    """Neighbours k, one of each group of touching ones among `bits`, as k + 1 in 4 bits each.

    There are 4 groups at most: the neighbours fill two planes of 3 x 3, which 4 cubes of 2 x 2 x 2 cover.
    """
    packed, shift = 0, 0
    for k in range(len(touching)):
        if not bits >> k & 1:
            continue
        packed |= (k + 1) << shift
        shift += 4
        group, grown = 0, 1 << k
        while grown != group:
            group = grown
            for other in range(len(touching)):
                if group >> other & 1:
                    grown |= touching[other] & bits
        bits &= ~group
    return packed


@njit(cache=True, nogil=True)
def _join(parents, first, second):
    """Make two labels one zone; returns the label that stands for it, the earliest."""
    while parents[first] != first:
        parents[first] = parents[parents[first]]
        first = parents[first]
    while parents[second] != second:
        parents[second] = parents[parents[second]]
        second = parents[second]
    if first < second:
        parents[second] = first
        return first
    parents[first] = second
    return second


@njit(cache=True, nogil=True)
def _merge(zones, parents, n_labels):
    """Gather the rows of labels that became one zone, in place; returns the number of zones."""
    found = 0
    for label in range(n_labels):
        if parents[label] != label:
            zone = parents[label] = parents[parents[label]]  # an earlier label, whose entry names its zone already
            zones[zone, 1] += zones[label, 1]
            zones[zone, 2] = min(zones[zone, 2], zones[label, 2])
            continue
        zones[found] = zones[label]
        parents[label] = found
        found += 1
    return found
