"""Watershed of the gradient: lesion and background meet where the intensity falls fastest."""

from __future__ import annotations

import numpy as np


def watershed(
    array: np.ndarray,
    lesion: np.ndarray,
    background: np.ndarray,
    active: np.ndarray,
    spacing_mm: tuple[float, float, float],
) -> np.ndarray:
    """The voxels that are flooded from the lesion's seeds.

    The magnitude of the gradient (central differences, per mm) is flooded from both kinds of seeds, over faces,
    edges and corners (Meyer 1994).

    array : float64 [z, y, x]
    lesion, background, active : bool [z, y, x]; seeds lie in `active`, beyond which nothing is flooded
    """
    from skimage.segmentation import watershed as flood

    along = [
        np.gradient(array, mm, axis=axis)
        for axis, (n, mm) in enumerate(zip(array.shape, spacing_mm, strict=True))
        if n > 1
    ]
    steepness = np.sqrt(sum(part**2 for part in along)) if along else np.zeros(array.shape)
    markers = lesion.astype(np.int8) + 2 * background.astype(np.int8)
    return np.asarray(flood(steepness, markers, connectivity=np.ones((3, 3, 3), bool), mask=active) == 1)
