"""The convex hull of points, and its largest extent."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def drop_inner(points, axis):
    """Leave out the points that are no corner of the convex hull of those in the same plane across an axis.

    points : int64 [n, 3], no two alike
    returns : int64 [m, 3], the corners, by planes
    """
    second, third = (axis + 1) % 3, (axis + 2) % 3
    points = _sort(_sort(_sort(points, third), second), axis)
    n = len(points)
    kept = np.zeros(n, np.bool_)
    chain = np.empty(n, np.int64)
    start = 0
    while start < n:
        end = start
        while end < n and points[end, axis] == points[start, axis]:
            end += 1
        for turn in range(-1, 2, 2):  # the chain below, and that above
            m = 0
            for p in range(start, end):
                while m > 1:
                    o, q = points[chain[m - 2]], points[chain[m - 1]]
                    one = (q[second] - o[second]) * (points[p, third] - o[third])
                    other = (q[third] - o[third]) * (points[p, second] - o[second])
                    if turn * (other - one) > 0:
                        break
                    m -= 1
                chain[m] = p
                m += 1
            for k in range(m):
                kept[chain[k]] = True
        start = end
    return points[kept]


@njit(cache=True, nogil=True)
def _sort(points, axis):
    """The points by their coordinate along an axis, else in their order."""
    lowest, highest = points[0, axis], points[0, axis]
    for p in range(len(points)):
        lowest, highest = min(lowest, points[p, axis]), max(highest, points[p, axis])
    ends = np.zeros(highest - lowest + 2, np.int64)
    for p in range(len(points)):
        ends[points[p, axis] - lowest + 1] += 1
    for k in range(1, len(ends)):
        ends[k] += ends[k - 1]
    found = np.empty_like(points)
    for p in range(len(points)):
        k = points[p, axis] - lowest
        for a in range(3):
            found[ends[k], a] = points[p, a]
        ends[k] += 1
    return found


@njit(cache=True, nogil=True)
def find_hull(points):
    """The facets of the convex hull of points in whole numbers, exactly.

    Quickhull (Barber, Dobkin, Huhdanpaa 1996, doi:10.1145/235815.235821): of the points outside one facet the farthest
    joins the hull, in place of all facets that it sees. A point in the plane of a facet does not see it, so that
    faces of more than three corners come out as several triangles.

    points : int64 [n, 3], not all in a plane, coordinates below 10^5 in size
    returns : int64 [f, 3], points at the corners of each facet, in the sense of its normal; int64 [f, 3], the facets
        across from each of these; int64 [f, 3], outward normals, as long as twice the facet's area
    """
    n = len(points)
    room = 4 * n + 16
    corners, across, normals = (
        np.empty((room, 3), np.int64),
        np.empty((room, 3), np.int64),
        np.empty((room, 3), np.int64),
    )
    free, n_free = np.arange(room - 1, -1, -1), room  # places for facets, as a stack
    alive, queued = np.zeros(room, np.bool_), np.zeros(room, np.bool_)
    seen = np.zeros(room, np.int64)  # the turn in which a facet was last found to be seen
    outside, following = np.empty(room, np.int64), np.empty(n, np.int64)  # points outside a facet, the farthest first
    farthest = np.zeros(room, np.int64)
    fresh, visible, queue = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.int64)
    starting = np.empty(n, np.int64)

    n_free -= _begin(points, corners, across, normals, free, fresh)
    n_fresh, n_queue, turn = 4, 0, 0
    for k in range(4):
        alive[fresh[k]], outside[fresh[k]] = True, -1
    for p in range(n):
        _assign(points, p, corners, normals, fresh, n_fresh, outside, farthest, following)
    while True:
        for k in range(n_fresh):
            f = fresh[k]
            if outside[f] >= 0 and not queued[f]:
                queue[n_queue] = f
                n_queue += 1
                queued[f] = True
        if n_queue == 0:
            break
        n_queue -= 1
        f = queue[n_queue]
        queued[f] = False
        n_fresh = 0
        if not alive[f] or outside[f] < 0:
            continue
        p = outside[f]
        turn += 1
        n_visible = _find_visible(points, p, f, corners, across, normals, seen, turn, visible)
        n_fresh = _cover(
            points, p, corners, across, normals, seen, turn, visible, n_visible, free, n_free, fresh, starting
        )
        n_free -= n_fresh
        for k in range(n_fresh):
            alive[fresh[k]], outside[fresh[k]], seen[fresh[k]] = True, -1, 0
        for k in range(n_visible):
            g = visible[k]
            q = outside[g]
            while q >= 0:
                after = following[q]
                if q != p:
                    _assign(points, q, corners, normals, fresh, n_fresh, outside, farthest, following)
                q = after
            alive[g] = False
            free[n_free] = g
            n_free += 1
    kept = np.flatnonzero(alive)
    number = np.empty(room, np.int64)
    number[kept] = np.arange(len(kept))
    return corners[kept], number[across[kept].ravel()].reshape(-1, 3), normals[kept]


@njit(cache=True, nogil=True)
def _begin(points, corners, across, normals, free, fresh):
    """Write the facets of a first tetrahedron, to places from the end of `free`; their number."""
    first = _first_four(points)
    for k in range(4):
        fresh[k] = free[len(free) - 1 - k]
    for k in range(4):
        f, a, b, c = fresh[k], (k + 1) % 4, (k + 2) % 4, (k + 3) % 4
        corners[f, 0], corners[f, 1], corners[f, 2] = first[a], first[b], first[c]
        across[f, 0], across[f, 1], across[f, 2] = fresh[a], fresh[b], fresh[c]
        _set_normal(points, corners[f], normals[f])
        if _height(points, first[k], corners[f], normals[f]) > 0:
            corners[f, 1], corners[f, 2] = first[c], first[b]
            across[f, 1], across[f, 2] = fresh[c], fresh[b]
            _set_normal(points, corners[f], normals[f])
    return 4


@njit(cache=True, nogil=True)
def _cover(points, p, corners, across, normals, seen, turn, visible, n_visible, free, n_free, fresh, starting):
    """Write a facet from a point to each edge around those it sees, to places from the end of `free`; how many."""
    n, a = 0, -1
    for k in range(n_visible):
        g = visible[k]
        for c in range(3):
            h = across[g, c]
            if seen[h] == turn:
                continue
            a, b = corners[g, (c + 1) % 3], corners[g, (c + 2) % 3]
            new = free[n_free - 1 - n]
            corners[new, 0], corners[new, 1], corners[new, 2] = a, b, p
            across[new, 2] = h
            for e in range(3):
                if corners[h, e] != a and corners[h, e] != b:
                    across[h, e] = new
            _set_normal(points, corners[new], normals[new])
            starting[a], fresh[n] = new, new
            n += 1
    for _ in range(n):
        new = starting[a]
        a = corners[new, 1]
        across[new, 0], across[starting[a], 1] = starting[a], new
    return n


@njit(cache=True, nogil=True)
def _first_four(points):
    """Four points that do not lie in a plane: each in turn as far from the others as can be."""
    found = np.zeros(4, np.int64)
    edge, side, normal = np.zeros(3, np.int64), np.zeros(3, np.int64), np.zeros(3, np.int64)
    for k in range(1, 4):
        best = -1.0
        for p in range(len(points)):
            size = 0.0
            for a in range(3):
                b, c = (a + 1) % 3, (a + 2) % 3
                if k == 1:
                    size += float(points[p, a] - points[found[0], a]) ** 2
                elif k == 2:
                    one = edge[b] * (points[p, c] - points[found[0], c])
                    size += float(one - edge[c] * (points[p, b] - points[found[0], b])) ** 2
                else:
                    size += float(normal[a] * (points[p, a] - points[found[0], a]))
            if abs(size) > best:
                best, found[k] = abs(size), p
        for a in range(3):
            edge[a] = points[found[1], a] - points[found[0], a]
            side[a] = points[found[2], a] - points[found[0], a]
        for a in range(3):
            b, c = (a + 1) % 3, (a + 2) % 3
            normal[a] = edge[b] * side[c] - edge[c] * side[b]
    return found


@njit(cache=True, nogil=True)
def _set_normal(points, corners, normal):
    """Write the vector across a triangle, as long as twice its area, into `normal`."""
    o, p, q = points[corners[0]], points[corners[1]], points[corners[2]]
    for a in range(3):
        b, c = (a + 1) % 3, (a + 2) % 3
        normal[a] = (p[b] - o[b]) * (q[c] - o[c]) - (p[c] - o[c]) * (q[b] - o[b])


@njit(cache=True, nogil=True)
def _height(points, p, corners, normal):
    """Height of a point over a facet, in units that depend on the facet."""
    o = points[corners[0]]
    return normal[0] * (points[p, 0] - o[0]) + normal[1] * (points[p, 1] - o[1]) + normal[2] * (points[p, 2] - o[2])


@njit(cache=True, nogil=True)
def _assign(points, p, corners, normals, fresh, n_fresh, outside, farthest, following):
    """Put a point into the list of the first of the new facets that it lies outside of, if any."""
    for k in range(n_fresh):
        f = fresh[k]
        height = _height(points, p, corners[f], normals[f])
        if height <= 0:
            continue
        head = outside[f]
        if head < 0 or height > farthest[f]:
            following[p], outside[f], farthest[f] = head, p, height
        else:
            following[p], following[head] = following[head], p
        return


@njit(cache=True, nogil=True)
def _find_visible(points, p, start, corners, across, normals, seen, turn, visible):
    """List the facets that a point outside of facet `start` sees, marked with `turn`; their number."""
    seen[start] = turn
    visible[0] = start
    n, at = 1, 0
    while at < n:
        g = visible[at]
        at += 1
        for c in range(3):
            h = across[g, c]
            if seen[h] != turn and _height(points, p, corners[h], normals[h]) > 0:
                seen[h] = turn
                visible[n] = h
                n += 1
    return n


@njit(cache=True, nogil=True)
def find_largest_distance(points):
    """Largest distance between two of the points.

    points : float64 [n, 3], n >= 1
    """
    largest = 0.0
    for i in range(len(points)):
        for j in range(i):
            dz, dy, dx = points[i, 0] - points[j, 0], points[i, 1] - points[j, 1], points[i, 2] - points[j, 2]
            largest = max(largest, dz * dz + dy * dy + dx * dx)
    return np.sqrt(largest)
