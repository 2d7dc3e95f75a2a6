"""The IBSI's diagnostic values: sizes and intensities of image and masks after each step.

Named `diagnostics_` and as in the IBSI compliance spreadsheet, such as `img_dim_x_interp_img`
(doi:10.1148/radiol.2020191145).
"""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.imaging.resample import Resampled
from radiomics_pipeline.types import Region, Volume


def diagnose(volume: Volume, region: Region, found: Resampled, roi: Region) -> dict[str, str]:
    """The values of one region by name, in the order of the steps.

    volume, region : as read; found : resampled, with the whole image in `around`; roi : after re-segmentation
    """
    interpolated = found.around or found.volume
    values = {
        **_image(volume, "init_img"),
        **_image(interpolated, "interp_img"),
        **_masks(volume, region, volume, "init_roi"),
        **_masks(found.volume, found.region, interpolated, "interp_roi"),
        **_masks(found.volume, roi, interpolated, "reseg_roi"),
    }
    return {f"diagnostics_{name}": repr(value) for name, value in values.items()}


def _image(volume: Volume, step: str) -> dict[str, float]:
    array = volume.array
    return {
        **_xyz("img_dim", array.shape, step),
        **_xyz("vox_dim", volume.spacing_mm, step),
        f"mean_int_{step}": float(array.mean()),
        f"min_int_{step}": float(array.min()),
        f"max_int_{step}": float(array.max()),
    }


def _masks(volume: Volume, region: Region, whole: Volume, step: str) -> dict[str, float]:
    inside = volume.array[region.intensity]
    return {
        **_xyz("int_mask_dim", whole.array.shape, step),
        **_xyz("int_mask_bb_dim", _box(region.intensity), step),
        **_xyz("morph_mask_bb_dim", _box(region.morphology), step),
        f"int_mask_vox_count_{step}": int(region.intensity.sum()),
        f"morph_mask_vox_count_{step}": int(region.morphology.sum()),
        f"int_mask_mean_int_{step}": float(inside.mean()),
        f"int_mask_min_int_{step}": float(inside.min()),
        f"int_mask_max_int_{step}": float(inside.max()),
    }


def _xyz(name: str, values: tuple[float, ...], step: str) -> dict[str, float]:
    return {f"{name}_{axis}_{step}": value for axis, value in zip("xyz", values[::-1], strict=True)}


def _box(mask: np.ndarray) -> tuple[int, ...]:
    """Voxels (z, y, x) of the box around a mask."""
    return tuple(int(np.ptp(places)) + 1 for places in np.nonzero(mask))
