"""Arrays as SimpleITK's images."""

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
