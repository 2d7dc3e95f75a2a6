"""Extents of a convex hull."""

from __future__ import annotations

import numpy as np
from numba import njit


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


@njit(cache=True, nogil=True)
def find_smallest_box(points, edges, facets, directions):
    """Sides of the smallest box around a convex hull that has a side across one of the directions.

    Seen along a direction, the hull's outline consists of the edges between a facet that faces the viewer and
    one that does not; the smallest rectangle around a convex outline is flush with one of its edges.
    Of boxes of equal volume the one with the smallest area is taken.

    points : float64 [n, 3], corners of the hull
    edges : int64 [e, 4], the two corners of each edge and the two facets that it joins
    facets : float64 [f, 3], unit vector normal to each facet, outwards
    directions : float64 [d, 3], unit vectors to try
    returns : float64 [3], lengths of the sides
    """
    best = np.full(3, np.inf)
    best_volume, best_area = np.inf, np.inf
    facing = np.empty(len(facets), np.bool_)
    flat = np.empty((2 * len(edges), 2))
    for d in range(len(directions)):
        normal = directions[d]
        low, high = np.inf, -np.inf
        for i in range(len(points)):
            at = points[i, 0] * normal[0] + points[i, 1] * normal[1] + points[i, 2] * normal[2]
            low, high = min(low, at), max(high, at)
        for f in range(len(facets)):
            facing[f] = facets[f, 0] * normal[0] + facets[f, 1] * normal[1] + facets[f, 2] * normal[2] > 1e-9
        n = _outline(points, edges, facing, normal, flat)
        for k in range(0, n, 2):
            uy, ux = flat[k + 1, 0] - flat[k, 0], flat[k + 1, 1] - flat[k, 1]
            length = np.sqrt(uy * uy + ux * ux)
            if length < 1e-9 * (high - low):
                continue
            uy, ux = uy / length, ux / length
            low_u, high_u, low_w, high_w = np.inf, -np.inf, np.inf, -np.inf
            for i in range(n):
                u, w = flat[i, 0] * uy + flat[i, 1] * ux, flat[i, 0] * ux - flat[i, 1] * uy
                low_u, high_u, low_w, high_w = min(low_u, u), max(high_u, u), min(low_w, w), max(high_w, w)
            a, b, c = high - low, high_u - low_u, high_w - low_w
            volume, area = a * b * c, a * b + a * c + b * c
            if volume < best_volume * (1 - 1e-9) or (volume < best_volume * (1 + 1e-9) and area < best_area):
                best_volume, best_area = volume, area
                best[0], best[1], best[2] = a, b, c
    return best


@njit(cache=True, nogil=True)
def _outline(points, edges, facing, normal, flat):
    """Write the ends of the edges of the outline into `flat`, in two coordinates across `normal`; their number."""
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
    n = 0
    for e in range(len(edges)):
        if facing[edges[e, 2]] != facing[edges[e, 3]]:
            for end in range(2):
                p = points[edges[e, end]]
                flat[n, 0] = p[0] * first[0] + p[1] * first[1] + p[2] * first[2]
                flat[n, 1] = p[0] * second[0] + p[1] * second[1] + p[2] * second[2]
                n += 1
    return n
