"""Voxels counted along an axis of intensities, for the intensity-volume histogram (IBSI 1, P88C)."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.params.extraction import IvhBinNumber, IvhBinSize, IvhScale
from radiomics_pipeline.types import Region, Volume
from radiomics_pipeline.types.ivh import IntensityVolume

MOST_COUNTED = 2**20
"""Points of an axis that are counted one by one; of a longer one only the voxels' places are sorted."""


def intensity_volume(
    volume: Volume, region: Region, scale: IvhScale, resegmented: tuple[float | None, float | None] = (None, None)
) -> IntensityVolume:
    """The voxels of the intensity mask along the axis that the scale and the re-segmentation range give.

    Where an end of the range is open, the lowest or highest intensity stands for it.

    - as they are: the range in steps of 1.
    - fixed bin size: centres of bins that begin at the lower end. The manual puts the last point half a bin below
      the upper end; where that is no bin's centre, ours is the centre of the bin that holds the upper end.
    - fixed bin number: bin numbers 1..N between the lowest and the highest intensity, whatever the range.
    """
    inside = volume.array[region.intensity]
    lowest, highest = float(inside.min()), float(inside.max())
    low = lowest if resegmented[0] is None else resegmented[0]
    high = highest if resegmented[1] is None else resegmented[1]
    with np.errstate(over="ignore", invalid="ignore"):  # an axis too long for numbers is refused where it is used
        if isinstance(scale, IvhBinNumber):
            return _numbered(inside, lowest, highest, scale.bins)
        if isinstance(scale, IvhBinSize):
            return _centred(inside, low, high if resegmented[1] is not None else None, scale.width)
        return _as_they_are(inside, low, high)


def _as_they_are(inside: np.ndarray, low: float, high: float) -> IntensityVolume:
    last = float(np.ceil((high - low) - 1e-9))
    places = np.floor(inside - low)
    np.copyto(places, last, where=inside >= high)
    return IntensityVolume(*_count(places, last), low, high, 1.0)


def _centred(inside: np.ndarray, low: float, high: float | None, width: float) -> IntensityVolume:
    places = inside - low
    places /= width
    np.floor(places, out=places)
    if high is None:
        last = float(places.max())
    else:
        last = max(float(np.ceil((high - low) / width - 1e-9)) - 1, 0.0)
        np.minimum(places, last, out=places)
    first = low + width / 2
    return IntensityVolume(*_count(places, last), first, first + last * width, width)


def _numbered(inside: np.ndarray, lowest: float, highest: float, bins: int) -> IntensityVolume:
    if not np.isfinite(np.float64(bins) * (highest - lowest)):
        return IntensityVolume(np.zeros(1), np.array([inside.size]), 1.0, np.inf, 1.0)
    places = inside - lowest
    if highest > lowest:
        places *= bins
        places /= highest - lowest
        np.floor(places, out=places)
        np.minimum(places, bins - 1, out=places)
    return IntensityVolume(*_count(places, bins - 1), 1.0, float(bins), 1.0)


def _count(places: np.ndarray, last: float) -> tuple[np.ndarray, np.ndarray]:
    """The different places, ascending, and how often each occurs."""
    if last < MOST_COUNTED:
        counts = np.bincount(places.astype(np.intp))
        (occupied,) = counts.nonzero()
        return occupied, counts[occupied]
    return np.unique(places, return_counts=True)
