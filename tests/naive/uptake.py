"""Slow twins of the conventional indices of uptake, voxel by voxel from their definitions."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

from tests.naive import voxels
from tests.naive.intensities import peaks


def indices(image, mask, spacing_mm):
    """The indices that need no reference, by name; `mask` on the whole image."""
    values = [float(image[at]) for at in voxels(mask)]
    n, voxel_ml = len(values), math.prod(spacing_mm) / 1000
    mean = math.fsum(values) / n
    at_maximum, anywhere = peaks(image, mask, (0, 0, 0), spacing_mm)
    whole = math.fsum(float(image[at]) for at in itertools.product(*map(range, image.shape))) * voxel_ml
    found = {
        "Maximum": max(values),
        "Mean": mean,
        "Minimum": min(values),
        "StandardDeviation": math.sqrt(math.fsum((v - mean) ** 2 for v in values) / n),
        "PeakAtMaximum": at_maximum,
        "PeakAnywhere": anywhere,
        "Volume": n * voxel_ml,
        "Tlg": mean * n * voxel_ml,
        "CountsShare": math.fsum(values) * voxel_ml / whole,
    }
    for quarter in range(4):
        inside = [v for v in values if quarter_of(v, values) == quarter]
        found[f"Quarter{quarter + 1}Share"] = len(inside) / n
        found[f"Quarter{quarter + 1}Tlg"] = math.fsum(inside) * voxel_ml
    return found


def quarter_of(value, values):
    """Quarter 0..3 of the range of the values, in exact arithmetic; an inner edge belongs to the upper quarter."""
    low, high = Fraction(min(values)), Fraction(max(values))
    edges = [low + (high - low) * Fraction(k, 4) for k in (1, 2, 3)]
    return sum(Fraction(value) >= edge for edge in edges)


def above(image, mask, limit, voxel_ml):
    """Volume and total of the voxels of at least a limit."""
    inside = [float(image[at]) for at in voxels(mask) if image[at] >= limit]
    return len(inside) * voxel_ml, math.fsum(inside) * voxel_ml


def reference(image, mask, spacing_mm, *, erode_mm=0.0, sphere_mm=None):
    """The values in a reference region after erosion and sphere, by looking at every pair of voxels.

    What lies beyond the image is outside the mask.
    """
    inside = set(voxels(mask))
    around = itertools.product(*(range(-1, n + 1) for n in image.shape))
    outside = [at for at in around if at not in inside]

    def apart(one, other):
        return math.dist(*([i * mm for i, mm in zip(at, spacing_mm, strict=True)] for at in (one, other)))

    depth = {at: min(apart(at, other) for other in outside) for at in sorted(inside)}
    kept = [at for at in depth if not erode_mm or depth[at] > erode_mm]
    if sphere_mm is not None:
        middle = [math.fsum(at[axis] for at in depth) / len(depth) for axis in range(3)]
        deep = [at for at in depth if depth[at] >= max(depth.values()) * (1 - 1e-9)]
        nearest = min(apart(at, middle) for at in deep)
        centre = next(at for at in deep if apart(at, middle) <= nearest * (1 + 1e-9) + 1e-9)
        kept = [at for at in kept if apart(at, centre) <= sphere_mm / 2 * (1 + 1e-12)]
    return [float(image[at]) for at in kept]
