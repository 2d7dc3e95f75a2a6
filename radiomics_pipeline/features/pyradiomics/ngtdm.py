"""Neighbouring grey-tone difference by PyRadiomics' definitions: how a voxel differs from the mean of its neighbours.

For each grey level i: p_i, the share of its voxels in the region, and s_i, the sum over them of |i - mean level of the
neighbours|, which is 0 for a voxel without one. Such voxels count in PyRadiomics' numbers, against its documentation
and the IBSI, which leave them out; without them both agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radiomics_pipeline.features.pyradiomics.neighbours import neighbours
from radiomics_pipeline.features.pyradiomics.sample import PyradiomicsSample
from radiomics_pipeline.features.registry import Family
from radiomics_pipeline.kernels.neighbours import sum_complexity


@dataclass(frozen=True)
class Differences:
    """The grey levels that occur, and how their voxels differ from their neighbours; arrays are float64 [levels].

    levels : grey levels i, ascending; p : share of voxels; s : summed differences
    voxels : number of voxels
    """

    levels: np.ndarray
    p: np.ndarray
    s: np.ndarray
    voxels: int

    @cached_property
    def weighted(self) -> float:
        """Sum of p_i s_i."""
        return float((self.p * self.s).sum())


def differences(sample: PyradiomicsSample) -> list[Differences]:
    """The grey-tone differences of the region."""
    assert sample.levels is not None
    _, deviations, dependences = sample.once(neighbours)
    voxels = dependences.sum(axis=1)
    total = int(voxels.sum())
    return [Differences(sample.levels.present.astype(np.float64), voxels / total, deviations, total)]


ngtdm = Family(
    "ngtdm",
    title="Neighbouring grey-tone difference",
    ibsi="IPET",
    prepare=differences,
    needs_levels=True,
    aggregation="zonal",
)


@ngtdm.feature(ibsi="NQ30")
def busyness(d: Differences) -> float:
    """Sum of p_i s_i over the sum over all pairs of levels of |i p_i - j p_j|; 0 where the latter is 0."""
    products = np.sort(d.levels * d.p)
    below = np.arange(1, len(products))
    # each gap between neighbours of the sorted row counts for every pair on its two sides, in both orders
    apart = 2 * float((np.diff(products) * below * below[::-1]).sum())
    return d.weighted / apart if apart else 0.0


@ngtdm.feature(ibsi="QCDE")
def coarseness(d: Differences) -> float:
    """1 / sum of p_i s_i; 10^6 where the sum is 0."""
    return 1 / d.weighted if d.weighted else 1e6


@ngtdm.feature(ibsi="HDEZ")
def complexity(d: Differences) -> float:
    """Sum over all pairs of levels of |i - j| (p_i s_i + p_j s_j) / (p_i + p_j), over the number of voxels."""
    return sum_complexity(d.levels, d.p, d.s) / d.voxels


@ngtdm.feature(ibsi="65HE")
def contrast(d: Differences) -> float:
    """Mean of p_i p_j (i - j)^2 over pairs of two levels, times the sum of s_i over the voxels; 0 for one level."""
    n = len(d.levels)
    if n < 2:
        return 0.0
    spread = 2 * float((d.p * (d.levels - (d.p * d.levels).sum()) ** 2).sum())
    return spread / (n * (n - 1)) * float(d.s.sum()) / d.voxels


@ngtdm.feature(ibsi="1X9X")
def strength(d: Differences) -> float:
    """Sum over all pairs of levels of (p_i + p_j) (i - j)^2, over the sum of s_i; 0 where that is 0."""
    if not d.s.any():
        return 0.0
    centred = d.levels - d.levels.mean()
    # sum over j of (i - j)^2 = n i^2 + sum of j^2, since the centred levels sum to 0
    pairs = 2 * float((d.p * (len(centred) * centred**2 + (centred**2).sum())).sum())
    return pairs / float(d.s.sum())
