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
def find_smallest_box(points, triangles, neighbours, normals):
    """Sides of the smallest box around a convex hull that has a side in the plane of a facet, or across a coordinate.

    Seen along a direction, the hull's outline runs between the facets that face the viewer and those that do not; the
    smallest rectangle around a convex outline is flush with one of its edges.
    Of boxes of equal volume the one with the smallest area is taken.

    points : float64 [n, 3], corners of the hull
    triangles, neighbours : int64 [f, 3], corners of each facet, and the facets across from these
    normals : float64 [f, 3], unit vector normal to each facet, outwards; those in one plane have the very same
    returns : float64 [3], lengths of the sides
    """
    directions, kind, side = _find_directions(normals)
    lengths, bounds = _bound_boxes(points, triangles, directions, kind)
    edges = _list_edges(points, triangles, neighbours, normals, kind, side)
    n_edges = len(edges)
    facing = np.empty((2, len(directions[0])), np.int64)
    starts, ends = np.empty(n_edges, np.int64), np.empty(n_edges, np.int64)
    flat, steps, extent = np.empty((2, n_edges)), np.empty((2, n_edges)), np.empty((3, n_edges))
    best, best_volume, best_area = np.full(3, np.inf), np.inf, np.inf
    for d in np.argsort(bounds):
        if bounds[d] > best_volume * (1 + 1e-6):
            break
        z, y, x = directions[0, d], directions[1, d], directions[2, d]
        for k in range(len(directions[0])):
            along = directions[0, k] * z + directions[1, k] * y + directions[2, k] * x
            facing[0, k], facing[1, k] = along > 1e-9, along < -1e-9
        n = 0
        for e in range(n_edges):
            one, other = facing[edges[e, 2], edges[e, 3]], facing[edges[e, 4], edges[e, 5]]
            starts[n], ends[n] = edges[e, 1 - one], edges[e, one]
            n += one != other
        _project(points, starts, ends, n, z, y, x, flat, steps)
        _measure_rectangles(flat, steps, n, extent)
        for k in range(n):
            square = steps[0, k] * steps[0, k] + steps[1, k] * steps[1, k]
            if square <= (1e-9 * lengths[d]) ** 2:
                continue
            along, across = extent[1, k] - extent[0, k], extent[2, k]
            volume = lengths[d] * along * across / square
            if volume < best_volume * (1 + 1e-9):
                a, b, c = lengths[d], along / np.sqrt(square), across / np.sqrt(square)
                area = a * b + a * c + b * c
                if volume < best_volume * (1 - 1e-9) or area < best_area:
                    best[0], best[1], best[2] = a, b, c
                    best_volume, best_area = volume, area
    return best


@njit(cache=True, nogil=True)
def _find_directions(normals):
    """The coordinates' directions and those of the normals, one of each two that are parallel: float64 [3, d]; for
    each normal, which it is, and 1 where it is opposite to that, else 0.
    """
    n = len(normals)
    found, kind, side = np.zeros((3, n + 3)), np.empty(n, np.int64), np.empty(n, np.int64)
    found[0, 0] = found[1, 1] = found[2, 2] = 1.0
    size = 16
    while size < 4 * n:
        size *= 2
    table = np.full(size, -1, np.int64)
    d = 3
    for f in range(-3, n):
        if f < 0:
            z, y, x = found[0, f + 3], found[1, f + 3], found[2, f + 3]
        else:
            z, y, x = normals[f, 0], normals[f, 1], normals[f, 2]
            side[f] = z < 0 or (z == 0 and (y < 0 or (y == 0 and x < 0)))
            if side[f]:
                z, y, x = -z, -y, -x
        place = int((z * 7919.0 + y * 104729.0 + x * 1299709.0) * 1021.0) & (size - 1)
        while table[place] >= 0:
            k = table[place]
            if found[0, k] == z and found[1, k] == y and found[2, k] == x:
                break
            place = (place + 1) & (size - 1)
        if table[place] < 0:
            table[place] = d if f >= 0 else f + 3
            if f >= 0:
                found[0, d], found[1, d], found[2, d] = z, y, x
                d += 1
        if f >= 0:
            kind[f] = table[place]
    return found[:, :d].copy(), kind, side


