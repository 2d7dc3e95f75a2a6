"""A sampled polar map and what follows from it: segment means, ratios to normal, scores, defects."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radiomics_pipeline.features.registry import Sample, Undefined
from radiomics_pipeline.imaging.polar_map import polar_map
from radiomics_pipeline.params.polar_map import Given, PolarMap
from radiomics_pipeline.types.polar_map import SEGMENTS, TERRITORIES, WallMap

MARGIN_MM = 20.0
"""Of image around what is searched: no voxel is larger."""
LEAST_WALL = 0.5
"""Share of a segment that must have a wall, or it has no value."""


@dataclass(frozen=True)
class PolarMapSample:
    """The map of one region as its features see it."""

    map: WallMap
    params: PolarMap

    @cached_property
    def found(self) -> np.ndarray:
        """Where there is a wall; bool [rings, angles]."""
        return np.isfinite(self.map.values)

    @cached_property
    def filled(self) -> np.ndarray:
        """The map with 0 where there is no wall; float64 [rings, angles]."""
        return np.where(self.found, self.map.values, 0.0)

    @cached_property
    def area(self) -> np.ndarray:
        """Area that each place stands for, 0 where there is no wall; float64 [rings, angles], mm^2."""
        return self.map.area_mm2[:, None] * self.found

    @cached_property
    def shares(self) -> np.ndarray:
        """Share of each place that lies in each segment, 0 where there is no wall; float64 [17, rings, angles]."""
        return self.map.segments * self.found

    @cached_property
    def means(self) -> np.ndarray:
        """Mean of each segment, NaN where less than half of it has a wall; float64 [17]."""
        return self._mean(self.filled)

    def _mean(self, values: np.ndarray) -> np.ndarray:
        there = self.shares.sum(axis=(1, 2))
        enough = there >= LEAST_WALL * self.map.segments.sum(axis=(1, 2))
        sums = np.tensordot(self.shares, values, 2)
        return np.where(enough & (there > 0), sums / np.where(there > 0, there, 1), np.nan)

    @cached_property
    def normal(self) -> np.ndarray:
        """The normal map at each place; float64 [rings, angles], in any unit."""
        given = self.params.normal
        if given is None:
            return np.ones(self.found.shape)
        normal = np.array(given, float)
        return normal if normal.ndim == 2 else np.tensordot(normal, self.map.segments, 1)

    @cached_property
    def normal_means(self) -> np.ndarray:
        """The normal map's segment means; float64 [17]."""
        given = self.params.normal
        if given is not None and not isinstance(given[0], tuple):
            return np.array(given, float)
        return self._mean(self.normal)

    @cached_property
    def scale(self) -> float:
        """What of the map counts as 1 where the normal map is 1."""
        if self.params.normalise == "none":
            if self.params.normal is None:
                raise Undefined("no normal map, and normalise is none: there is nothing to compare with")
            return 1.0
        ratios = self.means / self.normal_means
        if not np.isfinite(ratios).any():
            raise Undefined("no segment has a wall")
        best = float(np.nanmax(ratios))
        if not best > 0:
            raise Undefined(f"the highest segment mean is {best:g}, not above 0: there is nothing to compare with")
        return best

    @cached_property
    def ratios(self) -> np.ndarray:
        """Ratio of each segment to normal, NaN where it has no wall; float64 [17]."""
        return self.means / self.normal_means / self.scale

    @cached_property
    def place_ratios(self) -> np.ndarray:
        """Ratio of each place to normal, 0 where there is no wall; float64 [rings, angles]."""
        return self.filled / self.normal / self.scale

    @cached_property
    def scores(self) -> np.ndarray:
        """Score of each segment, NaN where it has no wall; float64 [17]."""
        rounded = np.round(self.ratios, 9)  # so that a ratio at a cut point does not fall below it by its last digits
        below = sum((rounded < cut).astype(float) for cut in self.params.cut_points)
        return np.where(np.isfinite(self.ratios), below, np.nan)

    @cached_property
    def defect(self) -> np.ndarray:
        """Area of the places whose ratio lies below the limit of a defect; float64 [rings, angles], mm^2."""
        return self.area * (self.place_ratios < self.params.extent_below)

    def segment(self, values: np.ndarray, number: int) -> float:
        """The value of segment 1..17; Undefined where it has no wall."""
        value = float(values[number - 1])
        if math.isnan(value):
            raise Undefined(f"less than half of segment {number} ({SEGMENTS[number - 1]}) has a wall")
        return value

    def inside(self, number: int) -> np.ndarray:
        """The map's values in a segment, places that lie in it by half at least; float64 [places]."""
        self.segment(self.means, number)
        return self.filled[self.shares[number - 1] >= 0.5]

    def all_of(self, values: np.ndarray) -> np.ndarray:
        """Segment values where no segment lacks one."""
        for number in range(1, len(SEGMENTS) + 1):
            self.segment(values, number)
        return values

    def territory(self, values: np.ndarray, name: str) -> float:
        """Mean over a territory's segments, each by the area of its wall; Undefined where one has no value."""
        numbers = TERRITORIES[name]
        found = np.array([self.segment(values, n) for n in numbers])
        areas = np.tensordot(self.shares, self.area, 2)[[n - 1 for n in numbers]]
        return float(found @ areas / areas.sum())


@dataclass(frozen=True)
class Sampled:
    """Samples the map of a region, for all families that ask with the same parameters once."""

    params: PolarMap

    def __call__(self, sample: Sample) -> WallMap:
        """The map of a sample; BadMask where its region is no wall of a left ventricle."""
        return polar_map(sample.around or sample.volume, sample.region, self.params)


def reach_mm(params: PolarMap) -> float:
    """How far beyond the region's box the map may look; infinite where its place does not follow from the region."""
    return math.inf if isinstance(params.axis, Given) else max(params.inner_mm, params.outer_mm) + MARGIN_MM
