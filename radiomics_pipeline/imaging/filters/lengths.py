"""Lengths that parameters give in mm or in voxels, as `<name>_mm` or `<name>_voxels`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from radiomics_pipeline.errors import AnisotropicVoxels
from radiomics_pipeline.imaging.filters.spec import Spacing

ALIKE = 1e-3
"""Relative difference of edges up to which voxels count as isotropic: headers are rounded."""
UNITS = {"mm": "mm", "voxels": "vox"}
"""How each ends a setting's name, and how it is written in the name of an image."""


def require_one(params: Any, *names: str) -> None:
    """ValueError unless each of these lengths is given in one unit."""
    for name in names:
        if sum(getattr(params, f"{name}_{unit}") is not None for unit in UNITS) != 1:
            raise ValueError(f"give either {name}_mm or {name}_voxels")


def in_voxels(params: Any, name: str, spacing_mm: Spacing) -> float:
    """A length in voxels; AnisotropicVoxels where it is given in mm and the edges along the filter's axes differ."""
    voxels = getattr(params, f"{name}_voxels")
    if voxels is not None:
        return float(voxels)
    return float(getattr(params, f"{name}_mm")) / isotropic(spacing_mm, params.axes, name)


def most_voxels(params: Any, name: str, spacing_mm: Spacing) -> float:
    """The same by the smallest edge: no less than it is along any axis."""
    voxels = getattr(params, f"{name}_voxels")
    if voxels is not None:
        return float(voxels)
    return float(getattr(params, f"{name}_mm")) / min(spacing_mm[axis] for axis in params.axes)


def written(params: Any, name: str) -> str:
    """A length in the name of an image, such as 3mm or 1.5vox."""
    return next(
        f"{value:g}{short}" for unit, short in UNITS.items() if (value := getattr(params, f"{name}_{unit}")) is not None
    )


def isotropic(spacing_mm: Spacing, axes: Sequence[int], name: str) -> float:
    """Edge of the voxels along these axes, mm; AnisotropicVoxels where they differ: a filter would be distorted."""
    edges = [spacing_mm[axis] for axis in axes]
    if max(edges) > min(edges) * (1 + ALIKE):
        raise AnisotropicVoxels(
            f"filter with {name}: voxels of {' x '.join(f'{e:g}' for e in edges)} mm; resample to voxels of one edge, "
            "or filter slice by slice (slicewise: true)"
        )
    return float(np.mean(edges))
