"""Laplacian of Gaussian as SimpleITK's recursive filter gives it, to the last digit."""

from __future__ import annotations

import math

import numpy as np

from radiomics_pipeline.imaging.pyradiomics.filters.recursive_gaussian import FELT, FEWEST, second_derivative, smoothing
from radiomics_pipeline.imaging.pyradiomics.filters.spec import Box, ImageType, Responses
from radiomics_pipeline.kernels.recursion import filter_along
from radiomics_pipeline.params.pyradiomics import Settings
from radiomics_pipeline.types import Volume
from radiomics_pipeline.types.arrays import read_only

X_TO_Z = (2, 1, 0)


def tokens(settings: Settings) -> tuple[str, ...]:
    """log-sigma-1-0-mm-3D for 1.0 and log-sigma-1-mm-3D for 1, as the widths are written."""
    return tuple(f"log-sigma-{str(sigma).replace('.', '-')}-mm-3D" for sigma in settings.sigma or ())


def responses(whole: Volume, box: Box, settings: Settings) -> Responses:
    """Responses in the box, normalised over the widths; none of an image of fewer than 4 voxels along an axis."""
    shape, spacing = whole.array.shape, whole.spacing_mm
    image = _floats(whole.array)
    for token, sigma in zip(tokens(settings), settings.sigma or (), strict=True):
        if min(shape) < FEWEST:
            yield token, f"the image has {min(shape)} voxels along an axis; the filter needs {FEWEST}"
            continue
        if any(n < math.ceil(sigma / edge) + 1 for n, edge in zip(shape, spacing, strict=True)):
            yield token, f"PyRadiomics computes none of a width of {sigma:g} mm: the image is no wider along an axis"
            continue
        reach = [max(FEWEST, math.ceil(FELT * sigma / edge)) for edge in spacing]
        wide, inner = box.around(reach, shape)
        yield token, laplacian(image, wide, inner, spacing, float(sigma))


def laplacian(
    image: np.ndarray,
    wide: tuple[slice, ...],
    inner: tuple[slice, ...],
    spacing_mm: tuple[float, float, float],
    sigma_mm: float,
) -> np.ndarray:
    """sigma^2 times the Laplacian of the smoothed image, float32, inside a box of a wider box that alone is read.

    image : float32 or float64 [z, y, x]; what is filtered once is kept in float32, and only where the box needs it
    """
    total = np.zeros([part.stop - part.start for part in inner], np.float32)
    for across in X_TO_Z:
        part, begin, end = image, np.array([w.start for w in wide]), np.array([w.stop for w in wide])
        for axis in (across, *(axis for axis in X_TO_Z if axis != across)):
            width = sigma_mm / spacing_mm[axis]
            one = second_derivative(width, sigma_mm * sigma_mm) if axis == across else smoothing(width)
            low, high = inner[axis].start, inner[axis].stop
            part = filter_along(read_only(part), begin, end, axis, low, high, one.forward, one.backward, one.feedback)
            begin, end = np.zeros(3, np.int64), np.array(part.shape)
        total = (total + part * np.float64(1 / spacing_mm[across] ** 2)).astype(np.float32)
    return total


def _floats(array: np.ndarray) -> np.ndarray:
    """In single precision where that holds every value, in double precision otherwise."""
    single = array.dtype.itemsize <= 2 or array.dtype == np.float32
    return read_only(array, np.float32 if single else np.float64)


LOG = ImageType("LoG", tokens, responses, lambda settings: {"sigma": list(settings.sigma or ())})
