"""Largest distances between points of a region's surface: in space, and within planes along the image's axes.

The surface's points lie half-way between a voxel inside and its neighbour outside. Positions are in half voxels: 2 i
for voxel i, 2 i + 1 for the point between voxels i and i + 1, so that a point has one odd coordinate.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def find_row_ends(mask):
    """First and last point of the surface on each line along the last axis; the others are in no convex hull.

    mask : uint8 [a, b, c], 1 inside, with at least one layer of 0 all around
    returns : int64 [2 a - 1, 2 b - 1, 2], in half voxels; first above last where a line has no point
    """
    na, nb, nc = mask.shape
    ends = np.empty((2 * na - 1, 2 * nb - 1, 2), np.int64)
    ends[:, :, 0] = 2 * nc
    ends[:, :, 1] = -1
    for a in range(na):
        for b in range(nb):
            low, high = _first(mask[a, b], mask[0, 0], 0, nc), _last(mask[a, b], mask[0, 0], 0, nc)
            if low <= high:
                ends[2 * a, 2 * b, 0], ends[2 * a, 2 * b, 1] = 2 * low - 1, 2 * high + 1
    for a in range(na):
        for b in range(nb):
            for step in range(2):
                next_a, next_b = a + step, b + 1 - step
                if next_a < na and next_b < nb:
                    here, there = ends[2 * a, 2 * b], ends[2 * next_a, 2 * next_b]
                    low, high = (min(here[0], there[0]) + 1) // 2, (max(here[1], there[1]) + 1) // 2
                    first = _first(mask[a, b], mask[next_a, next_b], low, high)
                    if first < high:
                        ends[a + next_a, b + next_b, 0] = 2 * first
                        ends[a + next_a, b + next_b, 1] = 2 * _last(mask[a, b], mask[next_a, next_b], first, high)
    return ends


@njit(cache=True, nogil=True)
def _first(row, other, low, high):
    """First index in low..high - 1 where two rows differ, `high` where they do not."""
    for c in range(low, high):
        if row[c] != other[c]:
            return c
    return high


@njit(cache=True, nogil=True)
def _last(row, other, low, high):
    """Last index in low..high - 1 where two rows differ, `low` - 1 where they do not."""
    for c in range(high - 1, low - 1, -1):
        if row[c] != other[c]:
            return c
    return low - 1


@njit(cache=True, nogil=True)
def find_plane_diameter(ends, b_mm, c_mm):
    """Largest distance between two points of the surface in one plane across the first axis, mm.

    ends : int64 [a, b, 2], what `find_row_ends` gives
    b_mm, c_mm : half the distance between voxel centres along the second and the last axis
    """
    na, nb, _ = ends.shape
    bounds = np.empty(na)
    for a in range(na):
        bounds[a] = _span(ends[a], b_mm, c_mm)
    corners = np.empty((2 * nb, 2), np.int64)
    best = 0.0
    for _ in range(na):
        a = np.argmax(bounds)
        if bounds[a] <= best:
            break
        bounds[a] = 0.0
        n = _write_hull(ends[a], corners)
        for i in range(n):
            for j in range(i):
                db, dc = (corners[i, 0] - corners[j, 0]) * b_mm, (corners[i, 1] - corners[j, 1]) * c_mm
                best = max(best, db * db + dc * dc)
    return np.sqrt(best)


@njit(cache=True, nogil=True)
def _span(rows, b_mm, c_mm):
    """No two points in the rows of a plane are farther apart; mm^2, 0 where there are none.

    The lesser of two: the diagonal of the box around them, and the diameter of a circle around its centre.
    """
    low_b, high_b, low_c, high_c = _box(rows)
    if low_b > high_b:
        return 0.0
    b, c = (high_b - low_b) * b_mm, (high_c - low_c) * c_mm
    radius = _radius(rows, (low_b + high_b) / 2, (low_c + high_c) / 2, b_mm, c_mm)
    # a bound that rounding puts under the distance itself would lose it
    return min(b * b + c * c, 4 * radius * radius) * (1 + 1e-12)


@njit(cache=True, nogil=True)
def _box(rows):
    """Lowest and highest row that has points, lowest and highest position in them."""
    low_b, high_b, low_c, high_c = len(rows), -1, rows[0, 0], rows[0, 1]
    for b in range(len(rows)):
        if rows[b, 0] <= rows[b, 1]:
            low_b, high_b = min(low_b, b), b
            low_c, high_c = min(low_c, rows[b, 0]), max(high_c, rows[b, 1])
    return low_b, high_b, low_c, high_c


@njit(cache=True, nogil=True)
def _radius(rows, at_b, at_c, b_mm, c_mm):
    """Largest distance of a point in the rows of a plane from a place; mm."""
    farthest = 0.0
    for b in range(len(rows)):
        if rows[b, 0] <= rows[b, 1]:
            db, dc = (b - at_b) * b_mm, max(at_c - rows[b, 0], rows[b, 1] - at_c) * c_mm
            farthest = max(farthest, db * db + dc * dc)
    return np.sqrt(farthest)


@njit(cache=True, nogil=True)
def _write_hull(rows, corners):
    """Write the corners of the convex hull of a plane's points, (row, position); their number."""
    n = 0
    for side in range(2):
        start, turn = n, 1 - 2 * side
        for b in range(len(rows)):
            if rows[b, 0] > rows[b, 1]:
                continue
            c = rows[b, side]
            while n >= start + 2:
                b1, c1 = corners[n - 1, 0] - corners[n - 2, 0], corners[n - 1, 1] - corners[n - 2, 1]
                if turn * (b1 * (c - corners[n - 2, 1]) - c1 * (b - corners[n - 2, 0])) > 0:
                    break
                n -= 1
            corners[n, 0], corners[n, 1] = b, c
            n += 1
    return n


