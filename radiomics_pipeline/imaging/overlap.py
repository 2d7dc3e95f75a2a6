"""Which voxels two outlines on one grid share: where lesions overlap, sums over them count twice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.imaging.boxes import bounding_box
from radiomics_pipeline.types import Region


@dataclass(frozen=True)
class Outline:
    """The outline of a region in its bounding box. low : index (z, y, x) of the box in the image; mask : bool"""

    name: str
    low: tuple[int, int, int]
    mask: np.ndarray


def outline_of(region: Region) -> Outline:
    """The outline of a region as drawn."""
    low, high = bounding_box(region.morphology)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    return Outline(region.name or str(region.label), low, region.morphology[box].copy())


def shared_voxels(first: Outline, second: Outline) -> int:
    """Number of voxels that both outlines hold."""
    sides = list(zip(first.low, first.mask.shape, second.low, second.mask.shape, strict=True))
    both = [(max(a, b), min(a + n, b + m)) for a, n, b, m in sides]
    if any(low >= high for low, high in both):
        return 0
    return int(np.count_nonzero(_part(first, both) & _part(second, both)))


def _part(outline: Outline, box: list[tuple[int, int]]) -> np.ndarray:
    """The outline in a box of the image: first voxel, and the one behind the last, along each axis."""
    return outline.mask[tuple(slice(a - start, b - start) for (a, b), start in zip(box, outline.low, strict=True))]
