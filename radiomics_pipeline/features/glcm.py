"""Grey-level co-occurrence: which grey levels lie next to each other.

IBSI 1, family LFYI (doi:10.1148/radiol.2020191145). Pairs of voxels at Chebyshev distance 1, both in the intensity
mask, counted in both orders. "3D:avg" (ITBB) is the mean over those of the 13 directions in which the region has a
pair; "3D:mrg" (IAZD) takes one matrix of all pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radiomics_pipeline.features.distribution import entropy
from radiomics_pipeline.features.registry import Family, Sample, Undefined
from radiomics_pipeline.kernels.pairs import count_pairs
from radiomics_pipeline.types import Levels

DIRECTIONS = tuple(
    (dz, dy, dx) for dz in (-1, 0, 1) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dz, dy, dx) > (0, 0, 0)
)
"""One of each two opposite steps to the 26 neighbours."""

LARGEST_MATRIX = 1024
"""Grey levels up to which pairs are counted in a matrix; those of more are sorted instead, which needs less memory."""


@dataclass(frozen=True)
class Cooccurrence:
    """The entries of a symmetric co-occurrence matrix that are not 0.

    first, second : int64 [entries], grey levels of the pair
    counts : float64 [entries], number of such pairs, each counted in both orders
    n_levels : number of grey levels, those without a voxel included
    """

    first: np.ndarray
    second: np.ndarray
    counts: np.ndarray
    n_levels: int

    @cached_property
    def total(self) -> float:
        """Number of all pairs."""
        return float(self.counts.sum())

    @cached_property
    def p(self) -> np.ndarray:
        """Share of all pairs; float64 [entries]."""
        return self.counts / self.total

    @cached_property
    def marginal(self) -> tuple[np.ndarray, np.ndarray]:
        """Levels of either partner, and the share of pairs with each."""
        return self._collect(self.first)

    @cached_property
    def difference(self) -> tuple[np.ndarray, np.ndarray]:
        """Absolute level differences that occur, and the share of pairs with each."""
        return self._collect(np.abs(self.first - self.second))

    @cached_property
    def sum(self) -> tuple[np.ndarray, np.ndarray]:
        """Level sums that occur, and the share of pairs with each."""
        return self._collect(self.first + self.second)

    def _collect(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        counts = np.bincount(keys, weights=self.counts)
        found = np.flatnonzero(counts)
        return found.astype(np.float64), counts[found] / self.total

    @cached_property
    def mean(self) -> float:
        """Mean level of either partner."""
        levels, p = self.marginal
        return float((levels * p).sum())

    @cached_property
    def variance(self) -> float:
        """Variance of the level of either partner; exactly 0 where there is one level."""
        levels, p = self.marginal
        return float(((levels - self.mean) ** 2 * p).sum()) if len(levels) > 1 else 0.0

    @cached_property
    def joint_entropy(self) -> float:
        """Entropy of the matrix in bits."""
        return entropy(self.p)

    @cached_property
    def marginal_entropy(self) -> float:
        """Entropy of the level of either partner in bits."""
        return entropy(self.marginal[1])

    def cluster(self, power: int) -> float:
        """Mean power of the level sum's deviation from its mean."""
        sums, p = self.sum
        return float(((sums - 2 * self.mean) ** power * p).sum()) if len(sums) > 1 else 0.0


def cooccurrence(sample: Sample) -> list[Cooccurrence]:
    """The matrices to average over: one for "3D:mrg", up to 13 for "3D:avg"."""
    assert sample.levels is not None
    if sample.aggregation not in ("3D:avg", "3D:mrg"):
        raise ValueError(f"glcm knows no aggregation {sample.aggregation!r}")
    present, ranks = _rank_levels(sample.levels)
    directions = [_count(ranks, step, len(present)) for step in DIRECTIONS]
    if sample.aggregation == "3D:mrg":
        keys, counts = zip(*directions, strict=True)
        directions = [(np.concatenate(keys), np.concatenate(counts))]
    found = [_symmetric(keys, counts, present, sample.levels.count) for keys, counts in directions if len(keys)]
    if not found:
        raise Undefined("no two voxels of the region are neighbours")
    return found


def _rank_levels(levels: Levels) -> tuple[np.ndarray, np.ndarray]:
    """The levels that occur, and the image with each level replaced by its rank: int32, 1.. inside, 0 outside.

    Matrices of ranks stay small where levels are many and most without a voxel.
    """
    counts = np.bincount(levels.array.ravel())
    counts[0] = 0
    present = np.flatnonzero(counts)
    rank = np.zeros(len(counts), np.int32)
    rank[present] = np.arange(1, len(present) + 1)
    return present, rank[levels.array]


def _count(ranks: np.ndarray, step: tuple[int, int, int], n: int) -> tuple[np.ndarray, np.ndarray]:
    """The pairs of ranks one step apart, each as the number (first - 1) n + second - 1, and how often each occurs."""
    if n <= LARGEST_MATRIX:
        flat = count_pairs(ranks, *step, n).ravel()
        keys = np.flatnonzero(flat)
        return keys, flat[keys]
    here = tuple(slice(max(0, -d), size - max(0, d)) for d, size in zip(step, ranks.shape, strict=True))
    there = tuple(slice(max(0, d), size - max(0, -d)) for d, size in zip(step, ranks.shape, strict=True))
    first, second = ranks[here], ranks[there]
    both = (first > 0) & (second > 0)
    return np.unique((first[both] - np.int64(1)) * n + second[both] - 1, return_counts=True)


