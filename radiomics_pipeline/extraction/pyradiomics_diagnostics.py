"""PyRadiomics' diagnostic values: versions, settings, and image and mask after each step, under its names."""

from __future__ import annotations

import hashlib
import platform
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np
from scipy import ndimage

from radiomics_pipeline import __version__
from radiomics_pipeline.imaging.boxes import bounding_box
from radiomics_pipeline.imaging.pyradiomics.itk import to_itk
from radiomics_pipeline.imaging.pyradiomics.prepare import Prepared
from radiomics_pipeline.params.pyradiomics import PyradiomicsSeries
from radiomics_pipeline.types import Grid, Region, Volume

REPRODUCED = "v3.1.4"
"""The version of PyRadiomics whose numbers are reproduced."""

_ALWAYS_SHOWN = (
    "minimumROIDimensions",
    "minimumROISize",
    "normalize",
    "normalizeScale",
    "removeOutliers",
    "resampledPixelSpacing",
    "interpolator",
    "preCrop",
    "padDistance",
    "distances",
    "force2D",
    "force2Ddimension",
    "resegmentRange",
    "label",
    "additionalInfo",
)
"""Settings that PyRadiomics writes even where a file does not have them."""
_TOUCHING = np.ones((3, 3, 3), bool)


def diagnose(volume: Volume, region: Region, prepared: Prepared, section: PyradiomicsSeries) -> dict[str, str]:
    """The values of one region by name, in PyRadiomics' order; texts as in its CSV.

    volume, region : as read, each on its own grid. `Mask-original_Hash` is that of a mask with this label alone.
    """
    labelled = np.where(region.morphology, np.uint32(region.label), np.uint32(0))
    whole = prepared.whole
    values: dict[str, Any] = {
        **_versions(),
        **_configuration(section, region.label),
        "Image-original_Hash": _hash(volume.array),
        "Image-original_Dimensionality": "3D",
        **_image(volume, "Image-original"),
        "Mask-original_Hash": _hash(labelled),
        **_mask(region.morphology, (0, 0, 0), region.grid, "Mask-original"),
    }
    if prepared.corrected:
        values |= _part(prepared, prepared.drawn, "Mask-corrected")
    if section.setting.resampled:
        values |= _image(whole, "Image-interpolated")
        values |= _part(prepared, prepared.drawn, "Mask-interpolated")
    if section.setting.resegmentRange is not None:
        values |= _part(prepared, prepared.kept, "Mask-resegmented")
    return {f"diagnostics_{name}": str(value) for name, value in values.items()}


@lru_cache
def _versions() -> dict[str, str]:
    return {
        "Versions_PyRadiomics": f"{REPRODUCED} as reproduced by radiomics_pipeline {__version__}",
        "Versions_Numpy": np.__version__,
        "Versions_SimpleITK": version("SimpleITK"),
        "Versions_PyWavelet": version("PyWavelets"),
        "Versions_Python": platform.python_version(),
    }


def _configuration(section: PyradiomicsSeries, label: int) -> dict[str, Any]:
    shown = section.setting.model_copy(update={"label": label})
    settings = {name: _plain(getattr(shown, name)) for name in _ALWAYS_SHOWN} | section.setting.given()
    types = {name: own.given() for name, own in section.imageType.items()} or {"Original": {}}
    return {
        "Configuration_Settings": settings | {"label": label},
        "Configuration_EnabledImageTypes": types,
    }


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _hash(array: np.ndarray) -> str:
    """SHA-1 of the voxels' bytes, as PyRadiomics names an image; it protects nothing."""
    return hashlib.sha1(np.ascontiguousarray(array).data, usedforsecurity=False).hexdigest()


def _image(volume: Volume, step: str) -> dict[str, Any]:
    return {**_grid(volume.grid, step), **_intensities(volume.array, step)}


def _part(prepared: Prepared, mask: np.ndarray, step: str) -> dict[str, Any]:
    """A mask in the region's box, whose indices count from the corner of the whole image."""
    places = _mask(mask, prepared.offset, prepared.whole.grid, step)
    return {**places, **_intensities(prepared.image.array[mask], step)}


def _mask(mask: np.ndarray, offset: tuple[int, int, int], grid: Grid, step: str) -> dict[str, Any]:
    low, high = bounding_box(mask)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    first = tuple(a + n for a, n in zip(low, offset, strict=True))
    # the mean is taken of the indices in the whole image, as adding the offset afterwards would round otherwise
    inside = np.argwhere(mask[box]) + np.array(first)
    centre = tuple(float(c) for c in inside.mean(axis=0)[::-1])
    corner = to_itk(np.zeros((1, 1, 1), np.uint8), grid)
    return {
        **_grid(grid, step),
        f"{step}_BoundingBox": (*first[::-1], *(b - a for a, b in zip(low[::-1], high[::-1], strict=True))),
        f"{step}_VoxelNum": len(inside),
        f"{step}_VolumeNum": int(ndimage.label(mask[box], _TOUCHING)[1]),
        f"{step}_CenterOfMassIndex": centre,
        f"{step}_CenterOfMass": tuple(corner.TransformContinuousIndexToPhysicalPoint(centre)),
    }


def _grid(grid: Grid, step: str) -> dict[str, Any]:
    return {f"{step}_Spacing": grid.spacing_mm[::-1], f"{step}_Size": grid.shape[::-1]}


def _intensities(array: np.ndarray, step: str) -> dict[str, float]:
    return {
        f"{step}_Mean": float(array.mean(dtype=np.float64)),
        f"{step}_Minimum": float(array.min()),
        f"{step}_Maximum": float(array.max()),
    }
