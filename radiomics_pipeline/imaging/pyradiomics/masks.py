"""Which masks PyRadiomics accepts, and which voxels its re-segmentation keeps."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.errors import BadMask, EmptyRegion
from radiomics_pipeline.imaging.boxes import bounding_box
from radiomics_pipeline.params.pyradiomics import Settings
from radiomics_pipeline.types import Volume


def check_mask(mask: np.ndarray, settings: Settings) -> None:
    """EmptyRegion without a voxel; BadMask for one voxel, too few dimensions, or no more than `minimumROISize` voxels.

    mask : bool [z, y, x]
    """
    voxels = int(np.count_nonzero(mask))
    if voxels == 1:
        raise BadMask("the region is a single voxel; draw a larger one, or resample to smaller voxels")
    low, high = bounding_box(mask)
    dimensions = sum(b - a > 1 for a, b in zip(low, high, strict=True))
    if dimensions < settings.minimumROIDimensions:
        raise BadMask(
            f"the region extends along {dimensions} of 3 axes, minimumROIDimensions asks for "
            f"{settings.minimumROIDimensions}; draw a larger one, or lower it"
        )
    if settings.minimumROISize is not None and voxels <= settings.minimumROISize:
        raise BadMask(
            f"the region has {voxels} voxels, minimumROISize asks for more than {settings.minimumROISize}; "
            "draw a larger one, or lower it"
        )


def resegment(volume: Volume, mask: np.ndarray, settings: Settings) -> np.ndarray:
    """The voxels of a mask whose intensity lies in `resegmentRange`, both ends kept; the mask itself where none is set.

    The range is absolute, a share of the region's maximum, or in standard deviations (n) around its mean. Its ends are
    sorted before they become intensities, as in PyRadiomics: shares of a maximum below 0 keep nothing.
    Raises EmptyRegion where fewer than 2 voxels are left.
    """
    if settings.resegmentRange is None:
        return mask
    inside = volume.array[mask]
    low, *high = (_threshold(inside, end, settings.resegmentMode) for end in sorted(settings.resegmentRange))
    kept = mask & (volume.array >= low)
    if high:
        kept &= volume.array <= high[0]
    left = int(np.count_nonzero(kept))
    if left < 2:
        text = f"{low:g} to {high[0]:g}" if high else f"{low:g} or more"
        raise EmptyRegion(
            f"re-segmentation to {text} leaves {left} of {len(inside)} voxels (intensities {inside.min():g} to "
            f"{inside.max():g}); widen resegmentRange"
        )
    return kept


def _threshold(inside: np.ndarray, end: float, mode: str) -> float:
    if mode == "relative":
        return inside.max() * end
    if mode == "sigma":
        return inside.mean() + inside.std() * end
    return end
