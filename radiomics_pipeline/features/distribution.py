"""Statistics of a set of numbers, shared by intensities and grey levels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radiomics_pipeline.features.registry import Undefined


@dataclass(frozen=True)
class Distribution:
    """The values of a region's voxels.

    values : float64 [n], ascending, n >= 1
    """

    values: np.ndarray

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
        return float(self.values.mean()) if self.range else self.minimum

    @cached_property
    def _deviations(self) -> tuple[np.ndarray, float]:
        """Deviations from the mean over the largest of them, which follows: no power of them overflows."""
        deviations = self.values - self.mean
        scale = float(max(-deviations[0], deviations[-1])) or 1.0
        return deviations / scale, scale

    def _moment(self, order: int) -> float:
        """Mean power of the scaled deviations."""
        deviations, _ = self._deviations
        power = deviations
        for _ in range(order - 1):
            power = power * deviations
        return float(power.mean())

    @cached_property
    def deviation(self) -> float:
        """Standard deviation, divisor n."""
        return float(np.sqrt(self._moment(2))) * self._deviations[1]

    @cached_property
    def variance(self) -> float:
        """Variance, divisor n."""
        return self._moment(2) * self._deviations[1] * self._deviations[1]

    @cached_property
    def skewness(self) -> float:
        """Third standardised moment; 0 without variance, as the IBSI sets it."""
        return self._moment(3) / self._moment(2) ** 1.5 if self.range else 0.0

    @cached_property
    def kurtosis(self) -> float:
        """Fourth standardised moment minus 3; 0 without variance, as the IBSI sets it."""
        return self._moment(4) / self._moment(2) ** 2 - 3.0 if self.range else 0.0

    def percentile(self, percent: int) -> float:
        """Value below which `percent` of the values lie, linear between neighbours; 0 the smallest, 100 the largest."""
        low, rest = divmod((len(self.values) - 1) * percent, 100)
        if not rest:
            return float(self.values[low])
        below, above = float(self.values[low]), float(self.values[low + 1])
        return below + (above - below) * (rest / 100)

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
        return float(np.abs(self._deviations[0]).mean()) * self._deviations[1]

    @cached_property
    def robust_mean_absolute_deviation(self) -> float:
        """Mean distance from their mean of the values from the 10th to the 90th percentile, both included."""
        first = np.searchsorted(self.values, self.percentile(10), side="left")
        end = np.searchsorted(self.values, self.percentile(90), side="right")
        if end <= first:
            raise Undefined("no value lies between the 10th and the 90th percentile")
        return Distribution(self.values[first:end]).mean_absolute_deviation

    @cached_property
    def median_absolute_deviation(self) -> float:
        """Mean distance from the median."""
        return float(np.abs(self.values - self.median).mean())

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
        return float((self.values * self.values).sum())

    @cached_property
    def root_mean_square(self) -> float:
        """Square root of the mean square."""
        return float(np.sqrt((self.values * self.values).mean()))


def entropy(p: np.ndarray) -> float:
    """Shannon entropy in bits of probabilities p [n], all above 0."""
    return float(-(p * np.log2(p)).sum()) + 0.0
