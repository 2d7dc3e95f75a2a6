"""Local binary patterns of slices by scikit-image (Ojala et al., doi:10.1109/TPAMI.2002.1017623)."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from skimage.feature import local_binary_pattern

from radiomics_pipeline.imaging.pyradiomics.filters.spec import Box, ImageType, Responses
from radiomics_pipeline.params.pyradiomics import Settings
from radiomics_pipeline.types import Volume

TOKEN = "lbp-2D"
RADIUS, SAMPLES, METHOD = 1, 8, "uniform"
"""PyRadiomics' defaults."""


def responses(whole: Volume, box: Box, settings: Settings) -> Responses:
    """Codes of the voxels in the box, of whole slices and in the image's own type of number."""
    axis, how = settings.force2Ddimension if settings.force2D else 0, used(settings)
    codes = np.array(whole.array, order="C")
    slices = codes.swapaxes(0, axis)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # that intensities are no whole numbers
        for at in range(box.low[axis], box.high[axis]):
            slices[at] = local_binary_pattern(
                slices[at],
                P=how["lbp2DSamples"],
                R=how["lbp2DRadius"],
                method=how["lbp2DMethod"],
            )
    yield TOKEN, codes[box.inside]


def used(settings: Settings) -> dict[str, Any]:
    """Radius, number and method of the samples."""
    return {
        "lbp2DRadius": settings.lbp2DRadius or RADIUS,
        "lbp2DSamples": settings.lbp2DSamples or SAMPLES,
        "lbp2DMethod": settings.lbp2DMethod or METHOD,
    }


LBP2D = ImageType("LBP2D", lambda settings: (TOKEN,), responses, used)
