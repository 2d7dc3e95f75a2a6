"""Arrays as SimpleITK's images, and what it resamples them to."""

from __future__ import annotations

from typing import Any

import numpy as np

from radiomics_pipeline.types import Grid


def to_itk(array: np.ndarray, grid: Grid) -> Any:
    """A SimpleITK image of an array [z, y, x], in the array's type of number."""
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(np.ascontiguousarray(array, array.dtype.newbyteorder("=")))
    image.SetSpacing(grid.spacing_mm[::-1])
    image.SetOrigin(grid.origin_mm)
    image.SetDirection(grid.direction)
    return image


def at_voxels(array: np.ndarray, old: Grid, new: Grid, interpolator: str) -> np.ndarray:
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
