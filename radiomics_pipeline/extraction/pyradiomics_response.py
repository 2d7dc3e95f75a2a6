"""The whole filtered image that PyRadiomics' parameters ask for."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.errors import BadVoxels, ParamsError
from radiomics_pipeline.extraction.pyradiomics_columns import ORIGINAL_TYPE, images_of
from radiomics_pipeline.imaging.pyradiomics.filters.spec import Box
from radiomics_pipeline.imaging.pyradiomics.filters.table import IMAGE_TYPES
from radiomics_pipeline.imaging.pyradiomics.normalise import normalise
from radiomics_pipeline.params.pyradiomics import PyradiomicsSeries
from radiomics_pipeline.types import Volume


def filtered_images(section: PyradiomicsSeries) -> dict[str, str]:
    """The image type of each filtered image, by what columns call it.

    Raises ParamsError where PyRadiomics would first cut or resample the image around a region.
    """
    setting = section.setting
    if setting.resampled or setting.preCrop:
        name = "resampledPixelSpacing" if setting.resampled else "preCrop"
        raise ParamsError(
            f"setting.{name}: PyRadiomics cuts the image around a region then; a map has none: leave it out"
        )
    return {token: kind for kind, token in images_of(section, "") if kind != ORIGINAL_TYPE}


def response_of(section: PyradiomicsSeries, volume: Volume, token: str) -> Volume:
    """One of the filtered images on the volume's grid; BadVoxels where the volume has no such response.

    volume : with `native` set, in its file's own type of number
    """
    kind = filtered_images(section)[token]
    seen = normalise(volume, section.setting) if section.setting.normalize else volume
    box = Box((0, 0, 0), seen.grid.shape, np.ones(seen.grid.shape, np.bool_))
    for name, response in IMAGE_TYPES[kind].responses(seen, box, section.settings_of(kind)):
        if name == token:
            if isinstance(response, str):
                raise BadVoxels(f"{token}: {response}")
            return Volume(response, seen.grid, native=True)
    raise AssertionError(f"{kind} makes no {token}")
