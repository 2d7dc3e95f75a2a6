"""First-order statistics by PyRadiomics' definitions: how the intensities of a region are distributed.

Intensities as they are; Entropy and Uniformity see grey levels (bins). An IBSI code stands where the definition is the
IBSI's, with `voxelArrayShift` 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radiomics_pipeline.features.pyradiomics.level_sizes import EPSILON
from radiomics_pipeline.features.pyradiomics.sample import PyradiomicsSample
from radiomics_pipeline.features.registry import Family, Undefined
from radiomics_pipeline.kernels.intensities import sum_deviations


@dataclass(frozen=True)
class FirstOrder:
    """The intensities of a region's voxels.

    native : [voxels], in the image's own type
    p : float64 [levels], share of each grey level that occurs
    shift : added to intensities before they are squared
    voxel_mm3 : volume of a voxel
    """

    native: np.ndarray
    p: np.ndarray
    shift: float
    voxel_mm3: float

    @cached_property
    def values(self) -> np.ndarray:
        """In the order of the image, which PyRadiomics' rounding follows; float64 [voxels]."""
        return self.native.astype(np.float64)

    @cached_property
    def mean(self) -> float:
        """Arithmetic mean."""
        return float(self.values.mean())

    @cached_property
    def moments(self) -> tuple[float, ...]:
        """Means of |d|, d^2, d^3 and d^4, with d the distance of an intensity from the mean."""
        return tuple((sum_deviations(self.values, self.mean, 1.0, 0.0)[:4] / len(self.values)).tolist())

    @cached_property
    def variance(self) -> float:
        """Variance, divisor n."""
        return self.moments[1]

    @cached_property
    def energy(self) -> float:
        """Sum of the squared shifted intensities."""
        shifted = self.values + self.shift
        return float((shifted * shifted).sum())

    @cached_property
    def ascending(self) -> np.ndarray:
        """The intensities, lowest first."""
        return np.sort(self.native).astype(np.float64)

    @cached_property
    def percentiles(self) -> tuple[float, ...]:
        """The percentiles 10, 25, 50, 75 and 90, by numpy's rule: which voxels lie between two follows its rounding."""
        places = np.array([0.1, 0.25, 0.5, 0.75, 0.9]) * (len(self.values) - 1)
        below = places.astype(np.int64)
        share, last = places - below, len(self.values) - 1
        low, high = self.ascending[below], self.ascending[np.minimum(below + 1, last)]
        gap = high - low
        return tuple(np.where(share < 0.5, low + gap * share, high - gap * (1 - share)).tolist())


def intensities(sample: PyradiomicsSample) -> list[FirstOrder]:
    """The intensities in the mask, and the shares of their grey levels."""
    assert sample.values is not None
    assert sample.levels is not None
    counts = sample.levels.counts[sample.levels.present]
    z, y, x = sample.spacing_mm
    return [FirstOrder(sample.values, counts / len(sample.values), sample.settings.voxel_array_shift, x * y * z)]


firstorder = Family("firstorder", title="First order", ibsi="", prepare=intensities, needs_levels=True)


@firstorder.feature(ibsi="QG58", unit="{u}", name="10Percentile")
def percentile_10(d: FirstOrder) -> float:
    """Intensity below which a tenth of the voxels lie, interpolated linearly between neighbouring ranks."""
    return d.percentiles[0]


@firstorder.feature(ibsi="8DWT", unit="{u}", name="90Percentile")
def percentile_90(d: FirstOrder) -> float:
    """Intensity below which nine tenths of the voxels lie, interpolated linearly between neighbouring ranks."""
    return d.percentiles[4]


@firstorder.feature(ibsi="N8CA", unit="{u}^2")
def energy(d: FirstOrder) -> float:
    """Sum of the squared intensities of all voxels, `voxelArrayShift` added to each before."""
    return d.energy


