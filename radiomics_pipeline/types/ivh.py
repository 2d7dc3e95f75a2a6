"""A region's voxels counted along an axis of intensities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.types.arrays import read_only


@dataclass(frozen=True)
class IntensityVolume:
    """What an intensity-volume histogram is drawn from (IBSI 1, P88C).

    The axis has the points low, low + step, low + 2 step, ... below `high`, and `high`.

    places : float64 [occupied], whole numbers, ascending: the points from which up to the next one some voxel's
        intensity lies, counted from 0; read-only
    counts : int64 [occupied], number of those voxels, read-only
    low, high : ends of the axis, in the image's unit or in bin numbers
    step : distance of its points; the last may lie nearer
    """

    places: np.ndarray
    counts: np.ndarray
    low: float
    high: float
    step: float

    def __post_init__(self) -> None:
        for name, kind in (("places", np.float64), ("counts", np.int64)):
            object.__setattr__(self, name, read_only(getattr(self, name), kind))
