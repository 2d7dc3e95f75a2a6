"""A width in mm as one in voxels, and Gaussian kernels cut off at some widths."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.imaging.filters.spec import Spacing

ALIKE = 1e-3
"""Relative difference of edges up to which voxels count as isotropic: headers are rounded."""


def isotropic(spacing_mm: Spacing, axes: Sequence[int], name: str) -> float:
    """Edge of the voxels along these axes, mm; ParamsError where they differ, since a filter would be distorted."""
    edges = [spacing_mm[axis] for axis in axes]
    if max(edges) > min(edges) * (1 + ALIKE):
        raise ParamsError(
            f"filter {name}: voxels of {' x '.join(f'{e:g}' for e in edges)} mm; resample to voxels of one edge, or "
            "filter slice by slice (slicewise: true)"
        )
    return float(np.mean(edges))


def reach_of(sigma: float, truncate: float) -> int:
    """Voxels on either side of the middle of a kernel of this width, in voxels, cut off at `truncate` widths."""
    return math.floor(truncate * sigma + 0.5)


def gaussian(sigma: float, truncate: float) -> tuple[np.ndarray, np.ndarray]:
    """A Gaussian of this width in voxels and its second derivative, float64 [2 reach + 1]."""
    k = np.arange(-reach_of(sigma, truncate), reach_of(sigma, truncate) + 1, dtype=np.float64)
    bell = np.exp(-(k**2) / (2 * sigma**2)) / (math.sqrt(2 * math.pi) * sigma)
    return bell, bell * (k**2 / sigma**4 - 1 / sigma**2)
