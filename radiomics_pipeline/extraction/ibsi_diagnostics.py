"""The IBSI's diagnostic values: sizes and intensities of image and masks after each step.

Named `diagnostics_` and as in the IBSI compliance spreadsheet, such as `img_dim_x_interp_img`
(doi:10.1148/radiol.2020191145).
"""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.imaging.resample import Figures, Resampled, whole_image
from radiomics_pipeline.params.extraction import Resample
from radiomics_pipeline.types import Region, Volume


def diagnose(
    volume: Volume, region: Region, found: Resampled, roi: Region, params: Resample | None
) -> tuple[dict[str, str], list[str]]:
    """The values of one region by name, in the order of the steps, and warnings.

    volume, region : as read; found : resampled as `params` say; roi : after re-segmentation
    """
    read = whole_image(volume, None, volume.array)
    interpolated = whole_image(volume, params, found.volume.array[found.region.morphology])
    values = {
        **_image(read, "init_img"),
        **_image(interpolated, "interp_img"),
        **_masks(volume, region, read.shape, "init_roi"),
        **_masks(found.volume, found.region, interpolated.shape, "interp_roi"),
        **_masks(found.volume, roi, interpolated.shape, "reseg_roi"),
    }
    warnings = []
    if interpolated.mean is None:
        warnings.append(
            f"diagnostics: no intensities of the whole image after interpolation, which would hold "
            f"{' x '.join(str(n) for n in interpolated.shape[::-1])} voxels"
        )
    return {f"diagnostics_{name}": "" if v is None else repr(v) for name, v in values.items()}, warnings


def _image(image: Figures, step: str) -> dict[str, float | None]:
    return {
        **_xyz("img_dim", image.shape, step),
        **_xyz("vox_dim", image.spacing_mm, step),
        f"mean_int_{step}": image.mean,
        f"min_int_{step}": image.lowest,
        f"max_int_{step}": image.highest,
    }


def _masks(volume: Volume, region: Region, whole: tuple[int, int, int], step: str) -> dict[str, float]:
    inside = volume.array[region.intensity]
    return {
        **_xyz("int_mask_dim", whole, step),
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
