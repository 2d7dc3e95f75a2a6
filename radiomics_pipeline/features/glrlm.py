"""Grey-level run lengths: how many voxels of one grey level follow one another along a line.

IBSI 1, family TP0I (doi:10.1148/radiol.2020191145). A run goes on while the next voxel along the direction is in the
intensity mask and has the same grey level; so each voxel is in one run of each direction. The six aggregations are
those of `gathering.gather`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radiomics_pipeline.features.gathering import Bins, Gathering, average, gather, ranks_of
from radiomics_pipeline.features.registry import Family, Sample
from radiomics_pipeline.kernels.runs import count_runs, list_runs, sum_by
from radiomics_pipeline.types import Levels

ROOM = 2**22
"""Cells of all matrices that are counted at a time."""


@dataclass(frozen=True)
class Runs:
    """The entries of run-length matrices that are not 0, end to end.

    levels, lengths, counts : int64 [entries], grey level, length in voxels, and number of such runs
    starts : int64 [matrices], first entry of each
    """

    levels: np.ndarray
    lengths: np.ndarray
    counts: np.ndarray
    starts: np.ndarray

    @cached_property
    def total(self) -> np.ndarray:
        """Number of runs in each matrix; float64 [matrices]."""
        return np.add.reduceat(self.counts, self.starts).astype(np.float64)

    @cached_property
    def level(self) -> Bins:
        """Share of runs of each grey level."""
        return Bins(*sum_by(self.levels, self.counts, self.starts))

    @cached_property
    def length(self) -> Bins:
        """Share of runs of each length."""
        return Bins(*sum_by(self.lengths, self.counts, self.starts))

    @cached_property
    def level_square(self) -> np.ndarray:
        """Squared grey level of each entry; float64 [entries]."""
        return self.levels.astype(np.float64) ** 2

    @cached_property
    def length_square(self) -> np.ndarray:
        """Squared length of each entry; float64 [entries]."""
        return self.lengths.astype(np.float64) ** 2

    def mean_of(self, numbers: np.ndarray) -> np.ndarray:
        """Mean over the runs of each matrix of a number given for each entry; float64 [matrices]."""
        return np.add.reduceat(numbers * self.counts, self.starts) / self.total

    @cached_property
    def entropy(self) -> np.ndarray:
        """Entropy in bits of the shares of levels and lengths in each matrix; float64 [matrices]."""
        ends = np.append(self.starts[1:], len(self.counts))
        shares = self.counts / np.repeat(self.total, ends - self.starts)
        return -np.add.reduceat(shares * np.log2(shares), self.starts)


def runs_of(sample: Sample) -> list[Runs]:
    """The matrices of the sample's aggregation; their features are averages already."""
    assert sample.levels is not None
    gathering = gather(sample.levels, sample.aggregation)
    found = [item for part in gathering.parts for item in _count(part, gathering)]
    if len(found) == 1:
        return found
    sizes = np.cumsum([0] + [len(item.counts) for item in found[:-1]])
    starts = [item.starts + size for item, size in zip(found, sizes, strict=True)]
    levels, lengths, counts = (
        np.concatenate([getattr(item, name) for item in found]) for name in ("levels", "lengths", "counts")
    )
    return [Runs(levels, lengths, counts, np.concatenate(starts))]


