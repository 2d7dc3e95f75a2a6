"""Local intensity: mean intensities in a sphere of 1 cm3 around voxels of the region.

IBSI 1, family 9ST6 (doi:10.1148/radiol.2020191145). Centres lie in the intensity mask; the sphere takes in what lies
around the region, too, as far as the image goes.
"""

from __future__ import annotations

from dataclasses import dataclass

from radiomics_pipeline.features.registry import Family, Sample
from radiomics_pipeline.imaging.spheres import RADIUS_MM, peaks_in


@dataclass(frozen=True)
class Peaks:
    """The two peaks of a region."""

    around_maximum: float
    anywhere: float


def peaks_of(sample: Sample) -> list[Peaks]:
    """Both peaks, on the image around the region where the sample brings it."""
    image, offset = (sample.around, sample.offset) if sample.around else (sample.volume, (0, 0, 0))
    return [Peaks(*peaks_in(image.array, sample.region.intensity, offset, sample.volume.spacing_mm))]


local_intensity = Family("localintensity", title="Local intensity", ibsi="9ST6", prepare=peaks_of, reach_mm=RADIUS_MM)


@local_intensity.feature(ibsi="VJGA", unit="{u}")
def local_intensity_peak(p: Peaks) -> float:
    """Mean intensity in a sphere of 1 cm3 around the voxel of highest intensity; of several, the highest such mean."""
    return p.around_maximum


@local_intensity.feature(ibsi="0F91", unit="{u}")
def global_intensity_peak(p: Peaks) -> float:
    """Highest mean intensity in a sphere of 1 cm3 around any voxel of the region."""
    return p.anywhere
