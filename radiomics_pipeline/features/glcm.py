"""Grey-level co-occurrence: which grey levels lie next to each other.

IBSI 1, family LFYI (doi:10.1148/radiol.2020191145). Pairs of voxels at Chebyshev distance 1, both in the intensity
mask, counted in both orders. The six aggregations are those of `gathering.gather`; matrices without a pair, such as
of a direction across a region that is one voxel thick, are left out of the mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.features.gathering import Bins, average, gather, join_bins, ranks_of
from radiomics_pipeline.features.registry import Family, Sample, Undefined
from radiomics_pipeline.kernels.pairs import count_pairs, fold_list, fold_matrices, list_pairs
from radiomics_pipeline.types import Levels

LARGEST_MATRIX = 256
"""Grey levels up to which pairs are always counted in a matrix."""

MOST_LEVELS = 65_535
"""Different grey levels of which a pair can be numbered in 32 bits."""

ROOM = 2**22
"""Cells of all matrices that are counted at a time."""


ONE_LEVEL = "(of one matrix at least) have one grey level"


@dataclass(frozen=True)
class Cooccurrence:
    """Symmetric co-occurrence matrices, by what features are made of.

    level, difference, sum : grey levels of either partner, absolute differences and sums of the two
    joint : float64 [matrices, 3], of the cells' shares: the largest, the sum of squares, and the entropy in bits
    n_levels : number of grey levels, those without a voxel included
    """

    level: Bins
    difference: Bins
    sum: Bins
    joint: np.ndarray
    n_levels: int

    def cluster(self, power: int) -> float:
        """Mean power of the level sum's deviation from twice the mean level."""
        return average(self.sum.mean_of(self.sum.deviations(2 * self.level.mean) ** power))


