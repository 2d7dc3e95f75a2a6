"""Intensity-volume histogram: which share of the volume has at least a given intensity.

IBSI 1, family P88C (doi:10.1148/radiol.2020191145). Taken from the intensity mask, along an axis of intensities of
its own. Intensity fractions run from 0 at the lower end of the axis to 1 at its upper end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radiomics_pipeline.features.registry import Family, Sample, Undefined
from radiomics_pipeline.imaging.ivh import intensity_volume
from radiomics_pipeline.params.extraction import IvhAsTheyAre
from radiomics_pipeline.types.ivh import IntensityVolume


@dataclass(frozen=True)
class Curve:
    """The share of the volume at each point of an axis of intensities."""

    axis: IntensityVolume

    @cached_property
    def tails(self) -> np.ndarray:
        """Number of voxels at each occupied point or above it; int64 [occupied + 1], the last is 0."""
        return np.concatenate((np.cumsum(self.axis.counts[::-1])[::-1], (0,)))

    @cached_property
    def last(self) -> int:
        """Number of the axis' last point, from 0."""
        return math.ceil((self.axis.high - self.axis.low) / self.axis.step - 1e-9)

    def share(self, place: float) -> float:
        """Share of the volume at a point or above it."""
        return float(self.tails[self.axis.places.searchsorted(place)] / self.tails[0])

    def volume_at(self, percent: int) -> float:
        """Share of the volume at the first point whose intensity fraction is at least `percent`."""
        if not self.last:
            raise Undefined("the intensity axis has a single point, and so no fractions")
        length = (self.axis.high - self.axis.low) / self.axis.step
        return self.share(math.ceil(percent * length / 100 - 1e-9))

    def intensity_at(self, percent: int) -> float:
        """Intensity of the first point that at most `percent` of the volume reaches."""
        few = int(np.count_nonzero(100 * self.tails > percent * self.tails[0]))
        place = float(self.axis.places[few - 1]) + 1
        if place > self.last:
            raise Undefined(f"more than {percent} % of the volume reach the upper end of the intensity axis")
        return min(self.axis.low + place * self.axis.step, self.axis.high)

    @property
    def area(self) -> float:
        """Area under the shares as a function of the intensity fraction, by trapezia."""
        axis, n = self.axis, self.tails[0]
        if len(axis.counts) == 1:
            return 0.0
        total = 1 + float((axis.places * axis.counts).sum() / n)  # the sum of the shares of all points
        end = self.share(self.last)
        short = self.last - (axis.high - axis.low) / axis.step  # what the last interval lacks of a whole step
        area = total - (1 + end) / 2 - short * (self.share(self.last - 1) + end) / 2
        return area * axis.step / (axis.high - axis.low)


def curve_of(sample: Sample) -> list[Curve]:
    """The curve of the axis that the sample brings, or of the intensities as they are."""
    axis = sample.ivh or intensity_volume(sample.volume, sample.region, IvhAsTheyAre(method="none"))
    if not math.isfinite(100 * ((axis.high - axis.low) / axis.step)):
        raise Undefined("the range of intensities exceeds the range of numbers")
    return [Curve(axis)]


ivh = Family("ivh", title="Intensity-volume histogram", ibsi="P88C", prepare=curve_of)


@ivh.feature(ibsi="NK6P")
def volume_at_intensity_fraction_10(c: Curve) -> float:
    """Largest share of the volume that has an intensity fraction of at least 10 % (BC2M)."""
    return c.volume_at(10)


@ivh.feature(ibsi="4279")
def volume_at_intensity_fraction_90(c: Curve) -> float:
    """Largest share of the volume that has an intensity fraction of at least 90 % (BC2M)."""
    return c.volume_at(90)


@ivh.feature(ibsi="PWN1", unit="{u}")
def intensity_at_volume_fraction_10(c: Curve) -> float:
    """Lowest intensity that at most 10 % of the volume reach (GBPN); a bin number where bins have a fixed number."""
    return c.intensity_at(10)


@ivh.feature(ibsi="BOHI", unit="{u}")
def intensity_at_volume_fraction_90(c: Curve) -> float:
    """Lowest intensity that at most 90 % of the volume reach (GBPN); a bin number where bins have a fixed number."""
    return c.intensity_at(90)


@ivh.feature(ibsi="WITY")
def volume_fraction_difference(c: Curve) -> float:
    """Volume at an intensity fraction of 10 % minus that at 90 % (DDTU)."""
    return c.volume_at(10) - c.volume_at(90)


@ivh.feature(ibsi="JXJA", unit="{u}")
def intensity_fraction_difference(c: Curve) -> float:
    """Intensity at a volume fraction of 10 % minus that at 90 % (CNV2); of bin numbers where their number is fixed."""
    return c.intensity_at(10) - c.intensity_at(90)


@ivh.feature(ibsi="9CMM")
def area_under_curve(c: Curve) -> float:
    """Area under the shares of the volume over intensity fractions from 0 to 1, by trapezia; 0 for one intensity."""
    return c.area
