"""An image brought to mean 0 and standard deviation 1, over all its voxels (PyRadiomics: normalize)."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.errors import BadVoxels
from radiomics_pipeline.imaging.pyradiomics.itk import to_itk
from radiomics_pipeline.params.pyradiomics import Settings
from radiomics_pipeline.types import Volume


def normalise(volume: Volume, settings: Settings) -> Volume:
    """(x - mean) / standard deviation in double precision, cut off at `removeOutliers`, times `normalizeScale`.

    The deviation is that of a sample (n - 1). Raises BadVoxels for an image of one intensity.
    """
    import SimpleITK as sitk

    if volume.array.min() == volume.array.max():
        raise BadVoxels(
            f"every voxel is {float(volume.array.flat[0]):g}: an image without a spread cannot be normalised; "
            "leave out 'normalize'"
        )
    # ITK's own statistics: its mean and deviation differ from numpy's in the last digits, which may move a bin edge
    array = sitk.GetArrayFromImage(sitk.Normalize(to_itk(volume.array, volume.grid)))
    if settings.removeOutliers is not None:
        array = np.clip(array, -settings.removeOutliers, settings.removeOutliers)
    return Volume(array * settings.normalizeScale, volume.grid, volume.unit, native=True)
