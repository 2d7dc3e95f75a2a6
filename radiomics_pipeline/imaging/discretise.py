"""Grey levels from intensities (IBSI 1, section 2.7)."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.errors import DiscretisationError
from radiomics_pipeline.params.extraction import Discretise, FixedBinNumber, FixedBinSize
from radiomics_pipeline.types import Levels, Region, Volume

MAX_LEVELS = 4096
"""More grey levels than this are an error in the unit or the bin width, not a texture."""


def discretise(volume: Volume, region: Region, params: Discretise) -> Levels:
    """Grey levels 1..count in the intensity mask.

    Fixed bin size: floor((x - origin) / width) + 1. Fixed bin number N: floor(N (x - min) / (max - min)) + 1,
    the maximum in bin N; a flat region is one level. None: the intensities themselves, whole numbers from 1.
    Raises DiscretisationError for intensities below the first bin, for more than 4096 levels, and for
    intensities that are no levels.
    """
    inside = volume.array[region.intensity]
    if isinstance(params, FixedBinSize):
        levels = _fixed_bin_size(inside, params, volume.unit)
    elif isinstance(params, FixedBinNumber):
        low, high = inside.min(), inside.max()
        scaled = np.floor(params.bins * (inside - low) / (high - low)) if high > low else np.zeros_like(inside)
        levels = np.minimum(scaled, params.bins - 1) + 1
    else:
        levels = _as_they_are(inside)
    highest = float(levels.max())
    if highest > MAX_LEVELS:
        raise DiscretisationError(
            f"{highest:.0f} grey levels (at most {MAX_LEVELS}): intensities run from {inside.min():g} to "
            f"{inside.max():g}; is the image in {volume.unit or 'the unit meant'}? If so, use wider bins"
        )
    array = np.zeros(volume.array.shape, np.int32)
    array[region.intensity] = levels.astype(np.int32)
    return Levels(array, int(highest))


def _fixed_bin_size(inside: np.ndarray, params: FixedBinSize, unit: str) -> np.ndarray:
    below = inside < params.origin
    if below.any():
        raise DiscretisationError(
            f"{int(below.sum())} of {inside.size} voxels lie below the first bin, which begins at {params.origin:g} "
            f"{unit} (lowest: {inside.min():g}); re-segment from {params.origin:g}, or set a lower origin"
        )
    return np.floor((inside - params.origin) / params.width) + 1


def _as_they_are(inside: np.ndarray) -> np.ndarray:
    wrong = (inside != np.rint(inside)) | (inside < 1)
    if wrong.any():
        raise DiscretisationError(
            f"{int(wrong.sum())} of {inside.size} intensities, such as {inside[wrong][0]:g}, are no whole numbers "
            "from 1; choose a discretisation"
        )
    return inside
