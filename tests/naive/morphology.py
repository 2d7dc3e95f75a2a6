"""Slow twins of what morphology is computed with, from the definitions. Nothing here is shared with the package."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np


def cross(a, b):
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def dot(a, b):
    return sum(p * q for p, q in zip(a, b, strict=True))


def less(a, b):
    return tuple(p - q for p, q in zip(a, b, strict=True))


def sum_intensities(values, mask):
    """Number of voxels, sums of v, |v|, z v, y v, x v, smallest and largest v."""
    inside = [(float(values[at]), at) for at in itertools.product(*map(range, mask.shape)) if mask[at]]
    weighted = [math.fsum(v * at[axis] for v, at in inside) for axis in range(3)]
    v = [value for value, _ in inside]
    return [len(v), math.fsum(v), math.fsum(map(abs, v)), *weighted, min(v), max(v)]


def transform(f, k, parities, middle=True):
    """Sum of f times a cosine (parity 0) or sine (1) along each axis about its middle, of period 2 n - 1."""
    total = 0.0
    for at in itertools.product(*map(range, f.shape)):
        term = float(f[at])
        for n, i, frequency, parity in zip(f.shape, at, k, parities, strict=True):
            turn = 2 * math.pi * frequency * (i - (n - 1) / 2) / (2 * n - 1)
            term *= math.sin(turn) if parity else math.cos(turn)
        total += term
    return total


def fold(line, parity):
    """Even or odd part of a line at growing distance from its middle, by the half-axis that starts there."""
    n = len(line)
    if n == 1:
        return [line[0]]
    sign = -1 if parity else 1
    return [line[n // 2 + i] + sign * line[n - 1 - n // 2 - i] for i in range((n + 1) // 2)]


def fold_axes(f, parities):
    """The parts of an array by the parity along each axis."""
    for axis, parity in enumerate(parities):
        f = np.apply_along_axis(fold, axis, f, parity)
    return f


def add_spectra(spectra, weights, first):
    """Sums over all but the last axis of w a a, w b b and w a c."""
    _, np_z, nkz, nky, nkx = spectra.shape
    sums = np.zeros((3, nkx))
    for p, kz, ky, kx in itertools.product(*map(range, (np_z, nkz, nky, nkx))):
        a, b, c = spectra[:, p, kz, ky, kx]
        sums[:, kx] += weights[first + ky, kz, kx] * np.array([a * a, b * b, a * c])
    return sums


def find_box(mask):
    """Number of voxels inside; along each axis the smallest index and one more than the largest (0, 0 without any)."""
    inside = [at for at in itertools.product(*map(range, mask.shape)) if mask[at]]
    spans = [(min(i), max(i) + 1) for i in zip(*inside, strict=True)] or [(0, 0)] * 3
    return [len(inside), *itertools.chain(*spans)]


def corners_by_plane(points, axis):
    """The points that are no mean, with weights, of others in their plane: in no triangle and on no line of these."""
    found = set()
    for p in points:
        others = [np.delete(q, axis).tolist() for q in points if q[axis] == p[axis] and tuple(q) != tuple(p)]
        at = np.delete(p, axis).tolist()
        if not any(_between(at, a, b) for a, b in itertools.combinations(others, 2)) and not any(
            _within(at, *three) for three in itertools.combinations(others, 3)
        ):
            found.add(tuple(int(i) for i in p))
    return found


def _turn(o, a, b):
    return (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])


def _between(p, a, b):
    return _turn(a, b, p) == 0 and min(a, b) <= p <= max(a, b)


def _within(p, a, b, c):
    turns = [_turn(a, b, p), _turn(b, c, p), _turn(c, a, p)]
    return all(t > 0 for t in turns) or all(t < 0 for t in turns)


def hull_planes(points):
    """All planes through three points that have no point on one of their sides: (normal, height) in lowest terms, with
    the points in each.
    """
    points = [tuple(int(i) for i in p) for p in points]
    planes = {}
    for a, b, c in itertools.combinations(points, 3):
        normal = cross(less(b, a), less(c, a))
        if normal == (0, 0, 0):
            continue
        heights = [dot(normal, less(p, a)) for p in points]
        if min(heights) < 0 < max(heights):
            continue
        if max(heights) > 0:
            normal = tuple(-i for i in normal)
        size = math.gcd(*normal)
        normal = tuple(i // size for i in normal)
        planes[normal, dot(normal, a)] = {p for p in points if dot(normal, p) == dot(normal, a)}
    return planes


def hull_volume(points):
    """Exactly, as the sum of pyramids from the hull's faces to the first point."""
    total = Fraction(0)
    for (normal, height), face in hull_planes(points).items():
        # the face's area over the length of its normal, from its shadow along the normal's largest component
        axis = max(range(3), key=lambda a: abs(normal[a]))
        shadow = sorted(tuple(p[a] for a in range(3) if a != axis) for p in face)
        area = Fraction(_area_2d(shadow), 2 * abs(normal[axis]))
        total += Fraction(height - dot(normal, tuple(int(i) for i in points[0]))) * area / 3
    return float(total)