def _count(part: Levels, gathering: Gathering) -> list[Runs]:
    """The matrices of one part, as many at a time as there is room for."""
    ranks, longest = ranks_of(part), max(part.array.shape)
    n = len(part.present)
    if n * longest > ROOM:
        return [_count_by_levels(part, steps, longest) for steps, _, _ in gathering.blocks(1)]
    return [
        Runs(*list_runs(count_runs(ranks, steps, groups, n_groups, n, longest), part.present))
        for steps, groups, n_groups in gathering.blocks(ROOM // (n * longest))
    ]


def _count_by_levels(part: Levels, steps: np.ndarray, longest: int) -> Runs:
    """One matrix, some levels at a time: a run has one level, so that the others may be hidden."""
    at_once = max(ROOM // longest, 1)
    groups = np.zeros(len(steps), np.int64)
    found = []
    for first in range(0, len(part.present), at_once):
        chosen = part.present[first : first + at_once]
        ranks = ranks_of(part) - np.int32(first)
        ranks[(ranks < 0) | (ranks > len(chosen))] = 0
        ranks.flags.writeable = False
        found.append(list_runs(count_runs(ranks, steps, groups, 1, len(chosen), longest), chosen))
    levels, lengths, counts, _ = (np.concatenate(column) for column in zip(*found, strict=True))
    return Runs(levels, lengths, counts, np.zeros(1, np.int64))


glrlm = Family(
    "glrlm",
    title="Grey-level run lengths",
    ibsi="TP0I",
    prepare=runs_of,
    needs_levels=True,
    aggregation="directional",
)


@glrlm.feature(ibsi="22OV")
def short_run_emphasis(r: Runs) -> float:
    """Mean over all runs of 1 / length^2."""
    return average(r.length.mean_of(1 / r.length.values**2))


@glrlm.feature(ibsi="W4KF")
def long_run_emphasis(r: Runs) -> float:
    """Mean over all runs of length^2."""
    return average(r.length.mean_square)


@glrlm.feature(ibsi="V3SW")
def low_grey_level_run_emphasis(r: Runs) -> float:
    """Mean over all runs of 1 / level^2."""
    return average(r.level.mean_of(1 / r.level.values**2))


@glrlm.feature(ibsi="G3QZ")
def high_grey_level_run_emphasis(r: Runs) -> float:
    """Mean over all runs of level^2."""
    return average(r.level.mean_square)


@glrlm.feature(ibsi="HTZT")
def short_run_low_grey_level_emphasis(r: Runs) -> float:
    """Mean over all runs of 1 / (level^2 length^2)."""
    return average(r.mean_of(1 / (r.level_square * r.length_square)))


@glrlm.feature(ibsi="GD3A")
def short_run_high_grey_level_emphasis(r: Runs) -> float:
    """Mean over all runs of level^2 / length^2."""
    return average(r.mean_of(r.level_square / r.length_square))


@glrlm.feature(ibsi="IVPO")
def long_run_low_grey_level_emphasis(r: Runs) -> float:
    """Mean over all runs of length^2 / level^2."""
    return average(r.mean_of(r.length_square / r.level_square))


@glrlm.feature(ibsi="3KUM")
def long_run_high_grey_level_emphasis(r: Runs) -> float:
    """Mean over all runs of level^2 length^2."""
    return average(r.mean_of(r.level_square * r.length_square))


@glrlm.feature(ibsi="R5YN")
def grey_level_non_uniformity(r: Runs) -> float:
    """Sum over grey levels of the squared number of runs with that level, over the number of runs."""
    return average(r.level.uniformity * r.total)


@glrlm.feature(ibsi="OVBL")
def normalised_grey_level_non_uniformity(r: Runs) -> float:
    """Sum over grey levels of the squared share of runs with that level."""
    return average(r.level.uniformity)


@glrlm.feature(ibsi="W92Y")
def run_length_non_uniformity(r: Runs) -> float:
    """Sum over lengths of the squared number of runs of that length, over the number of runs."""
    return average(r.length.uniformity * r.total)


@glrlm.feature(ibsi="IC23")
def normalised_run_length_non_uniformity(r: Runs) -> float:
    """Sum over lengths of the squared share of runs of that length."""
    return average(r.length.uniformity)


@glrlm.feature(ibsi="9ZK5")
def run_percentage(r: Runs) -> float:
    """Number of runs over the number of voxels, which count once for each direction: 1 over the mean length."""
    return average(1 / r.length.mean)


@glrlm.feature(ibsi="8CE5")
def grey_level_variance(r: Runs) -> float:
    """Variance over all runs of their grey level."""
    return average(r.level.variance)


@glrlm.feature(ibsi="SXLW")
def run_length_variance(r: Runs) -> float:
    """Variance over all runs of their length in voxels."""
    return average(r.length.variance)


@glrlm.feature(ibsi="HJ9O")
def run_entropy(r: Runs) -> float:
    """Shannon entropy in bits of the shares of all combinations of grey level and length."""
    return average(r.entropy)
