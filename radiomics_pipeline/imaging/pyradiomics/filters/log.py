"""Laplacian of Gaussian by SimpleITK's recursive filter."""

from __future__ import annotations

import math

from radiomics_pipeline.imaging.pyradiomics.filters.spec import Box, ImageType, Responses
from radiomics_pipeline.params.pyradiomics import Settings
from radiomics_pipeline.types import Volume

FEWEST = 4
"""Voxels along every axis that the filter needs."""
FELT = 16.0
"""Widths after which the recursive filter has forgotten a voxel."""


def tokens(settings: Settings) -> tuple[str, ...]:
    """log-sigma-1-0-mm-3D for 1.0 and log-sigma-1-mm-3D for 1, as the widths are written."""
    return tuple(f"log-sigma-{str(sigma).replace('.', '-')}-mm-3D" for sigma in settings.sigma or ())


def responses(whole: Volume, box: Box, settings: Settings) -> Responses:
    """Responses in the box, normalised over the widths; none of an image of fewer than 4 voxels along an axis."""
    import SimpleITK as sitk

    shape = whole.array.shape
    for token, sigma in zip(tokens(settings), settings.sigma or (), strict=True):
        if min(shape) < FEWEST:
            yield token, f"the image has {min(shape)} voxels along an axis; the filter needs {FEWEST}"
            continue
        wide, inner = box.around(max(FEWEST, math.ceil(FELT * float(sigma) / min(whole.spacing_mm))), shape)
        image = sitk.GetImageFromArray(whole.array[wide])
        image.SetSpacing(whole.spacing_mm[::-1])
        one = sitk.LaplacianRecursiveGaussianImageFilter()
        one.SetNormalizeAcrossScale(True)
        one.SetSigma(float(sigma))
        one.SetNumberOfThreads(1)
        yield token, sitk.GetArrayFromImage(one.Execute(image))[inner]


LOG = ImageType("LoG", tokens, responses)