def _symmetric(keys: np.ndarray, counts: np.ndarray, present: np.ndarray, n_levels: int) -> Cooccurrence:
    """The matrix plus its transpose, from numbered pairs and their counts."""
    n = len(present)
    first, second = divmod(keys, n)
    both, where = np.unique(np.concatenate([keys, second * n + first]), return_inverse=True)
    totals = np.bincount(where, weights=np.tile(counts, 2))
    first, second = divmod(both, n)
    return Cooccurrence(present[first], present[second], totals, n_levels)


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
    return float(m.p.max())


@glcm.feature(ibsi="60VM")
def joint_average(m: Cooccurrence) -> float:
    """Mean grey level of the voxels in all pairs."""
    return m.mean


@glcm.feature(ibsi="UR99")
def joint_variance(m: Cooccurrence) -> float:
    """Variance of the grey level of the voxels in all pairs."""
    return m.variance


@glcm.feature(ibsi="TU9B")
def joint_entropy(m: Cooccurrence) -> float:
    """Shannon entropy in bits of the shares of all pairs of grey levels."""
    return m.joint_entropy


@glcm.feature(ibsi="TF7R")
def difference_average(m: Cooccurrence) -> float:
    """Mean of the histogram of absolute differences between the grey levels of neighbours."""
    k, p = m.difference
    return float((k * p).sum())


@glcm.feature(ibsi="D3YU")
def difference_variance(m: Cooccurrence) -> float:
    """Variance of the histogram of absolute differences between the grey levels of neighbours."""
    k, p = m.difference
    return float(((k - (k * p).sum()) ** 2 * p).sum()) if len(k) > 1 else 0.0


@glcm.feature(ibsi="NTRS")
def difference_entropy(m: Cooccurrence) -> float:
    """Shannon entropy in bits of the histogram of absolute differences between the grey levels of neighbours."""
    return entropy(m.difference[1])


@glcm.feature(ibsi="ZGXS")
def sum_average(m: Cooccurrence) -> float:
    """Mean of the histogram of sums of the grey levels of neighbours."""
    k, p = m.sum
    return float((k * p).sum())


@glcm.feature(ibsi="OEEB")
def sum_variance(m: Cooccurrence) -> float:
    """Variance of the histogram of sums of the grey levels of neighbours."""
    return m.cluster(2)


@glcm.feature(ibsi="P6QZ")
def sum_entropy(m: Cooccurrence) -> float:
    """Shannon entropy in bits of the histogram of sums of the grey levels of neighbours."""
    return entropy(m.sum[1])


@glcm.feature(ibsi="8ZQL")
def angular_second_moment(m: Cooccurrence) -> float:
    """Sum of the squared shares of all pairs of grey levels."""
    return float((m.p**2).sum())


@glcm.feature(ibsi="ACUI")
def contrast(m: Cooccurrence) -> float:
    """Mean squared difference between the grey levels of neighbours."""
    k, p = m.difference
    return float((k**2 * p).sum())


@glcm.feature(ibsi="8S9J")
def dissimilarity(m: Cooccurrence) -> float:
    """Mean absolute difference between the grey levels of neighbours; equal to the difference average."""
    return difference_average(m)


@glcm.feature(ibsi="IB1Z")
def inverse_difference(m: Cooccurrence) -> float:
    """Mean over all pairs of 1 / (1 + d), where d is the absolute difference of their grey levels."""
    k, p = m.difference
    return float((p / (1 + k)).sum())


@glcm.feature(ibsi="NDRX")
def normalised_inverse_difference(m: Cooccurrence) -> float:
    """Mean over all pairs of 1 / (1 + d/N), with d the difference of their levels and N the number of levels."""
    k, p = m.difference
    return float((p / (1 + k / m.n_levels)).sum())


@glcm.feature(ibsi="WF0Z")
def inverse_difference_moment(m: Cooccurrence) -> float:
    """Mean over all pairs of 1 / (1 + d^2), where d is the difference of their grey levels."""
    k, p = m.difference
    return float((p / (1 + k**2)).sum())


@glcm.feature(ibsi="1QCO")
def normalised_inverse_difference_moment(m: Cooccurrence) -> float:
    """Mean over all pairs of 1 / (1 + (d/N)^2), where d is the difference of their levels, N the number of levels."""
    k, p = m.difference
    return float((p / (1 + (k / m.n_levels) ** 2)).sum())


@glcm.feature(ibsi="E8JP")
def inverse_variance(m: Cooccurrence) -> float:
    """Sum over all pairs of unlike grey levels of their share over their squared difference; 0 without such pairs."""
    k, p = m.difference
    unlike = k > 0
    return float((p[unlike] / k[unlike] ** 2).sum())


@glcm.feature(ibsi="NI2N")
def correlation(m: Cooccurrence) -> float:
    """Correlation coefficient between the grey levels of neighbours."""
    if m.variance == 0:
        raise Undefined("all neighbours (in one direction at least) have one grey level: its variance is 0")
    return float(((m.first - m.mean) * (m.second - m.mean) * m.p).sum()) / m.variance


@glcm.feature(ibsi="QWB0")
def autocorrelation(m: Cooccurrence) -> float:
    """Mean product of the grey levels of neighbours."""
    return float((m.first.astype(np.float64) * m.second * m.p).sum())


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
    if m.marginal_entropy == 0:
        raise Undefined("all neighbours (in one direction at least) have one grey level: its entropy is 0")
    return (m.joint_entropy - 2 * m.marginal_entropy) / m.marginal_entropy


@glcm.feature(ibsi="JN9H")
def information_correlation_2(m: Cooccurrence) -> float:
    """Square root of 1 - exp(-2 I), with I the information in bits that neighbours share about their grey levels."""
    return float(np.sqrt(1 - np.exp(-2 * max(2 * m.marginal_entropy - m.joint_entropy, 0.0))))
