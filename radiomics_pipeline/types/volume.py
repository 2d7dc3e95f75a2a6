"""A scalar image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.types.grid import Grid


@dataclass(frozen=True)
class Volume:
    """Scalar image on a regular grid.

    array : float64 [z, y, x], finite, read-only
    grid : where its voxels lie
    unit : of the intensities, such as "SUV" or "HU"; empty where not known
    """

    array: np.ndarray
    grid: Grid
    unit: str = ""

    def __post_init__(self) -> None:
        if self.array.shape != self.grid.shape:
            raise ValueError(f"array {self.array.shape} does not fit the grid {self.grid.shape}")
        array = np.ascontiguousarray(self.array, np.float64).view()
        array.flags.writeable = False
        object.__setattr__(self, "array", array)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between voxel centres (z, y, x)."""
        return self.grid.spacing_mm
