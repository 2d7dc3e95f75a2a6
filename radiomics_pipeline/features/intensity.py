"""Intensity statistics: how the intensities of a region are distributed, wherever they lie.

IBSI 1, family UHIW (doi:10.1148/radiol.2020191145). Taken from the intensity mask, not discretised.
"""

from __future__ import annotations

from radiomics_pipeline.features.distribution import Distribution
from radiomics_pipeline.features.registry import Family, Sample


def distribution(sample: Sample) -> list[Distribution]:
    """The intensities in the intensity mask."""
    values = sample.volume.array[sample.region.intensity]
    values.sort()
    return [Distribution(values)]


intensity = Family("intensity", title="Intensity statistics", ibsi="UHIW", prepare=distribution)


@intensity.feature(ibsi="Q4LE", unit="{u}")
def mean(d: Distribution) -> float:
    """Mean of the intensities of all voxels."""
    return d.mean


@intensity.feature(ibsi="ECT3", unit="{u}^2")
def variance(d: Distribution) -> float:
    """Mean squared deviation of the intensities from their mean (divisor n)."""
    return d.variance


@intensity.feature(ibsi="KE2A")
def skewness(d: Distribution) -> float:
    """Third central moment of the intensities over the cube of their standard deviation; 0 where all are equal."""
    return d.skewness


@intensity.feature(ibsi="IPH6")
def kurtosis(d: Distribution) -> float:
    """Fourth central moment of the intensities over their squared variance, minus 3 (excess); 0 where all are equal."""
    return d.kurtosis


@intensity.feature(ibsi="Y12H", unit="{u}")
def median(d: Distribution) -> float:
    """Intensity that half of the voxels do not exceed; mean of the middle two where their number is even."""
    return d.median


@intensity.feature(ibsi="1GSF", unit="{u}")
def minimum(d: Distribution) -> float:
    """Lowest intensity in the region."""
    return d.minimum


@intensity.feature(ibsi="QG58", unit="{u}")
def percentile_10(d: Distribution) -> float:
    """Intensity below which a tenth of the voxels lie, interpolated linearly between neighbouring ranks."""
    return d.percentile(10)


@intensity.feature(ibsi="8DWT", unit="{u}")
def percentile_90(d: Distribution) -> float:
    """Intensity below which nine tenths of the voxels lie, interpolated linearly between neighbouring ranks."""
    return d.percentile(90)


@intensity.feature(ibsi="84IY", unit="{u}")
def maximum(d: Distribution) -> float:
    """Highest intensity in the region."""
    return d.maximum


@intensity.feature(ibsi="SALO", unit="{u}")
def interquartile_range(d: Distribution) -> float:
    """75th percentile of the intensities minus the 25th."""
    return d.interquartile_range


@intensity.feature(ibsi="2OJQ", unit="{u}", name="Range")
def value_range(d: Distribution) -> float:
    """Highest intensity minus the lowest."""
    return d.range


@intensity.feature(ibsi="4FUA", unit="{u}")
def mean_absolute_deviation(d: Distribution) -> float:
    """Mean distance of the intensities from their mean."""
    return d.mean_absolute_deviation


@intensity.feature(ibsi="1128", unit="{u}")
def robust_mean_absolute_deviation(d: Distribution) -> float:
    """Mean distance from their own mean of the intensities between the 10th and 90th percentile, both included."""
    return d.robust_mean_absolute_deviation


@intensity.feature(ibsi="N72L", unit="{u}")
def median_absolute_deviation(d: Distribution) -> float:
    """Mean distance of the intensities from their median."""
    return d.median_absolute_deviation


@intensity.feature(ibsi="7TET")
def coefficient_of_variation(d: Distribution) -> float:
    """Standard deviation of the intensities (divisor n) over their mean."""
    return d.coefficient_of_variation


@intensity.feature(ibsi="9S40")
def quartile_coefficient_of_dispersion(d: Distribution) -> float:
    """75th percentile of the intensities minus the 25th, over the sum of the two."""
    return d.quartile_coefficient_of_dispersion


@intensity.feature(ibsi="N8CA", unit="{u}^2")
def energy(d: Distribution) -> float:
    """Sum of the squared intensities of all voxels."""
    return d.energy


@intensity.feature(ibsi="5ZWQ", unit="{u}")
def root_mean_square(d: Distribution) -> float:
    """Square root of the mean squared intensity."""
    return d.root_mean_square
