"""All that PyRadiomics does to an image and a mask before it computes features, in its order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.errors import CaseError
from radiomics_pipeline.imaging.boxes import Index, bounding_box
from radiomics_pipeline.imaging.pyradiomics.geometry import agree
from radiomics_pipeline.imaging.pyradiomics.masks import check_mask, resegment
from radiomics_pipeline.imaging.pyradiomics.normalise import normalise
from radiomics_pipeline.imaging.pyradiomics.resample import crop, regrid
from radiomics_pipeline.params.pyradiomics import Settings
from radiomics_pipeline.types import Region, Volume


@dataclass(frozen=True)
class Prepared:
    """What features are computed from.

    whole : the image after normalising, resampling and cropping, with what it has around the region
    offset : index (z, y, x) in it at which `image` begins
    image : the part of it inside the region's box
    drawn : bool [z, y, x], the region in that box
    kept : bool [z, y, x], what re-segmentation left of it; all but shape is computed from it
    corrected : whether PyRadiomics would say that it brought the mask onto the image's grid
    """

    whole: Volume
    offset: Index
    image: Volume
    drawn: np.ndarray
    kept: np.ndarray
    corrected: bool = False


def prepare(volume: Volume, region: Region, settings: Settings) -> Prepared:
    """Normalise, resample, check, re-segment and check again.

    volume : in its file's own type of number; region : on the grid of its mask's file
    Raises a CaseError whose `stage` says which step could not be done.
    """
    try:
        doing = "resample"
        whole, moved = regrid(normalise(volume, settings) if settings.normalize else volume, region, settings)
        doing = "region"
        check_mask(moved, settings)
        low, high = bounding_box(moved)
        image, (drawn,) = crop(whole, [moved], low, high)
        doing = "resegment"
        kept = resegment(image, drawn, settings)
        if kept is not drawn:
            check_mask(kept, settings)
    except CaseError as e:
        e.stage = doing
        raise
    asked = settings.correctMask and not settings.resampled and not settings.preCrop
    corrected = asked and not agree(volume.grid, region.grid, settings.geometryTolerance)
    return Prepared(whole, low, image, drawn, kept, corrected)
