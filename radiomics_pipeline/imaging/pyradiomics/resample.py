"""Image and mask on PyRadiomics' grid.

The new grid's corner is that of the mask, and every index of it counts from there; only the box of the region and
`padDistance` voxels around it are computed, and never more than the mask's grid holds. An axis along which the region
is one voxel wide keeps the mask's spacing, so that a plane stays one. Intensities are interpolated in
the image's own type (whole numbers are rounded), the mask takes the nearest voxel; each from its own grid, as their
files have it: where both were meant to be one, their last digits may yet differ, and half a voxel falls to either side.
SimpleITK does both, since its rounding decides which voxel is nearest where two are equally near.
"""

from __future__ import annotations

import math

import numpy as np

from radiomics_pipeline.errors import EmptyRegion, TooLarge
from radiomics_pipeline.imaging.boxes import Index, bounding_box
from radiomics_pipeline.imaging.pyradiomics.geometry import nearest, on_grid, onto_image, require_inside
from radiomics_pipeline.imaging.pyradiomics.itk import at_voxels, to_itk
from radiomics_pipeline.params.pyradiomics import Settings
from radiomics_pipeline.types import Grid, Region, Volume

MAX_VOXELS = 2**28
"""Of the new grid; more is a mistake in resampledPixelSpacing, not a study."""


def regrid(volume: Volume, region: Region, settings: Settings) -> tuple[Volume, np.ndarray]:
    """Image and outline, bool [z, y, x], resampled, or cropped as `preCrop` asks, or as they are.

    Spacings that numpy.allclose takes for the image's are not interpolated to, as in PyRadiomics.
    region : on its mask's own grid; where nothing is interpolated and it is another than the image's, it is brought
        onto that if `correctMask` or `resampledPixelSpacing` is set
    Raises EmptyRegion where the region has no voxel, TooLarge where the new grid would have too many, GeometryMismatch
    where the mask lies on another grid and may not, or not in the image.
    """
    if settings.resampled:
        wanted = _new_spacing(region, settings)
        if not np.allclose(volume.spacing_mm, wanted):
            return _resample(volume, region, wanted, settings)
    mask = onto_image(region, volume.grid, settings, correct=settings.correctMask or settings.resampled)
    if settings.resampled or settings.preCrop:
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


def _new_spacing(region: Region, settings: Settings) -> tuple[float, ...]:
    """Edges (z, y, x) of the new voxels, mm: those asked for, but the mask's for 0 and across a plane."""
    assert settings.resampledPixelSpacing is not None
    low, high = bounding_box(region.morphology)
    return tuple(
        float(new) if new and b - a > 1 else mm
        for new, mm, a, b in zip(settings.resampledPixelSpacing[::-1], region.spacing_mm, low, high, strict=True)
    )


def _resample(
    volume: Volume, region: Region, wanted: tuple[float, ...], settings: Settings
) -> tuple[Volume, np.ndarray]:
    assert settings.interpolator is not None
    if not on_grid(region, volume.grid, settings):
        require_inside(region, volume.grid)
    grid = _new_grid(region.grid, wanted, bounding_box(region.morphology), settings.padDistance)
    array = at_voxels(volume.array, volume.grid, grid, settings.interpolator)
    moved = nearest(region, grid)
    if not moved.any():
        raise EmptyRegion(
            f"none of the region's {int(np.count_nonzero(region.morphology))} voxels is left on a grid of "
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
