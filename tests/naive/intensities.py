"""Slow twins of what is computed from intensities: spheres, lines between voxels, counts along an axis."""

from __future__ import annotations

import itertools
import math

import numpy as np

from tests.naive import voxels

RADIUS_MM = (3000 / (4 * math.pi)) ** (1 / 3)


def mean_in_sphere(image, centre, spacing_mm):
    """Mean of all voxels of the image whose centres lie within the radius of a sphere of 1 cm3."""
    inside = [
        float(image[at])
        for at in itertools.product(*(range(n) for n in image.shape))
        if math.dist(
            [i * s for i, s in zip(at, spacing_mm, strict=True)],
            [i * s for i, s in zip(centre, spacing_mm, strict=True)],
        )
        <= RADIUS_MM
    ]
    return math.fsum(inside) / len(inside)


def peaks(image, mask, offset, spacing_mm):
    """Local and global peak; the mask begins at index `offset` of the image."""
    centres = [tuple(i + o for i, o in zip(at, offset, strict=True)) for at in voxels(mask)]
    highest = max(image[at] for at in centres)
    means = {at: mean_in_sphere(image, at, spacing_mm) for at in centres}
    return max(mean for at, mean in means.items() if image[at] == highest), max(means.values())


def interpolate_linearly(array, places):
    """Value of a point of each combination of places along z, y and x, from the eight voxels around it."""
    found = {}
    for at in itertools.product(*(range(len(p)) for p in places)):
        point = [places[axis][i] for axis, i in enumerate(at)]
        total = 0.0
        for corner in itertools.product((0, 1), repeat=3):
            share, index = 1.0, []
            for axis, side in enumerate(corner):
                low = math.floor(point[axis])
                share *= point[axis] - low if side else 1 - (point[axis] - low)
                index.append(min(low + side, array.shape[axis] - 1))
            total += share * float(array[tuple(index)])
        found[at] = total
    return found


def intensity_volume(values, points):
    """The features by name, of voxels' intensities and of the ascending points of the intensity axis."""
    shares = [sum(v >= p for v in values) / len(values) for p in points]
    length = points[-1] - points[0]
    volume, intensity = {}, {}
    for percent in (10, 90):
        reached = [
            s
            for p, s in zip(points, shares, strict=True)
            if length and (p - points[0]) / length >= percent / 100 - 1e-12
        ]
        volume[percent] = max(reached, default=math.nan)
        few = [p for p, s in zip(points, shares, strict=True) if s <= percent / 100 + 1e-12]
        intensity[percent] = min(few, default=math.nan)
    area = sum((points[i + 1] - points[i]) / length * (shares[i] + shares[i + 1]) / 2 for i in range(len(points) - 1))
    return {
        "VolumeAtIntensityFraction10": volume[10],
        "VolumeAtIntensityFraction90": volume[90],
        "IntensityAtVolumeFraction10": intensity[10],
        "IntensityAtVolumeFraction90": intensity[90],
        "VolumeFractionDifference": volume[10] - volume[90],
        "IntensityFractionDifference": intensity[10] - intensity[90],
        "AreaUnderCurve": area,
    }


def interpolate_splines(values, places):
    """The cubic B-spline through the values of a line, reflected at both ends, at some places on it."""
    n = len(values)
    matrix = np.zeros((n, n))
    for i in range(n):
        for neighbour, weight in ((i - 1, 1 / 6), (i, 4 / 6), (i + 1, 1 / 6)):
            matrix[i, reflect(neighbour, n)] += weight
    coefficients = np.linalg.solve(matrix, values)
    return [sum(coefficients[reflect(i, n)] * bump(place - i) for i in range(-2, n + 3)) for place in places]


def reflect(i, n):
    while n > 1 and not 0 <= i < n:
        i = -i if i < 0 else 2 * (n - 1) - i
    return i if n > 1 else 0


def bump(t):
    """The cubic B-spline centred on 0."""
    t = abs(t)
    if t < 1:
        return 2 / 3 - t * t + t**3 / 2
    return (2 - t) ** 3 / 6 if t < 2 else 0.0
