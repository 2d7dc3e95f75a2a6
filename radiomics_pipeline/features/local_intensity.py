"""Local intensity: mean intensities in a sphere of 1 cm3 around voxels of the region.

IBSI 1, family 9ST6 (doi:10.1148/radiol.2020191145). Centres lie in the intensity mask; the sphere takes in what lies
around the region, too, as far as the image goes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from radiomics_pipeline.features.registry import Family, Sample
from radiomics_pipeline.kernels.peak import find_peaks

RADIUS_MM = 10 * (3 / (4 * math.pi)) ** (1 / 3)
"""Of a sphere of 1 cm3: about 6.2 mm."""


@dataclass(frozen=True)
class Peaks:
    """The two peaks of a region."""

    around_maximum: float
    anywhere: float


@lru_cache(maxsize=64)
def sphere(spacing_mm: tuple[float, float, float]) -> np.ndarray:
    """The rows of voxels whose centres lie within the sphere's radius of its central voxel.

    returns : int64 [2 reach_z + 1, 2 reach_y + 1], at each offset (dz, dy) the largest |dx|, -1 where there is none
    """
    z_mm, y_mm, x_mm = spacing_mm
    reach_z, reach_y = int(RADIUS_MM / z_mm), int(RADIUS_MM / y_mm)
    dz, dy = np.ogrid[-reach_z : reach_z + 1, -reach_y : reach_y + 1]
    left = RADIUS_MM**2 - (dz * z_mm) ** 2 - (dy * y_mm) ** 2
    return np.where(left >= 0, np.floor(np.sqrt(np.maximum(left, 0)) / x_mm), -1).astype(np.int64)


def peaks_of(sample: Sample) -> list[Peaks]:
    """Both peaks, on the image around the region where the sample brings it."""
    rows, mask = sphere(sample.volume.spacing_mm), sample.region.intensity
    image, offset = (sample.around, sample.offset) if sample.around else (sample.volume, (0, 0, 0))
    reach = (rows.shape[0] // 2, rows.shape[1] // 2, int(rows.max()))
    low = [max(0, o - r) for o, r in zip(offset, reach, strict=True)]
    high = [o + n + r for o, n, r in zip(offset, mask.shape, reach, strict=True)]
    near = np.ascontiguousarray(image.array[low[0] : high[0], low[1] : high[1], low[2] : high[2]])
    near.flags.writeable = False
    return [Peaks(*find_peaks(near, mask, np.subtract(offset, low), rows).tolist())]


local_intensity = Family("localintensity", title="Local intensity", ibsi="9ST6", prepare=peaks_of, reach_mm=RADIUS_MM)


@local_intensity.feature(ibsi="VJGA", unit="{u}")
def local_intensity_peak(p: Peaks) -> float:
    """Mean intensity in a sphere of 1 cm3 around the voxel of highest intensity; of several, the highest such mean."""
    return p.around_maximum


@local_intensity.feature(ibsi="0F91", unit="{u}")
def global_intensity_peak(p: Peaks) -> float:
    """Highest mean intensity in a sphere of 1 cm3 around any voxel of the region."""
    return p.anywhere
