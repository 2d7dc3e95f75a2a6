"""The sphere of 1 ml (1 cm3) whose mean intensity is a peak."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from radiomics_pipeline.kernels.peak import find_peaks
from radiomics_pipeline.types.arrays import read_only

RADIUS_MM = 10 * (3 / (4 * math.pi)) ** (1 / 3)
"""Of a sphere of 1 cm3: about 6.2 mm."""


@lru_cache(maxsize=64)
def sphere(spacing_mm: tuple[float, float, float]) -> np.ndarray:
    """The rows of voxels whose centres lie within the sphere's radius of its central voxel.

    returns : int64 [2 reach_z + 1, 2 reach_y + 1], at each offset (dz, dy) the largest |dx|, -1 where there is none
    """
    z_mm, y_mm, x_mm = spacing_mm
    reach_z, reach_y = int(RADIUS_MM / z_mm), int(RADIUS_MM / y_mm)
    dz, dy = np.ogrid[-reach_z : reach_z + 1, -reach_y : reach_y + 1]
    left = RADIUS_MM**2 - (dz * z_mm) ** 2 - (dy * y_mm) ** 2
    return np.where(left >= 0, np.floor(np.sqrt(np.maximum(left, 0)) / x_mm), -1).astype(np.int64)


def peaks_in(
    image: np.ndarray, mask: np.ndarray, offset: tuple[int, int, int], spacing_mm: tuple[float, float, float]
) -> tuple[float, float]:
    """Mean in the sphere around the voxel of highest intensity in a mask, and the highest around any of its voxels.

    image : float64 [z, y, x]; what of a sphere lies beyond it does not count
    mask : bool [z, y, x], a part of the image that begins at index `offset`; at least one voxel inside
    """
    rows = sphere(spacing_mm)
    reach = (rows.shape[0] // 2, rows.shape[1] // 2, int(rows.max()))
    low = [max(0, o - r) for o, r in zip(offset, reach, strict=True)]
    high = [o + n + r for o, n, r in zip(offset, mask.shape, reach, strict=True)]
    near = image[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    around_maximum, anywhere = find_peaks(read_only(near), read_only(mask), np.subtract(offset, low), rows).tolist()
    return around_maximum, anywhere
