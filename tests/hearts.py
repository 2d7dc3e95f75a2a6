"""Left ventricles of known form and uptake: a cylinder with an ellipsoidal cap, drawn by its formula."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter

from radiomics_pipeline.params.polar_map import PolarMap
from radiomics_pipeline.types import Grid, Region, Volume

RADIUS, WALL, CYLINDER, CAP = 20.0, 10.0, 44.0, 26.0
"""Of the cavity, in mm."""
STACK = {"method": "short-axis", "base": "+z", "anterior": "-y", "lateral": "+x"}
"""How these hearts lie in their arrays."""


def even(angle: np.ndarray, height: np.ndarray) -> np.ndarray:
    """The same uptake everywhere."""
    return np.ones_like(angle)


def heart(
    uptake: Callable[[np.ndarray, np.ndarray], np.ndarray] = even,
    *,
    voxel_mm: float = 4.0,
    count: int = 28,
    blur_mm: float = 0.0,
    background: float = 0.0,
) -> tuple[Volume, Region]:
    """A short-axis stack: x to the lateral wall, y to the inferior one, z from the apex to the base.

    uptake : of the angle (degrees, from lateral over anterior) and the height over the cap's end, mm
    blur_mm : full width at half maximum
    """
    grid = Grid((count, count, count), (voxel_mm,) * 3)
    z, y, x = ((np.indices(grid.shape) - (count - 1) / 2) * voxel_mm).astype(float)
    z = z + (CYLINDER - CAP - WALL) / 2
    across = np.hypot(y, x)
    below = np.minimum(z, 0)
    inside = np.hypot(across / RADIUS, below / CAP) < 1
    wall = (np.hypot(across / (RADIUS + WALL), below / (CAP + WALL)) < 1) & ~inside & (z <= CYLINDER)
    array = np.where(wall, 100 * uptake(np.degrees(np.arctan2(-y, x)) % 360, z), background)
    if blur_mm:
        array = gaussian_filter(array, blur_mm / 2.3548 / voxel_mm)
    return Volume(array, grid, "counts"), Region(wall, wall, grid)


def settings(**changes: object) -> PolarMap:
    """Parameters for these hearts."""
    return PolarMap.model_validate({"axis": STACK, **changes})


def moved(volume: Volume, region: Region, grid: Grid, array: np.ndarray, mask: np.ndarray) -> tuple[Volume, Region]:
    """The same on another grid."""
    return Volume(array, grid, volume.unit), Region(mask, mask, grid)


def flipped(volume: Volume, region: Region, axis: int) -> tuple[Volume, Region]:
    """The array turned round along an axis (0: z), at the same place in the patient."""
    grid = volume.grid
    corner = [0, 0, 0]
    corner[axis] = grid.shape[axis] - 1
    origin = tuple(float(c) for c in grid.position_mm((corner[0], corner[1], corner[2])))
    direction = np.array(grid.direction).reshape(3, 3)
    direction[:, 2 - axis] *= -1
    turned = Grid(grid.shape, grid.spacing_mm, origin, tuple(direction.ravel().tolist()))
    return moved(volume, region, turned, np.flip(volume.array, axis), np.flip(region.morphology, axis))
