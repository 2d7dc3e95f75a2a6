"""Intensity histogram: how the grey levels of a region are distributed, wherever they lie.

IBSI 1, family ZVCW (doi:10.1148/radiol.2020191145). Taken from the discretised intensity mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radiomics_pipeline.features.distribution import Distribution, entropy
from radiomics_pipeline.features.registry import Family, Sample, Undefined
from radiomics_pipeline.kernels.intensities import count_levels


@dataclass(frozen=True)
class Histogram:
    """The grey levels of a region's voxels.

    counts : int64 [levels], number of voxels of level 1, 2, ..., those without a voxel included
    """

    counts: np.ndarray

    @cached_property
    def levels(self) -> Distribution:
        """The levels that occur, and how often."""
        (present,) = self.counts.nonzero()
        return Distribution(present + 1.0, self.counts[present])

    @cached_property
    def p(self) -> np.ndarray:
        """Share of the voxels at each level that occurs."""
        return self.counts[self.counts > 0] / self.levels.n

    @cached_property
    def gradient(self) -> np.ndarray:
        """Slope of the counts at each level: half the difference of its neighbours, one-sided at both ends."""
        counts = self.counts
        if len(counts) < 2:
            raise Undefined("there is a single grey level, and so no slope")
        slope = np.empty(len(counts))
        slope[0], slope[-1] = counts[1] - counts[0], counts[-1] - counts[-2]
        slope[1:-1] = (counts[2:] - counts[:-2]) / 2
        return slope


def histogram_of(sample: Sample) -> list[Histogram]:
    """The grey levels in the intensity mask, counted."""
    assert sample.levels is not None
    return [Histogram(count_levels(sample.levels.array.ravel(), sample.levels.count)[1:])]


histogram = Family("histogram", title="Intensity histogram", ibsi="ZVCW", prepare=histogram_of, needs_levels=True)


@histogram.feature(ibsi="X6K6")
def mean(h: Histogram) -> float:
    """Mean of the grey levels of all voxels."""
    return h.levels.mean


@histogram.feature(ibsi="CH89")
def variance(h: Histogram) -> float:
    """Mean squared deviation of the grey levels from their mean (divisor n)."""
    return h.levels.variance


@histogram.feature(ibsi="88K1")
def skewness(h: Histogram) -> float:
    """Third central moment of the grey levels over the cube of their standard deviation; 0 where all are equal."""
    return h.levels.skewness


@histogram.feature(ibsi="C3I7")
def kurtosis(h: Histogram) -> float:
    """Fourth central moment of the grey levels over their squared variance, minus 3 (excess); 0 where all are equal."""
    return h.levels.kurtosis


@histogram.feature(ibsi="WIFQ")
def median(h: Histogram) -> float:
    """Grey level that half of the voxels do not exceed; mean of the middle two where their number is even."""
    return h.levels.median


@histogram.feature(ibsi="1PR8")
def minimum(h: Histogram) -> float:
    """Lowest grey level in the region."""
    return h.levels.minimum


@histogram.feature(ibsi="GPMT")
def percentile_10(h: Histogram) -> float:
    """Grey level below which a tenth of the voxels lie, interpolated linearly between neighbouring ranks."""
    return h.levels.percentile(10)


@histogram.feature(ibsi="OZ0C")
def percentile_90(h: Histogram) -> float:
    """Grey level below which nine tenths of the voxels lie, interpolated linearly between neighbouring ranks."""
    return h.levels.percentile(90)


@histogram.feature(ibsi="3NCY")
def maximum(h: Histogram) -> float:
    """Highest grey level in the region."""
    return h.levels.maximum


@histogram.feature(ibsi="WR0O")
def interquartile_range(h: Histogram) -> float:
    """75th percentile of the grey levels minus the 25th."""
    return h.levels.interquartile_range


@histogram.feature(ibsi="5Z3W", name="Range")
def value_range(h: Histogram) -> float:
    """Highest grey level minus the lowest."""
    return h.levels.range


@histogram.feature(ibsi="D2ZX")
def mean_absolute_deviation(h: Histogram) -> float:
    """Mean distance of the grey levels from their mean."""
    return h.levels.mean_absolute_deviation


@histogram.feature(ibsi="WRZB")
def robust_mean_absolute_deviation(h: Histogram) -> float:
    """Mean distance from their own mean of the grey levels between the 10th and 90th percentile, both included."""
    return h.levels.robust_mean_absolute_deviation


@histogram.feature(ibsi="4RNL")
def median_absolute_deviation(h: Histogram) -> float:
    """Mean distance of the grey levels from their median."""
    return h.levels.median_absolute_deviation


@histogram.feature(ibsi="CWYJ")
def coefficient_of_variation(h: Histogram) -> float:
    """Standard deviation of the grey levels (divisor n) over their mean."""
    return h.levels.coefficient_of_variation


@histogram.feature(ibsi="SLWD")
def quartile_coefficient_of_dispersion(h: Histogram) -> float:
    """75th percentile of the grey levels minus the 25th, over the sum of the two."""
    return h.levels.quartile_coefficient_of_dispersion


@histogram.feature(ibsi="AMMC")
def mode(h: Histogram) -> float:
    """Most frequent grey level; of several the one nearest to the mean, and of two equally near the lower."""
    highest = np.flatnonzero(h.counts == h.counts.max()) + 1.0
    return float(highest[np.argmin(np.abs(highest - h.levels.mean))])


@histogram.feature(ibsi="TLU2", name="Entropy")
def level_entropy(h: Histogram) -> float:
    """Shannon entropy in bits of the shares of voxels at each grey level."""
    return entropy(h.p)


@histogram.feature(ibsi="BJ5W")
def uniformity(h: Histogram) -> float:
    """Sum of the squared shares of voxels at each grey level."""
    return float((h.p**2).sum())


@histogram.feature(ibsi="12CE")
def maximum_histogram_gradient(h: Histogram) -> float:
    """Steepest rise of the voxel count along the grey levels, by central differences (one-sided at the ends)."""
    return float(h.gradient.max())


@histogram.feature(ibsi="8E6O")
def maximum_histogram_gradient_intensity(h: Histogram) -> float:
    """Grey level at which the voxel count rises most steeply; the lowest of several."""
    return float(np.argmax(h.gradient) + 1)


@histogram.feature(ibsi="VQB3")
def minimum_histogram_gradient(h: Histogram) -> float:
    """Steepest fall of the voxel count along the grey levels, by central differences (one-sided at the ends)."""
    return float(h.gradient.min())


@histogram.feature(ibsi="RHQZ")
def minimum_histogram_gradient_intensity(h: Histogram) -> float:
    """Grey level at which the voxel count falls most steeply; the lowest of several."""
    return float(np.argmin(h.gradient) + 1)