@njit(cache=True, nogil=True)
def _bound_boxes(points, triangles, directions, kind):
    """Length of a hull along each direction, and that times the area of its shadow, which no box is smaller than."""
    n = directions.shape[1]
    areas = np.zeros(n)
    sizes = measure_triangles(points, triangles)
    for f in range(len(triangles)):
        areas[kind[f]] += sizes[f] / 2  # front and back cast one shadow
    low, high, shadows = np.full(n, np.inf), np.full(n, -np.inf), np.zeros(n)
    # by direction innermost, so that several are computed at a time
    for i in range(len(points)):
        z, y, x = points[i, 0], points[i, 1], points[i, 2]
        for d in range(n):
            height = directions[0, d] * z + directions[1, d] * y + directions[2, d] * x
            low[d] = height if height < low[d] else low[d]
            high[d] = height if height > high[d] else high[d]
    for k in range(n):
        z, y, x = areas[k] * directions[0, k], areas[k] * directions[1, k], areas[k] * directions[2, k]
        for d in range(n):
            shadows[d] += abs(directions[0, d] * z + directions[1, d] * y + directions[2, d] * x)
    return high - low, (high - low) * shadows


@njit(cache=True, nogil=True)
def _list_edges(points, triangles, neighbours, normals, kind, side):
    """The edges between facets of different planes: int64 [edges, 6], the two corners such that the first facet lies to
    the left, then the side and kind of each of the two facets.
    """
    edges = np.empty((3 * len(triangles) // 2, 6), np.int64)
    n = 0
    for f in range(len(triangles)):
        for c in range(3):
            g = neighbours[f, c]
            if f < g and (kind[f] != kind[g] or side[f] != side[g]):
                i, j, k = triangles[f, c], triangles[f, (c + 1) % 3], triangles[f, (c + 2) % 3]
                turn = 0.0
                for a in range(3):
                    b, e = (a + 1) % 3, (a + 2) % 3
                    one = (points[k, b] - points[j, b]) * (points[i, e] - points[j, e])
                    turn += (one - (points[k, e] - points[j, e]) * (points[i, b] - points[j, b])) * normals[f, a]
                edges[n, 0], edges[n, 1] = (j, k) if turn > 0 else (k, j)
                edges[n, 2], edges[n, 3], edges[n, 4], edges[n, 5] = side[f], kind[f], side[g], kind[g]
                n += 1
    return edges[:n].copy()


@njit(cache=True, nogil=True)
def _project(points, starts, ends, n, z, y, x, flat, steps):
    """Write where edges start and how they run, float64 [2, n], in two coordinates across a direction (z, y, x)."""
    # the first coordinate's axis: at right angles to the direction and to the axis that it is farthest from
    a, b, c = 0.0, 0.0, 0.0
    if abs(z) <= abs(y) and abs(z) <= abs(x):
        length = np.sqrt(y * y + x * x)
        b, c = x / length, -y / length
    elif abs(y) <= abs(x):
        length = np.sqrt(z * z + x * x)
        a, c = -x / length, z / length
    else:
        length = np.sqrt(z * z + y * y)
        a, b = y / length, -z / length
    p, q, r = y * c - x * b, x * a - z * c, z * b - y * a
    for k in range(n):
        i, j = starts[k], ends[k]
        flat[0, k] = a * points[i, 0] + b * points[i, 1] + c * points[i, 2]
        flat[1, k] = p * points[i, 0] + q * points[i, 1] + r * points[i, 2]
        steps[0, k] = a * points[j, 0] + b * points[j, 1] + c * points[j, 2] - flat[0, k]
        steps[1, k] = p * points[j, 0] + q * points[j, 1] + r * points[j, 2] - flat[1, k]


@njit(cache=True, nogil=True)
def _measure_rectangles(flat, steps, n, extent):
    """Write how far an outline reaches along each edge, back and forth, and across it, times the edge's length; float64
    [3, n]. It lies to the left of its edges.
    """
    for k in range(n):
        extent[0, k], extent[1, k], extent[2, k] = np.inf, -np.inf, -np.inf
    for i in range(n):
        u, v = flat[0, i], flat[1, i]
        for k in range(n):
            along, across = u * steps[0, k] + v * steps[1, k], v * steps[0, k] - u * steps[1, k]
            extent[0, k] = along if along < extent[0, k] else extent[0, k]
            extent[1, k] = along if along > extent[1, k] else extent[1, k]
            extent[2, k] = across if across > extent[2, k] else extent[2, k]
    for k in range(n):
        extent[2, k] -= flat[1, k] * steps[0, k] - flat[0, k] * steps[1, k]
