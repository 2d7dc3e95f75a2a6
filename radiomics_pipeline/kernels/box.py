"""Extents of a convex hull: the areas of its facets, and the smallest box around it."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def measure_triangles(points, triangles):
    """Area of each triangle.

    points : float64 [n, 3]
    triangles : int64 [f, 3], three points each
    returns : float64 [f]
    """
    areas = np.empty(len(triangles))
    for f in range(len(triangles)):
        i, j, k = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        square = 0.0
        for a in range(3):
            b, c = (a + 1) % 3, (a + 2) % 3
            one = (points[j, b] - points[i, b]) * (points[k, c] - points[i, c])
            square += (one - (points[j, c] - points[i, c]) * (points[k, b] - points[i, b])) ** 2
        areas[f] = np.sqrt(square) / 2
    return areas


@njit(cache=True, nogil=True)
def find_smallest_box(points, triangles, neighbours, normals, directions):
    """Sides of the smallest box around a convex hull that has a side across one of the directions.

    Seen along a direction, the hull's outline runs between the facets that face the viewer and those that do not; the
    smallest rectangle around a convex outline is flush with one of its edges.
    Of boxes of equal volume the one with the smallest area is taken.

    points : float64 [n, 3], corners of the hull
    triangles, neighbours : int64 [f, 3], corners of each facet, and the facets across from these
    normals : float64 [f, 3], unit vector normal to each facet, outwards
    directions : float64 [d, 3], unit vectors to try
    returns : float64 [3], lengths of the sides
    """
    best, sides = np.full(3, np.inf), np.empty(3)
    best_volume, best_area = np.inf, np.inf
    lengths, bounds = _bound_boxes(points, triangles, normals, directions)
    facing = np.empty(len(normals), np.bool_)
    outline = np.empty(len(points) + 1, np.int64)
    flat = np.empty((2 * len(points) + 3, 2))
    for d in np.argsort(bounds):
        if bounds[d] > best_volume * (1 + 1e-6):
            break
        z, y, x = directions[d, 0], directions[d, 1], directions[d, 2]
        for f in range(len(normals)):
            facing[f] = normals[f, 0] * z + normals[f, 1] * y + normals[f, 2] * x > 1e-9
        sides[0] = lengths[d]
        n = _find_outline(triangles, neighbours, facing, outline)
        n = _project(points, outline, n, directions[d], 1e-9 * lengths[d], flat)
        best_volume, best_area = _turn(flat, n, sides, best, best_volume, best_area)
    return best


@njit(cache=True, nogil=True)
def _bound_boxes(points, triangles, normals, directions):
    """Length of a hull along each direction, and that times the area of its shadow, which no box is smaller than."""
    # by coordinate, so that several are computed at a time
    across, places = np.ascontiguousarray(normals.T), np.ascontiguousarray(points.T)
    areas = measure_triangles(points, triangles)
    heights, shadows = np.empty(len(points)), np.empty(len(triangles))
    lengths, bounds = np.empty(len(directions)), np.empty(len(directions))
    for d in range(len(directions)):
        z, y, x = directions[d, 0], directions[d, 1], directions[d, 2]
        for i in range(len(points)):
            heights[i] = places[0, i] * z + places[1, i] * y + places[2, i] * x
        low, high = heights[0], heights[0]
        for i in range(len(points)):
            low, high = min(low, heights[i]), max(high, heights[i])
        for f in range(len(triangles)):
            shadows[f] = abs(across[0, f] * z + across[1, f] * y + across[2, f] * x) * areas[f]
        lengths[d], bounds[d] = high - low, (high - low) * np.sum(shadows) / 2  # front and back cast one shadow
    return lengths, bounds


@njit(cache=True, nogil=True)
def _find_outline(triangles, neighbours, facing, outline):
    """List the corners along the border of the facets that face the viewer; their number."""
    facet, side = -1, 0
    for f in range(len(triangles)):
        if facet >= 0:
            break
        for c in range(3):
            if facing[f] and not facing[neighbours[f, c]]:
                facet, side = f, c
                break
    first, corner = triangles[facet, (side + 1) % 3], triangles[facet, (side + 2) % 3]
    before, n = first, 1
    outline[0] = first
    while corner != first:
        outline[n] = corner
        n += 1
        # turn about this corner through facets that face the viewer, up to the next edge of the border
        while True:
            c = 0
            while triangles[facet, c] != before:
                c += 1
            beyond = neighbours[facet, c]
            after = triangles[facet, 0] + triangles[facet, 1] + triangles[facet, 2] - before - corner
            if not facing[beyond]:
                break
            facet, before = beyond, after
        before, corner = corner, after
    return n


@njit(cache=True, nogil=True)
def _project(points, outline, n, normal, nearest, flat):
    """Write an outline in two coordinates across `normal`, twice round, without points nearer than `nearest`; once
    round has as many points as returned.
    """
    # the first coordinate's axis: `normal` times the unit vector of its smallest component
    first, second = np.zeros(3), np.zeros(3)
    smallest = 0
    for a in range(1, 3):
        if abs(normal[a]) < abs(normal[smallest]):
            smallest = a
    one, other = (smallest + 1) % 3, (smallest + 2) % 3
    length = np.sqrt(normal[one] ** 2 + normal[other] ** 2)
    first[one], first[other] = normal[other] / length, -normal[one] / length
    for a in range(3):
        b, c = (a + 1) % 3, (a + 2) % 3
        second[a] = normal[b] * first[c] - normal[c] * first[b]
    m = 0
    for k in range(n):
        p = points[outline[k]]
        flat[m, 0] = p[0] * first[0] + p[1] * first[1] + p[2] * first[2]
        flat[m, 1] = p[0] * second[0] + p[1] * second[1] + p[2] * second[2]
        if m == 0 or abs(flat[m, 0] - flat[m - 1, 0]) + abs(flat[m, 1] - flat[m - 1, 1]) > nearest:
            m += 1
    while m > 1 and abs(flat[0, 0] - flat[m - 1, 0]) + abs(flat[0, 1] - flat[m - 1, 1]) <= nearest:
        m -= 1
    area = 0.0
    for k in range(m):
        after = (k + 1) % m
        area += flat[k, 0] * flat[after, 1] - flat[after, 0] * flat[k, 1]
    if area < 0:
        for k in range(m):
            flat[k, 0] = -flat[k, 0]
    for k in range(m + 1):
        flat[m + k] = flat[k]
    return m


@njit(cache=True, nogil=True)
def _turn(flat, n, sides, best, best_volume, best_area):
    """Try the rectangles flush with each edge of a convex outline; the volume and area of the best box until now.

    Going round, the points farthest along the edge, across it and against it go round, too.

    flat : float64 [2 n + 1, 2], twice round and closed, counter-clockwise
    sides : float64 [3], of which the first is given
    """
    ahead, across, behind = 0, 0, 0
    for k in range(n):
        u, v = flat[k + 1, 0] - flat[k, 0], flat[k + 1, 1] - flat[k, 1]
        length = np.sqrt(u * u + v * v)
        u, v = u / length, v / length
        ahead = max(ahead, k + 1)
        while ahead < k + n and _along(flat, ahead, u, v) > 0:
            ahead += 1
        across = max(across, ahead)
        while across < k + n and _along(flat, across, -v, u) > 0:
            across += 1
        behind = max(behind, across)
        while behind < k + n and _along(flat, behind, -u, -v) > 0:
            behind += 1
        sides[1] = (flat[ahead, 0] - flat[behind, 0]) * u + (flat[ahead, 1] - flat[behind, 1]) * v
        sides[2] = (flat[across, 1] - flat[k, 1]) * u - (flat[across, 0] - flat[k, 0]) * v
        volume = sides[0] * sides[1] * sides[2]
        area = sides[0] * sides[1] + sides[0] * sides[2] + sides[1] * sides[2]
        if volume < best_volume * (1 - 1e-9) or (volume < best_volume * (1 + 1e-9) and area < best_area):
            best_volume, best_area = volume, area
            for a in range(3):
                best[a] = sides[a]
    return best_volume, best_area


@njit(cache=True, nogil=True)
def _along(flat, k, u, v):
    """Length of the edge that starts at point k along a direction."""
    return (flat[k + 1, 0] - flat[k, 0]) * u + (flat[k + 1, 1] - flat[k, 1]) * v
