"""Gaussian kernels cut off at some widths."""

from __future__ import annotations

import math

import numpy as np


def reach_of(sigma: float, truncate: float) -> int:
    """Voxels on either side of the middle of a kernel of this width, in voxels, cut off at `truncate` widths."""
    return math.floor(truncate * sigma + 0.5)


def gaussian(sigma: float, truncate: float) -> tuple[np.ndarray, np.ndarray]:
    """A Gaussian of this width in voxels and its second derivative, float64 [2 reach + 1]."""
    k = np.arange(-reach_of(sigma, truncate), reach_of(sigma, truncate) + 1, dtype=np.float64)
    bell = np.exp(-(k**2) / (2 * sigma**2)) / (math.sqrt(2 * math.pi) * sigma)
    return bell, bell * (k**2 / sigma**4 - 1 / sigma**2)
