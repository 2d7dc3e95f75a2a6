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
    low, high = points[0].copy(), points[0].copy()
    for p in range(len(points)):
        for a in range(3):
            low[a], high[a] = min(low[a], points[p, a]), max(high[a], points[p, a])
    # of each line in a plane, only the first and the last point can be corners
    planes, lines = high[axis] - low[axis] + 1, high[second] - low[second] + 1
    ends = np.empty((planes, 2, lines), np.int64)
    ends[:, 0], ends[:, 1] = high[third] + 1, low[third] - 1
    for p in range(len(points)):
        plane, line, at = points[p, axis] - low[axis], points[p, second] - low[second], points[p, third]
        ends[plane, 0, line] = min(ends[plane, 0, line], at)
        ends[plane, 1, line] = max(ends[plane, 1, line], at)
    kept, n = np.empty_like(points), 0
    chain = np.empty(lines, np.int64)
    for plane in range(planes):
        for side in range(2):  # the chain of first points, and that of last ones
            at, turn, m = ends[plane, side], 1 - 2 * side, 0
            for line in range(lines):
                if ends[plane, 0, line] > ends[plane, 1, line]:
                    continue
                while m > 1:
                    before, between = chain[m - 2], chain[m - 1]
                    one = (between - before) * (at[line] - at[before])
                    if turn * (one - (at[between] - at[before]) * (line - before)) > 0:
                        break
                    m -= 1
                chain[m] = line
                m += 1
            for k in range(m):
                line = chain[k]
                # at its ends both chains may meet in one point
                if side == 0 or 0 < k < m - 1 or ends[plane, 0, line] < ends[plane, 1, line]:
                    kept[n, axis], kept[n, second], kept[n, third] = low[axis] + plane, low[second] + line, at[line]
                    n += 1
    return kept[:n].copy()


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
def measure_hull(points, triangles, normals, units):
    """A hull in millimetres: the points at its corners, its facets and its volume.

    points, triangles, normals : as given to and by `find_hull`
    units : float64 [3], length of one step along each coordinate
    returns : float64 [m, 3], corners; int64 [f, 3], of each facet; float64 [f, 3], unit normals, outwards and the very
        same for all facets in one plane; and the volume
    """
    number = np.full(len(points), -1, np.int64)
    for f in range(len(triangles)):
        for c in range(3):
            number[triangles[f, c]] = 0
    corners, m = np.empty(points.shape), 0
    for p in range(len(points)):
        if number[p] == 0:
            for a in range(3):
                corners[m, a] = points[p, a] * units[a]
            number[p] = m
            m += 1
    found, outward, volume = np.empty_like(triangles), np.empty(triangles.shape), 0
    for f in range(len(triangles)):
        divisor, square = 0, 0.0
        for a in range(3):
            found[f, a] = number[triangles[f, a]]
            # six times the volume of the pyramid from the facet to the origin
            volume += normals[f, a] * points[triangles[f, 0], a]
            rest = abs(normals[f, a])
            while rest:
                divisor, rest = rest, divisor % rest
        for a in range(3):
            outward[f, a] = (normals[f, a] // divisor) / units[a]
            square += outward[f, a] * outward[f, a]
        for a in range(3):
            outward[f, a] /= np.sqrt(square)
    return corners[:m].copy(), found, outward, volume / 6 * units[0] * units[1] * units[2]


@njit(cache=True, nogil=True)
def find_extent(points):
    """Largest minus smallest value of each coordinate: float64 [3], of points float64 [n, 3]."""
    low, high = points[0].copy(), points[0].copy()
    for p in range(len(points)):
        for a in range(3):
            low[a], high[a] = min(low[a], points[p, a]), max(high[a], points[p, a])
    return high - low


@njit(cache=True, nogil=True)
def find_largest_distance(points):
    """Largest distance between two of the points.

    points : float64 [n, 3], n >= 1
    """
    z, y, x = points[:, 0].copy(), points[:, 1].copy(), points[:, 2].copy()
    largest = np.zeros(len(points))
    # one largest value for each point, so that several are compared at a time
    for i in range(len(points)):
        for j in range(i):
            dz, dy, dx = z[i] - z[j], y[i] - y[j], x[i] - x[j]
            square = dz * dz + dy * dy + dx * dx
            largest[j] = square if square > largest[j] else largest[j]
    return np.sqrt(largest.max())
