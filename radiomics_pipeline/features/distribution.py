"""Statistics of a set of numbers, shared by intensities and grey levels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radiomics_pipeline.features.registry import Undefined
from radiomics_pipeline.kernels.intensities import sum_deviations


@dataclass(frozen=True)
class Distribution:
    """The values of a region's voxels.

    values : float64 [k], ascending, k >= 1
    counts : int64 [k], number of voxels of each value, above 0; None where there is one of each
    """

    values: np.ndarray
    counts: np.ndarray | None = None

    @cached_property
    def _ends(self) -> np.ndarray:
        """Number of voxels up to and with each value; int64 [k]."""
        assert self.counts is not None
        return np.cumsum(self.counts)

    @cached_property
    def n(self) -> int:
        """Number of voxels."""
        return len(self.values) if self.counts is None else int(self._ends[-1])

    def _average(self, numbers: np.ndarray) -> float:
        """Mean over the voxels of numbers given by value [k]."""
        return float(numbers.mean() if self.counts is None else (numbers * self.counts).sum() / self.n)

    def _ranked(self, rank: int) -> float:
        """The value of the voxel that has so many before it."""
        return float(self.values[rank if self.counts is None else self._ends.searchsorted(rank, side="right")])

    @cached_property
    def minimum(self) -> float:
        """Smallest value."""
        return float(self.values[0])

    @cached_property
    def maximum(self) -> float:
        """Largest value."""
        return float(self.values[-1])

    @cached_property
    def range(self) -> float:
        """Largest value minus smallest."""
        return self.maximum - self.minimum

    @cached_property
    def mean(self) -> float:
        """Arithmetic mean; exact where all values are the same."""
        return self._average(self.values) if self.range else self.minimum

    @cached_property
    def _scale(self) -> float:
        """Largest deviation from the mean: no power of a deviation divided by it overflows."""
        return max(self.mean - self.minimum, self.maximum - self.mean) or 1.0

    @cached_property
    def _averages(self) -> tuple[float, float, float, float, float, float]:
        """Means of |d|, d^2, d^3 and d^4, d the scaled deviations, of the distance from the median, and of squares."""
        if self.counts is None:
            a, b, c, d, e, f = sum_deviations(self.values, self.mean, self._scale, self.median) / self.n
            return float(a), float(b), float(c), float(d), float(e), float(f)
        d = (self.values - self.mean) / self._scale
        around, squares = np.abs(self.values - self.median), self.values * self.values
        a, b, c, d, e, f = (self._average(part) for part in (np.abs(d), d * d, d**3, d**4, around, squares))
        return a, b, c, d, e, f

    @cached_property
    def deviation(self) -> float:
        """Standard deviation, divisor n."""
        return math.sqrt(self._averages[1]) * self._scale

    @cached_property
    def variance(self) -> float:
        """Variance, divisor n."""
        return self._averages[1] * self._scale * self._scale

    @cached_property
    def skewness(self) -> float:
        """Third standardised moment; 0 without variance, as the IBSI sets it."""
        return self._averages[2] / self._averages[1] ** 1.5 if self.range else 0.0

    @cached_property
    def kurtosis(self) -> float:
        """Fourth standardised moment minus 3; 0 without variance, as the IBSI sets it."""
        return self._averages[3] / self._averages[1] ** 2 - 3.0 if self.range else 0.0

    def percentile(self, percent: int) -> float:
        """Value below which `percent` of the values lie, linear between neighbours; 0 the smallest, 100 the largest."""
        low, rest = divmod((self.n - 1) * percent, 100)
        below = self._ranked(low)
        return below + (self._ranked(low + 1) - below) * (rest / 100) if rest else below

    @cached_property
    def median(self) -> float:
        """Middle value."""
        return self.percentile(50)

    @cached_property
    def interquartile_range(self) -> float:
        """75th percentile minus 25th."""
        return self.percentile(75) - self.percentile(25)

    @cached_property
    def mean_absolute_deviation(self) -> float:
        """Mean distance from the mean."""
        return self._averages[0] * self._scale

    @cached_property
    def robust_mean_absolute_deviation(self) -> float:
        """Mean distance from their mean of the values from the 10th to the 90th percentile, both included."""
        first = self.values.searchsorted(self.percentile(10), side="left")
        end = self.values.searchsorted(self.percentile(90), side="right")
        if end <= first:
            raise Undefined("no value lies between the 10th and the 90th percentile")
        counts = None if self.counts is None else self.counts[first:end]
        return Distribution(self.values[first:end], counts).mean_absolute_deviation

    @cached_property
    def median_absolute_deviation(self) -> float:
        """Mean distance from the median."""
        return self._averages[4]

    @cached_property
    def coefficient_of_variation(self) -> float:
        """Standard deviation over mean."""
        if self.mean == 0:
            raise Undefined("the mean is 0")
        return self.deviation / self.mean

    @cached_property
    def quartile_coefficient_of_dispersion(self) -> float:
        """Difference of the 75th and 25th percentile over their sum."""
        total = self.percentile(75) + self.percentile(25)
        if total == 0:
            raise Undefined("the 25th and 75th percentile sum to 0")
        return self.interquartile_range / total

    @cached_property
    def energy(self) -> float:
        """Sum of squares."""
        return self._averages[5] * self.n

    @cached_property
    def root_mean_square(self) -> float:
        """Square root of the mean square."""
        return math.sqrt(self._averages[5])


def entropy(p: np.ndarray) -> float:
    """Shannon entropy in bits of probabilities p [n], all above 0."""
    return float(-(p * np.log2(p)).sum()) + 0.0
