"""Magnitude of the gradient by SimpleITK."""

from __future__ import annotations

from radiomics_pipeline.imaging.pyradiomics.filters.spec import Box, ImageType, Responses
from radiomics_pipeline.params.pyradiomics import Settings
from radiomics_pipeline.types import Volume

TOKEN = "gradient"


def responses(whole: Volume, box: Box, settings: Settings) -> Responses:
    """Response in the box, per mm or per voxel."""
    import SimpleITK as sitk

    wide, inner = box.around((1, 1, 1), whole.array.shape)
    image = sitk.GetImageFromArray(whole.array[wide])
    image.SetSpacing(whole.spacing_mm[::-1])
    one = sitk.GradientMagnitudeImageFilter()
    one.SetUseImageSpacing(settings.gradientUseSpacing)
    one.SetNumberOfThreads(1)
    yield TOKEN, sitk.GetArrayFromImage(one.Execute(image))[inner]


GRADIENT = ImageType(
    "Gradient",
    lambda settings: (TOKEN,),
    responses,
    lambda settings: {"gradientUseSpacing": settings.gradientUseSpacing},
)
