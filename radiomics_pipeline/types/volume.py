"""A scalar image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.types.arrays import read_only
from radiomics_pipeline.types.grid import Grid


@dataclass(frozen=True)
class Volume:
    """Scalar image on a regular grid.

    array : float64 [z, y, x], finite, read-only
    grid : where its voxels lie
    unit : of the intensities, such as "SUV" or "HU"; empty where not known
    native : keep the array's own type of number, as standard `pyradiomics` asks, which computes in it
    """

    array: np.ndarray
    grid: Grid
    unit: str = ""
    native: bool = False

    def __post_init__(self) -> None:
        if self.array.shape != self.grid.shape:
            raise ValueError(f"array {self.array.shape} does not fit the grid {self.grid.shape}")
        dtype = self.array.dtype.newbyteorder("=") if self.native else np.dtype(np.float64)
        object.__setattr__(self, "array", read_only(self.array, dtype))

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between voxel centres (z, y, x)."""
        return self.grid.spacing_mm
