"""Slow twins of the kernels behind shape: every cell, voxel and pair of points looked at one by one."""

from __future__ import annotations

import itertools
import math

import numpy as np

from tests.naive import voxels


def sum_cells(mask):
    found = np.zeros((256, 4), int)
    for z, y, x in itertools.product(*(range(n - 1) for n in mask.shape)):
        corners = itertools.product((0, 1), repeat=3)
        pattern = sum(int(mask[z + dz, y + dy, x + dx]) * 2**bit for bit, (dz, dy, dx) in enumerate(corners))
        if pattern not in (0, 255):
            found[pattern] += (1, z, y, x)
    return found


def surface_points(mask):
    """Points half-way between a voxel inside and a neighbour outside, in half voxels; the border of the array is 0."""
    points = set()
    for at in voxels(mask):
        for axis, side in itertools.product(range(3), (-1, 1)):
            beside = tuple(i + side * (a == axis) for a, i in enumerate(at))
            if not mask[beside]:
                points.add(tuple(i + j for i, j in zip(at, beside, strict=True)))
    return sorted(points)


def largest_distance(points, spacing_mm, within=None):
    """Largest distance between two points in half voxels, of those with the same coordinate on the axis `within`."""
    return max(
        math.dist(*([i * mm / 2 for i, mm in zip(point, spacing_mm, strict=True)] for point in pair))
        for pair in itertools.product(points, repeat=2)
        if within is None or pair[0][within] == pair[1][within]
    )


def row_ends(mask):
    """First and last point of each line along x that has any, by (z, y)."""
    lines = {}
    for z, y, x in surface_points(mask):
        first, last = lines.get((z, y), (x, x))
        lines[z, y] = min(first, x), max(last, x)
    return lines