@njit(cache=True, nogil=True)
def find_diameter(ends, a_mm, b_mm, c_mm, at_least):
    """Largest distance between two points of the surface, mm.

    Planes are compared in twos, and passed over where no point of one can be farther from the other than the largest
    distance so far.

    ends : int64 [a, b, 2], what `find_row_ends` gives
    a_mm, b_mm, c_mm : half the distance between voxel centres along each axis
    at_least : a distance that occurs, or 0
    """
    na, nb, _ = ends.shape
    starts = np.zeros(na + 1, np.int64)
    corners = np.empty((2 * na * nb, 2), np.int64)
    boxes = np.empty((na, 4), np.int64)
    for a in range(na):
        starts[a + 1] = starts[a] + _write_hull(ends[a], corners[starts[a] :])
        boxes[a, 0], boxes[a, 1], boxes[a, 2], boxes[a, 3] = _box(ends[a])
    middle_b, middle_c = (boxes[:, 0].min() + boxes[:, 1].max()) / 2, (boxes[:, 2].min() + boxes[:, 3].max()) / 2
    radii = np.empty(na)
    for a in range(na):
        radii[a] = _radius(ends[a], middle_b, middle_c, b_mm, c_mm)
    best = at_least * at_least
    for apart in range(na - 1, -1, -1):
        gap = (apart * a_mm) ** 2
        for a in range(na - apart):
            one, other = a, a + apart
            if starts[one] == starts[one + 1] or starts[other] == starts[other + 1]:
                continue
            round_bound = (radii[one] + radii[other]) ** 2
            b = max(boxes[one, 1] - boxes[other, 0], boxes[other, 1] - boxes[one, 0]) * b_mm
            c = max(boxes[one, 3] - boxes[other, 2], boxes[other, 3] - boxes[one, 2]) * c_mm
            if (gap + min(round_bound, b * b + c * c)) * (1 + 1e-12) <= best:
                continue
            for i in range(starts[one], starts[one + 1]):
                for j in range(starts[other], starts[other + 1]):
                    db, dc = (corners[i, 0] - corners[j, 0]) * b_mm, (corners[i, 1] - corners[j, 1]) * c_mm
                    best = max(best, gap + db * db + dc * dc)
    return np.sqrt(best)
