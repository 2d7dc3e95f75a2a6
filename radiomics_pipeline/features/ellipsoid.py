"""Ellipsoids that describe a region: by its principal axes, and the smallest around it."""

from __future__ import annotations

import math

import numpy as np

from radiomics_pipeline.features.registry import Undefined
from radiomics_pipeline.kernels.ellipsoid import find_ellipsoid_weights

TOLERANCE = 1e-10
"""Of the smallest ellipsoid; the IBSI suggests 0.001, by which its volume could depend on the algorithm's path."""

LOOSEST = 1e-6
"""Tolerance that is still accepted where more is not reached in MAX_STEPS."""

FIRST_STEPS, MAX_STEPS = 30, 1000
"""Steps that come near to the smallest ellipsoid, and those that find it at most."""


def semi_axes(covariance: np.ndarray, scale: float) -> np.ndarray:
    """`scale` times the standard deviations along the principal axes, float64 [3], largest first.

    covariance : float64 [3, 3], mm^2; an axis without extent, but for rounding, gets exactly 0
    """
    values = np.linalg.eigvalsh(covariance)[::-1]
    values = np.where(values > 1e-12 * values[0], values, 0.0)
    return scale * np.sqrt(values)


def ellipsoid_volume(axes: np.ndarray) -> float:
    """Volume of an ellipsoid with these semi-axes."""
    return 4 / 3 * math.pi * float(np.prod(axes))


def ellipsoid_area(axes: np.ndarray) -> float:
    """Surface area of an ellipsoid with these semi-axes (largest first, above 0), by the IBSI's series to degree 20.

    The IBSI takes both eccentricities against the largest axis (the exact series, both against the smallest), so
    that this is the true area of a sphere only: it is 4 % too small for the digital phantom, too large for flat
    forms. Its reference values hold for the series as printed (the true area misses that of the phantom),
    and so we keep to it.

    The terms (alpha beta)^n P_n((alpha^2 + beta^2) / (2 alpha beta)) are polynomials in alpha^2 and beta^2; their
    recurrence also serves where alpha or beta is 0.
    """
    a, b, c = (float(axis) for axis in axes)
    alpha2, beta2 = 1 - (b / a) ** 2, 1 - (c / a) ** 2
    before, term, total = 0.0, 1.0, 1.0
    for n in range(1, 21):
        before, term = term, ((2 * n - 1) * (alpha2 + beta2) / 2 * term - (n - 1) * alpha2 * beta2 * before) / n
        total += term / (1 - 4 * n * n)
    return 4 * math.pi * a * b * total


def smallest_ellipsoid(points: np.ndarray) -> np.ndarray:
    """Semi-axes of the smallest ellipsoid around points [n, 3] that do not lie in a plane; largest first."""
    middle, size = (points.max(axis=0) + points.min(axis=0)) / 2, np.ptp(points, axis=0)
    scaled = np.ascontiguousarray((points - middle) / size)
    weights, violation = find_ellipsoid_weights(scaled, _first_weights(scaled), FIRST_STEPS, TOLERANCE, MAX_STEPS)
    if violation > LOOSEST:
        raise Undefined(f"the smallest ellipsoid was not found in {MAX_STEPS} steps")
    centred = scaled - weights @ scaled
    covariance = (weights[:, None] * centred).T @ centred
    return semi_axes(covariance * np.outer(size, size), math.sqrt(3))


def _first_weights(points: np.ndarray) -> np.ndarray:
    """Equal weights for two extreme points in each of three directions, each at right angles to what is spanned.

    Kumar and Yildirim 2005, doi:10.1007/s10957-005-2653-6.
    """
    chosen: list[int] = []
    spanned = np.zeros((3, 3))
    for k in range(3):
        free = np.eye(3) - spanned.T @ spanned
        direction = free[np.argmax(np.diag(free))]
        along = points @ direction
        ends = int(np.argmin(along)), int(np.argmax(along))
        chosen += ends
        step = free @ (points[ends[1]] - points[ends[0]])
        spanned[k] = step / np.linalg.norm(step)
    weights = np.zeros(len(points))
    weights[np.unique(chosen)] = 1.0
    return weights / weights.sum()
