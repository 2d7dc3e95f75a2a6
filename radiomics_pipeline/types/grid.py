"""The regular grid of voxel centres on which a volume or a region lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Grid:
    """Where the voxels of an array [z, y, x] lie in the patient.

    shape, spacing_mm : (z, y, x), as the array's axes
    origin_mm : centre of voxel [0, 0, 0] in patient coordinates (x, y, z), DICOM's LPS
    direction : 3 x 3 by rows; its columns are the unit vectors of the array's x, y and z axes
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    direction: tuple[float, ...] = IDENTITY

    @property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel."""
        return float(np.prod(self.spacing_mm))

    def position_mm(self, index: tuple[float, float, float]) -> np.ndarray:
        """Patient coordinates (x, y, z) of a point given as array index (z, y, x)."""
        step = np.array(self.spacing_mm[::-1]) * np.array(index[::-1], float)
        return np.array(self.origin_mm) + np.array(self.direction).reshape(3, 3) @ step

    def crop(self, low: tuple[int, int, int], high: tuple[int, int, int]) -> Grid:
        """The part from index `low` up to, not including, `high`, both (z, y, x)."""
        shape = tuple(h - n for n, h in zip(low, high, strict=True))
        origin = tuple(float(c) for c in self.position_mm(low))
        return Grid(shape, self.spacing_mm, origin, self.direction)  # type: ignore[arg-type]

    def distance_in_voxels(self, other: Grid) -> float:
        """Largest shift of a corner voxel between two grids of one shape, in voxels of this one."""
        corners = [
            (z, y, x) for z in (0, self.shape[0] - 1) for y in (0, self.shape[1] - 1) for x in (0, self.shape[2] - 1)
        ]
        axes = np.array(self.direction).reshape(3, 3)
        shift_mm = np.array([axes.T @ (self.position_mm(c) - other.position_mm(c)) for c in corners])
        return float(np.abs(shift_mm / np.array(self.spacing_mm[::-1])).max())
