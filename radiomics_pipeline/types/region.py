"""The part of an image that is described."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.types.arrays import read_only
from radiomics_pipeline.types.grid import Grid


@dataclass(frozen=True)
class Region:
    """A region of interest as its two masks (IBSI 1, section 2.3).

    morphology : bool [z, y, x], the outline as drawn (and resampled); shape is measured on it
    intensity : bool [z, y, x], what re-segmentation left of it; intensities are taken from it
    grid : where the voxels lie
    name, label : name of the region and its value in the mask file
    """

    morphology: np.ndarray
    intensity: np.ndarray
    grid: Grid
    name: str = ""
    label: int = 1

    def __post_init__(self) -> None:
        for field in ("morphology", "intensity"):
            mask = getattr(self, field)
            if mask.shape != self.grid.shape:
                raise ValueError(f"{field} mask {mask.shape} does not fit the grid {self.grid.shape}")
            object.__setattr__(self, field, read_only(mask, bool))

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between voxel centres (z, y, x)."""
        return self.grid.spacing_mm
