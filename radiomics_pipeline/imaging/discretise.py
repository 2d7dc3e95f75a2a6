"""Grey levels from intensities (IBSI 1, section 2.7)."""

from __future__ import annotations

import math

import numpy as np

from radiomics_pipeline.errors import DiscretisationError
from radiomics_pipeline.kernels.intensities import count_steps, find_range
from radiomics_pipeline.params.levels import Discretise, FixedBinNumber, FixedBinSize
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
    image, mask = volume.array.ravel(), region.intensity.ravel()
    low, high = find_range(image, mask)
    if isinstance(params, FixedBinSize):
        if low < params.origin:
            raise _too_low(image[mask], params.origin, volume.unit)
        count = np.floor((high - params.origin) / params.width) + 1
        step = params.origin, 1.0, params.width
    elif isinstance(params, FixedBinNumber):
        _require_numbers(low, high, params.bins)
        count = params.bins if high > low else 1
        step = low, float(params.bins), high - low
    else:
        _require_levels(image[mask])
        count = high
        step = 1.0, 1.0, 1.0
    if count > MAX_LEVELS:
        raise DiscretisationError(
            f"{count:.15g} grey levels (at most {MAX_LEVELS}): intensities run from {low:g} to {high:g}; is the image "
            f"in {volume.unit or 'the unit meant'}? If so, use wider bins"
        )
    levels = mask.astype(np.int32) if count == 1 else count_steps(image, mask, *step, int(count))
    return Levels(levels.reshape(volume.array.shape), int(count))


def _too_low(inside: np.ndarray, origin: float, unit: str) -> DiscretisationError:
    return DiscretisationError(
        f"{np.count_nonzero(inside < origin)} of {inside.size} voxels lie below the first bin, which begins at "
        f"{origin:g} {unit} (lowest: {inside.min():g}); re-segment from {origin:g}, or set a lower origin"
    )


def _require_numbers(low: float, high: float, bins: int) -> None:
    if not math.isfinite(bins * (high - low)):
        raise DiscretisationError(
            f"intensities run from {low:g} to {high:g}: {bins} times their range exceeds the range of numbers; is one "
            "of them wrong? Re-segment to leave it out"
        )


def _require_levels(inside: np.ndarray) -> None:
    wrong = (inside != np.rint(inside)) | (inside < 1)
    if wrong.any():
        raise DiscretisationError(
            f"{int(wrong.sum())} of {inside.size} intensities, such as {inside[wrong][0]:g}, are no whole numbers "
            "from 1; choose a discretisation"
        )
