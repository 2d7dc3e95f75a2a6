"""Image and mask on PyRadiomics' grid.

The new grid's corner is the old one's, and every index of it counts from there; only the box of the region and
`padDistance` voxels around it are computed, and never more than the old image holds. An axis along which the region
is one voxel wide keeps its spacing, so that a plane stays one. Intensities are interpolated in
the image's own type (whole numbers are rounded), the mask takes the nearest voxel. SimpleITK does both, since its
rounding decides which voxel is nearest where two are equally near.
"""

from __future__ import annotations

import math

import numpy as np

from radiomics_pipeline.errors import EmptyRegion, TooLarge
from radiomics_pipeline.imaging.boxes import Index, bounding_box
from radiomics_pipeline.imaging.pyradiomics.itk import to_itk
from radiomics_pipeline.params.pyradiomics import Settings
from radiomics_pipeline.types import Grid, Volume

MAX_VOXELS = 2**28
"""Of the new grid; more is a mistake in resampledPixelSpacing, not a study."""


def regrid(volume: Volume, mask: np.ndarray, settings: Settings) -> tuple[Volume, np.ndarray]:
    """Image and mask resampled, or cropped as `preCrop` asks, or as they are.

    mask : bool [z, y, x] on the image's grid
    Raises EmptyRegion where the mask has no voxel, TooLarge where the new grid would have too many.
    """
    if settings.resampled:
        return _resample(volume, mask, settings)
    if settings.preCrop:
        return _crop_around(volume, mask, settings.padDistance)
    return volume, mask


def crop(volume: Volume, masks: list[np.ndarray], low: Index, high: Index) -> tuple[Volume, list[np.ndarray]]:
    """Image and masks from index `low` up to, not including, `high`."""
    part = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    image = Volume(volume.array[part], volume.grid.crop(low, high), volume.unit, native=True)
    return image, [np.ascontiguousarray(mask[part]) for mask in masks]


def _crop_around(volume: Volume, mask: np.ndarray, pad: int) -> tuple[Volume, np.ndarray]:
    low, high = bounding_box(mask)
    first = tuple(max(0, n - pad) for n in low)
    behind = tuple(min(size, n + pad) for n, size in zip(high, mask.shape, strict=True))
    image, (part,) = crop(volume, [mask], first, behind)  # type: ignore[arg-type]
    return image, part


def _resample(volume: Volume, mask: np.ndarray, settings: Settings) -> tuple[Volume, np.ndarray]:
    assert settings.resampledPixelSpacing is not None
    assert settings.interpolator is not None
    old = volume.grid
    low, high = bounding_box(mask)
    wanted = tuple(
        float(new) if new and b - a > 1 else mm
        for new, mm, a, b in zip(settings.resampledPixelSpacing[::-1], old.spacing_mm, low, high, strict=True)
    )
    if wanted == old.spacing_mm:
        return _crop_around(volume, mask, settings.padDistance)
    grid = _new_grid(old, wanted, (low, high), settings.padDistance)
    array = _interpolate(volume.array, old, grid, settings.interpolator)
    moved = _interpolate(mask.astype(np.uint8), old, grid, "sitkNearestNeighbor").astype(bool)
    if not moved.any():
        raise EmptyRegion(
            f"none of the region's {int(np.count_nonzero(mask))} voxels is left on a grid of "
            f"{' x '.join(f'{s:g}' for s in wanted[::-1])} mm; use smaller voxels"
        )
    return Volume(array, grid, volume.unit, native=True), moved


def _new_grid(old: Grid, spacing_mm: tuple[float, ...], box: tuple[Index, Index], pad: int) -> Grid:
    """The part of the new grid, of this spacing (z, y, x), that covers a box of the old one and `pad` around it."""
    old_mm, new_mm = np.array(old.spacing_mm), np.array(spacing_mm)
    ratio = old_mm / new_mm
    first = np.maximum(np.floor((np.array(box[0]) - 0.5) * ratio - pad), 0)
    last = np.minimum(np.ceil((np.array(box[1]) - 0.5) * ratio + pad), np.ceil(np.array(old.shape) * ratio) - 1)
    shape = tuple(int(n) for n in last - first + 1)
    if math.prod(shape) > MAX_VOXELS:
        raise TooLarge(
            f"the region's box would hold {' x '.join(str(n) for n in shape[::-1])} voxels of "
            f"{' x '.join(f'{s:g}' for s in spacing_mm[::-1])} mm, at most {MAX_VOXELS} in all; use larger voxels"
        )
    start = 0.5 * (new_mm - old_mm) / old_mm + first / ratio
    origin = to_itk(np.zeros((1, 1, 1), np.uint8), old).TransformContinuousIndexToPhysicalPoint(start[::-1].tolist())
    return Grid(shape, spacing_mm, origin, old.direction)  # type: ignore[arg-type]


def _interpolate(array: np.ndarray, old: Grid, new: Grid, interpolator: str) -> np.ndarray:
    """Values at the voxels of a new grid, in the array's type; 0 where it leaves the old one."""
    import SimpleITK as sitk

    image = to_itk(array, old)
    resampler = sitk.ResampleImageFilter()
    resampler.SetSize(new.shape[::-1])
    resampler.SetOutputSpacing(new.spacing_mm[::-1])
    resampler.SetOutputOrigin(new.origin_mm)
    resampler.SetOutputDirection(new.direction)
    resampler.SetOutputPixelType(image.GetPixelID())
    resampler.SetInterpolator(getattr(sitk, interpolator))
    return sitk.GetArrayFromImage(resampler.Execute(image))
