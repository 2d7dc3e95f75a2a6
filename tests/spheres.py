"""Spheres as a scanner shows them: blurred by its resolution, in noise. Their true outline is known."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter

from radiomics_pipeline.types import Grid, Volume

FINE = 4
"""Samples a voxel and axis."""


@lru_cache(maxsize=64)
def sphere_phantom(
    diameter_mm: float,
    contrast: float,
    *,
    voxel_mm: float = 2.0,
    fwhm_mm: float = 6.0,
    noise: float = 0.08,
    seed: int = 0,
    margin_mm: float = 24.0,
) -> tuple[Volume, np.ndarray]:
    """A sphere of intensity `contrast` in a background of 1, at a place between voxels that the seed chooses.

    noise : standard deviation of a voxel in the background; elsewhere as of counts, with the root of the intensity
    returns : the image, SUV, and the voxels whose centres lie in the sphere, bool [z, y, x]; both are one cube
    """
    random = np.random.default_rng(seed)
    n = int(np.ceil((diameter_mm + 2 * margin_mm) / voxel_mm))
    centre = (np.full(3, n) - 1) / 2 + random.uniform(-0.5, 0.5, 3)
    fine_mm = voxel_mm / FINE
    places = [((np.arange(n * FINE) + 0.5) / FINE - 0.5 - c) * voxel_mm for c in centre]
    z, y, x = np.ix_(*(p**2 for p in places))
    sharp = np.where(z + y + x <= (diameter_mm / 2) ** 2, contrast, 1.0)
    blurred = gaussian_filter(sharp, fwhm_mm / 2.3548200450309493 / fine_mm, truncate=5, mode="nearest")
    clean = blurred.reshape(n, FINE, n, FINE, n, FINE).mean(axis=(1, 3, 5))
    array = clean + noise * np.sqrt(clean) * random.standard_normal(clean.shape)
    z, y, x = np.ix_(*(((np.arange(n) - c) * voxel_mm) ** 2 for c in centre))
    grid = Grid(clean.shape, (voxel_mm,) * 3)
    return Volume(array, grid, "SUV"), z + y + x <= (diameter_mm / 2) ** 2
