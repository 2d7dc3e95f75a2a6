"""Neighbourhood grey-tone differences: how far each voxel's grey level is from the mean of its neighbours.

IBSI 1, family IPET (doi:10.1148/radiol.2020191145). A neighbourhood needs one voxel inside the region only; levels i
occur with the share p_i among the voxels that have one, s_i is the sum of their differences. Slices without two
neighbouring voxels have no matrix.
"""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.features.neighbourhood import Differences, differences
from radiomics_pipeline.features.registry import Family, Undefined
from radiomics_pipeline.kernels.neighbours import sum_complexity

LARGEST_COARSENESS = 1e6
"""Set by the IBSI, since a region without differences would be infinitely coarse."""

ngtdm = Family(
    "ngtdm",
    title="Neighbourhood grey-tone differences",
    ibsi="IPET",
    prepare=differences,
    needs_levels=True,
    aggregation="zonal",
)


@ngtdm.feature(ibsi="QCDE")
def coarseness(d: Differences) -> float:
    """1 over the sum of p_i s_i; at most 10^6, as the IBSI sets it."""
    return min(1 / d.weighted, LARGEST_COARSENESS) if d.weighted else LARGEST_COARSENESS


@ngtdm.feature(ibsi="65HE")
def contrast(d: Differences) -> float:
    """Sum over all pairs of levels of p_i p_j (i - j)^2, over the number of such pairs of different levels, times the
    mean difference of a voxel; 0 where only one level has neighbours, as the IBSI sets it.
    """
    n = len(d.levels)
    if n == 1:
        return 0.0
    deviations = d.levels - (d.shares * d.levels).sum()
    pairs = 2 * float((d.shares * deviations * deviations).sum())  # twice the variance is the sum over all pairs
    return pairs / (n * (n - 1)) * float(d.deviations.sum()) / d.total


@ngtdm.feature(ibsi="NQ30")
def busyness(d: Differences) -> float:
    """Sum of p_i s_i over the sum over all pairs of levels of |i p_i - j p_j|; 0 where only one level has neighbours,
    as the IBSI sets it; undefined where all i p_i are the same.
    """
    n = len(d.levels)
    if n == 1:
        return 0.0
    products = np.sort(d.levels * d.voxels)
    # in ascending order each product is subtracted from all that follow and added for all before
    pairs = 2 * float((products * np.arange(1 - n, n, 2)).sum()) / d.total
    if pairs == 0:
        raise Undefined("level times share is the same for all grey levels")
    return d.weighted / pairs


@ngtdm.feature(ibsi="HDEZ")
def complexity(d: Differences) -> float:
    """Sum over all pairs of levels of |i - j| (p_i s_i + p_j s_j) / (p_i + p_j), over the number of voxels."""
    return sum_complexity(d.levels, d.shares, d.deviations) / d.total


@ngtdm.feature(ibsi="1X9X")
def strength(d: Differences) -> float:
    """Sum over all pairs of levels of (p_i + p_j) (i - j)^2, over the sum of s_i; 0 where that sum is 0, as the IBSI
    sets it.
    """
    total = float(d.deviations.sum())
    if total == 0:
        return 0.0
    deviations = d.levels - d.levels.mean()
    squares = deviations * deviations  # of each level from the mean level, to which the sum over j is reduced
    return 2 * float((d.shares * (len(squares) * squares + squares.sum())).sum()) / total