def cooccurrence(sample: Sample) -> list[Cooccurrence]:
    """The matrices of the sample's aggregation; their features are averages already."""
    assert sample.levels is not None
    gathering = gather(sample.levels, sample.aggregation)
    found = []
    for part in gathering.parts:
        n = len(part.present)
        if n > MOST_LEVELS:
            raise Undefined(f"{n} different grey levels, at most {MOST_LEVELS}")
        pairs = int(np.count_nonzero(part.array)) * len(gathering.steps) // gathering.n_groups
        listed = prefers_list(n, pairs)
        for steps, groups, n_groups in gathering.blocks(1 if listed else ROOM // n**2):
            if listed:
                found += _list(part, steps, pairs)
            else:
                counts = count_pairs(ranks_of(part), steps, groups, n_groups, n)
                found.append(fold_matrices(counts, part.present))
    joint = np.concatenate([item[0] for item in found]) if found else np.empty((0, 3))
    if not len(joint):
        raise Undefined("no two voxels of the region are neighbours")
    level, difference, total = (join_bins([_bins(item, kind) for item in found]) for kind in range(3))
    return [Cooccurrence(level, difference, total, joint, sample.levels.count)]


def prefers_list(n_levels: int, pairs: int) -> bool:
    """Whether a list of that many pairs takes less memory than a matrix of that many levels, and that one is large."""
    return n_levels > LARGEST_MATRIX and n_levels**2 > pairs // 2


def _list(part: Levels, steps: np.ndarray, room: int) -> list[tuple[np.ndarray, ...]]:
    """The matrix of all these steps from a sorted list; none where there is no pair."""
    keys = list_pairs(ranks_of(part), steps, len(part.present), room)
    keys.sort()
    return [fold_list(keys, part.present)] if len(keys) else []


def _bins(folded: tuple[np.ndarray, ...], kind: int) -> Bins:
    _, values, shares, starts, used = folded
    return Bins(values[kind, : used[kind]], shares[kind, : used[kind]], starts[kind])


glcm = Family(
    "glcm",
    title="Grey-level co-occurrence",
    ibsi="LFYI",
    prepare=cooccurrence,
    needs_levels=True,
    aggregation="directional",
)


@glcm.feature(ibsi="GYBY")
def joint_maximum(m: Cooccurrence) -> float:
    """Share of the most frequent pair of grey levels."""
    return average(m.joint[:, 0])


@glcm.feature(ibsi="60VM")
def joint_average(m: Cooccurrence) -> float:
    """Mean grey level of the voxels in all pairs."""
    return average(m.level.mean)


@glcm.feature(ibsi="UR99")
def joint_variance(m: Cooccurrence) -> float:
    """Variance of the grey level of the voxels in all pairs."""
    return average(m.level.variance)


@glcm.feature(ibsi="TU9B")
def joint_entropy(m: Cooccurrence) -> float:
    """Shannon entropy in bits of the shares of all pairs of grey levels."""
    return average(m.joint[:, 2])


@glcm.feature(ibsi="TF7R")
def difference_average(m: Cooccurrence) -> float:
    """Mean of the histogram of absolute differences between the grey levels of neighbours."""
    return average(m.difference.mean)


@glcm.feature(ibsi="D3YU")
def difference_variance(m: Cooccurrence) -> float:
    """Variance of the histogram of absolute differences between the grey levels of neighbours."""
    return average(m.difference.variance)


@glcm.feature(ibsi="NTRS")
def difference_entropy(m: Cooccurrence) -> float:
    """Shannon entropy in bits of the histogram of absolute differences between the grey levels of neighbours."""
    return average(m.difference.entropy)


@glcm.feature(ibsi="ZGXS")
def sum_average(m: Cooccurrence) -> float:
    """Mean of the histogram of sums of the grey levels of neighbours."""
    return average(m.sum.mean)


@glcm.feature(ibsi="OEEB")
def sum_variance(m: Cooccurrence) -> float:
    """Variance of the histogram of sums of the grey levels of neighbours."""
    return m.cluster(2)


@glcm.feature(ibsi="P6QZ")
def sum_entropy(m: Cooccurrence) -> float:
    """Shannon entropy in bits of the histogram of sums of the grey levels of neighbours."""
    return average(m.sum.entropy)


@glcm.feature(ibsi="8ZQL")
def angular_second_moment(m: Cooccurrence) -> float:
    """Sum of the squared shares of all pairs of grey levels."""
    return average(m.joint[:, 1])


@glcm.feature(ibsi="ACUI")
def contrast(m: Cooccurrence) -> float:
    """Mean squared difference between the grey levels of neighbours."""
    return average(m.difference.mean_square)


@glcm.feature(ibsi="8S9J")
def dissimilarity(m: Cooccurrence) -> float:
    """Mean absolute difference between the grey levels of neighbours; equal to the difference average."""
    return difference_average(m)


@glcm.feature(ibsi="IB1Z")
def inverse_difference(m: Cooccurrence) -> float:
    """Mean over all pairs of 1 / (1 + d), where d is the absolute difference of their grey levels."""
    d = m.difference
    return average(d.mean_of(1 / (1 + d.values)))


@glcm.feature(ibsi="NDRX")
def normalised_inverse_difference(m: Cooccurrence) -> float:
    """Mean over all pairs of 1 / (1 + d/N), with d the difference of their levels and N the number of levels."""
    d = m.difference
    return average(d.mean_of(1 / (1 + d.values / m.n_levels)))


@glcm.feature(ibsi="WF0Z")
def inverse_difference_moment(m: Cooccurrence) -> float:
    """Mean over all pairs of 1 / (1 + d^2), where d is the difference of their grey levels."""
    d = m.difference
    return average(d.mean_of(1 / (1 + d.values**2)))


@glcm.feature(ibsi="1QCO")
def normalised_inverse_difference_moment(m: Cooccurrence) -> float:
    """Mean over all pairs of 1 / (1 + (d/N)^2), where d is the difference of their levels, N the number of levels."""
    d = m.difference
    return average(d.mean_of(1 / (1 + (d.values / m.n_levels) ** 2)))


@glcm.feature(ibsi="E8JP")
def inverse_variance(m: Cooccurrence) -> float:
    """Sum over all pairs of unlike grey levels of their share over their squared difference; 0 without such pairs."""
    d = m.difference
    unlike = d.values > 0
    return average(d.mean_of(unlike / np.maximum(d.values, 1) ** 2))


@glcm.feature(ibsi="NI2N")
def correlation(m: Cooccurrence) -> float:
    """Correlation coefficient between the grey levels of neighbours."""
    variance = m.level.variance
    if not variance.all():
        raise Undefined(f"all neighbours {ONE_LEVEL}: its variance is 0")
    # the variance of the difference of two partners, which is the contrast, is twice the variance less the covariance
    return average(1 - m.difference.mean_square / (2 * variance))


@glcm.feature(ibsi="QWB0")
def autocorrelation(m: Cooccurrence) -> float:
    """Mean product of the grey levels of neighbours."""
    return average((m.sum.mean_square - m.difference.mean_square) / 4)  # (i + j)^2 - (i - j)^2 = 4 i j


@glcm.feature(ibsi="DG8W")
def cluster_tendency(m: Cooccurrence) -> float:
    """Mean squared deviation of the level sum of neighbours from twice the mean level; equal to the sum variance."""
    return m.cluster(2)


@glcm.feature(ibsi="7NFM")
def cluster_shade(m: Cooccurrence) -> float:
    """Mean cubed deviation of the level sum of neighbours from twice the mean level."""
    return m.cluster(3)


@glcm.feature(ibsi="AE86")
def cluster_prominence(m: Cooccurrence) -> float:
    """Mean fourth power of the deviation of the level sum of neighbours from twice the mean level."""
    return m.cluster(4)


# In a symmetric matrix both entropies of the IBSI that take the product of the marginal shares, HXY1 and HXY2,
# are twice the marginal entropy.


@glcm.feature(ibsi="R8DG")
def information_correlation_1(m: Cooccurrence) -> float:
    """Joint entropy minus what it were if neighbours were independent, over the entropy of a single voxel's level."""
    single = m.level.entropy
    if not single.all():
        raise Undefined(f"all neighbours {ONE_LEVEL}: its entropy is 0")
    return average((m.joint[:, 2] - 2 * single) / single)


@glcm.feature(ibsi="JN9H")
def information_correlation_2(m: Cooccurrence) -> float:
    """Square root of 1 - exp(-2 I), with I the information in bits that neighbours share about their grey levels."""
    shared = np.maximum(2 * m.level.entropy - m.joint[:, 2], 0.0)
    return average(np.sqrt(1 - np.exp(-2 * shared)))