def _area_2d(points):
    """Twice the area of the convex hull of points in a plane."""
    middle = tuple(Fraction(sum(p[a] for p in points), len(points)) for a in (0, 1))
    edges = [
        (a, b)
        for a, b in itertools.permutations(points, 2)
        if all(_turn(a, b, p) >= 0 for p in points)
        and all(_turn(a, b, p) > 0 or min(a, b) <= p <= max(a, b) for p in points)
    ]
    return sum(_turn(middle, a, b) for a, b in edges)


def smallest_box(points):
    """Volume of the smallest of all boxes with a side in a plane of the hull or along the axes, and a second side along
    the shadow in that plane of a line through any two points.
    """
    points = np.asarray(points, float)
    centred = points - points.mean(axis=0)
    normals = [np.eye(3)[a] for a in range(3)]
    for a, b, c in itertools.combinations(points, 3):
        normal = np.cross(b - a, c - a)
        if np.linalg.norm(normal) > 1e-9:
            heights = (points - a) @ (normal / np.linalg.norm(normal))
            if heights.max() < 1e-9 or heights.min() > -1e-9:
                normals.append(normal / np.linalg.norm(normal))
    volumes = []
    for normal in normals:
        for a, b in itertools.combinations(points, 2):
            along = (b - a) - normal * ((b - a) @ normal)
            if np.linalg.norm(along) > 1e-6:
                along /= np.linalg.norm(along)
                frame = np.stack([normal, along, np.cross(normal, along)])
                volumes.append(float(np.prod(np.ptp(centred @ frame.T, axis=0))))
    return min(volumes)


def ellipsoid_violation(points, weights):
    """How far weights are from those of the smallest ellipsoid, by the conditions that prove it (F. John): no weight
    below 0, their sum 1, no point outside the ellipsoid of the weighted mean and covariance, none with weight inside.
    """
    middle = sum(w * p for w, p in zip(weights, points, strict=True))
    covariance = sum(w * np.outer(p - middle, p - middle) for w, p in zip(weights, points, strict=True))
    inverse = np.linalg.inv(covariance)
    reach = [float((p - middle) @ inverse @ (p - middle)) / 3 for p in points]
    inside = [1 - r for r, w in zip(reach, weights, strict=True) if w > 0]
    return max(max(reach) - 1, *inside, -min(weights), abs(sum(weights) - 1))


def smallest_ellipsoid_volume(points, steps=4000):
    """By Titterington's algorithm: each weight grows with its point's distance, over and over (slow, never above)."""
    lifted = np.column_stack([points, np.ones(len(points))])
    weights = np.full(len(points), 1 / len(points))
    for _ in range(steps):
        inverse = np.linalg.inv((weights[:, None] * lifted).T @ lifted)
        weights = weights * np.einsum("ia,ab,ib->i", lifted, inverse, lifted) / 4
    centred = points - weights @ points
    covariance = (weights[:, None] * centred).T @ centred
    return 4 / 3 * math.pi * math.sqrt(27 * np.linalg.det(covariance))