@firstorder.feature(ibsi="TLU2")
def entropy(d: FirstOrder) -> float:
    """Entropy in bits of the shares p of voxels at each grey level, log2(p + 2.2e-16); just below 0 for one level."""
    return -float((d.p * np.log2(d.p + EPSILON)).sum())


@firstorder.feature(ibsi="SALO", unit="{u}")
def interquartile_range(d: FirstOrder) -> float:
    """75th percentile of the intensities minus the 25th."""
    return d.percentiles[3] - d.percentiles[1]


@firstorder.feature(ibsi="")
def kurtosis(d: FirstOrder) -> float:
    """Fourth central moment over the squared variance; 3 above the excess of the IBSI (IPH6). 0 where all are equal."""
    return d.moments[3] / d.variance**2 if d.variance else 0.0


@firstorder.feature(ibsi="84IY", unit="{u}")
def maximum(d: FirstOrder) -> float:
    """Highest intensity in the region."""
    return float(d.ascending[-1])


@firstorder.feature(ibsi="4FUA", unit="{u}")
def mean_absolute_deviation(d: FirstOrder) -> float:
    """Mean distance of the intensities from their mean."""
    return d.moments[0]


@firstorder.feature(ibsi="Q4LE", unit="{u}")
def mean(d: FirstOrder) -> float:
    """Mean of the intensities of all voxels."""
    return d.mean


@firstorder.feature(ibsi="Y12H", unit="{u}")
def median(d: FirstOrder) -> float:
    """Intensity that half of the voxels do not exceed; mean of the middle two where their number is even."""
    return d.percentiles[2]


@firstorder.feature(ibsi="1GSF", unit="{u}")
def minimum(d: FirstOrder) -> float:
    """Lowest intensity in the region."""
    return float(d.ascending[0])


@firstorder.feature(ibsi="2OJQ", unit="{u}", name="Range")
def value_range(d: FirstOrder) -> float:
    """Highest intensity minus the lowest."""
    return float(d.ascending[-1] - d.ascending[0])


@firstorder.feature(ibsi="1128", unit="{u}")
def robust_mean_absolute_deviation(d: FirstOrder) -> float:
    """Mean distance from their own mean of the intensities between the 10th and 90th percentile, both included."""
    low, *_, high = d.percentiles
    inner = d.ascending[np.searchsorted(d.ascending, low) : np.searchsorted(d.ascending, high, side="right")]
    if not len(inner):
        raise Undefined("no intensity lies between the 10th and the 90th percentile")
    return float(np.abs(inner - inner.mean()).mean())


@firstorder.feature(ibsi="5ZWQ", unit="{u}")
def root_mean_squared(d: FirstOrder) -> float:
    """Square root of the mean squared intensity, `voxelArrayShift` added to each before."""
    return float(np.sqrt(d.energy / len(d.values)))


@firstorder.feature(ibsi="KE2A")
def skewness(d: FirstOrder) -> float:
    """Third central moment of the intensities over the cube of their standard deviation; 0 where all are equal."""
    return d.moments[2] / d.variance**1.5 if d.variance else 0.0


@firstorder.feature(ibsi="", unit="{u}", default=False)
def standard_deviation(d: FirstOrder) -> float:
    """Square root of the variance. Computed where it is named only, as in PyRadiomics."""
    return float(np.sqrt(d.variance))


@firstorder.feature(ibsi="", unit="{u}^2*mm^3")
def total_energy(d: FirstOrder) -> float:
    """Energy times the volume of a voxel."""
    return d.energy * d.voxel_mm3


@firstorder.feature(ibsi="BJ5W")
def uniformity(d: FirstOrder) -> float:
    """Sum of the squared shares of voxels at each grey level."""
    return float((d.p * d.p).sum())


@firstorder.feature(ibsi="ECT3", unit="{u}^2")
def variance(d: FirstOrder) -> float:
    """Mean squared deviation of the intensities from their mean (divisor n)."""
    return d.variance
