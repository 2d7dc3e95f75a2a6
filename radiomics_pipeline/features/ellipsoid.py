"""Ellipsoids that describe a region: by its principal axes, and the smallest around it."""

from __future__ import annotations

import math

import numpy as np

from radiomics_pipeline.features.registry import Undefined
from radiomics_pipeline.kernels.ellipsoid import find_ellipsoid

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
    smallest, middle, largest = np.linalg.eigvalsh(covariance).tolist()
    return np.array([scale * math.sqrt(v) if v > 1e-12 * largest else 0.0 for v in (largest, middle, smallest)])


def ellipsoid_volume(axes: np.ndarray) -> float:
    """Volume of an ellipsoid with these semi-axes."""
    return 4 / 3 * math.pi * math.prod(axes.tolist())


def ellipsoid_area(axes: np.ndarray) -> float:
    """Surface area of an ellipsoid with these semi-axes (largest first, above 0), by the IBSI's series to degree 20.

    The IBSI takes both eccentricities against the largest axis (the exact series, both against the smallest), so
    that this is the true area of a sphere only: it is 4 % too small for the digital phantom, too large for flat
    forms. Its reference values hold for the series as printed (the true area misses that of the phantom),
    and so we keep to it.

    The terms (alpha beta)^n P_n((alpha^2 + beta^2) / (2 alpha beta)) are polynomials in alpha^2 and beta^2; their
    recurrence also serves where alpha or beta is 0.
    """
    a, b, c = map(float, axes)
    alpha2, beta2 = 1 - (b / a) ** 2, 1 - (c / a) ** 2
    before, term, total = 0.0, 1.0, 1.0
    for n in range(1, 21):
        before, term = term, ((2 * n - 1) * (alpha2 + beta2) / 2 * term - (n - 1) * alpha2 * beta2 * before) / n
        total += term / (1 - 4 * n * n)
    return 4 * math.pi * a * b * total


def smallest_ellipsoid(points: np.ndarray) -> np.ndarray:
    """Semi-axes of the smallest ellipsoid around points [n, 3] that do not lie in a plane; largest first."""
    points = np.ascontiguousarray(points, np.float64)
    covariance, violation = find_ellipsoid(points, FIRST_STEPS, TOLERANCE, MAX_STEPS)
    if violation > LOOSEST:
        raise Undefined(f"the smallest ellipsoid was not found in {MAX_STEPS} steps")
    return semi_axes(covariance, math.sqrt(3))
