"""Filters of single voxels, scaled by the largest magnitude of the whole image."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from radiomics_pipeline.imaging.pyradiomics.filters.spec import Box, ImageType, Responses
from radiomics_pipeline.params.pyradiomics import Settings
from radiomics_pipeline.types import Volume

Point = Callable[[np.ndarray, float], np.ndarray]
"""(float64 intensities, largest magnitude of the image) -> responses"""


def square(x: np.ndarray, largest: float) -> np.ndarray:
    """The square, scaled so that the largest magnitude stays."""
    return (x / np.sqrt(largest)) ** 2


def square_root(x: np.ndarray, largest: float) -> np.ndarray:
    """The root of the magnitude with the intensity's sign, scaled so that the largest magnitude stays."""
    return np.sign(x) * np.sqrt(largest * np.abs(x))


def logarithm(x: np.ndarray, largest: float) -> np.ndarray:
    """The logarithm of the magnitude plus 1 with the intensity's sign, scaled so that the largest magnitude stays."""
    return np.sign(x) * np.log(np.abs(x) + 1) * (largest / np.log(largest + 1))


def exponential(x: np.ndarray, largest: float) -> np.ndarray:
    """The exponential, scaled so that it is the largest magnitude there."""
    return np.exp(np.log(largest) / largest * x)


def _image_type(name: str, point: Point) -> ImageType:
    token = name.lower()

    def responses(whole: Volume, box: Box, settings: Settings) -> Responses:
        largest = max(abs(float(whole.array.min())), abs(float(whole.array.max())))
        if largest == 0.0:
            yield token, "the image is 0 everywhere, and its largest magnitude scales nothing"
        else:
            yield token, point(whole.array[box.inside].astype(np.float64), largest)

    return ImageType(name, lambda settings: (token,), responses)


POINTS = (
    _image_type("Square", square),
    _image_type("SquareRoot", square_root),
    _image_type("Logarithm", logarithm),
    _image_type("Exponential", exponential),
)
