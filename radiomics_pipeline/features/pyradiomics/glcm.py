"""Grey-level co-occurrence by PyRadiomics' definitions: which grey levels lie next to each other.

Without `weightingNorm` every feature is its mean over the directions in which the region has a pair of voxels; with a
norm their matrices are summed, each times exp(-length^2) of its step in mm ("no_weighting": as they are). An IBSI code
stands where a definition is the IBSI's for a symmetric matrix, up to 2.2e-16 added to probabilities in logarithms.
"""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.features.pyradiomics.cooccurrence import (
    Cooccurrence,
    cooccurrence,
    entropy_of,
    variance_of,
)
from radiomics_pipeline.features.pyradiomics.level_sizes import EPSILON
from radiomics_pipeline.features.pyradiomics.maximal_correlation import second_values
from radiomics_pipeline.features.registry import Family

glcm = Family(
    "glcm",
    title="Grey-level co-occurrence",
    ibsi="LFYI",
    prepare=cooccurrence,
    needs_levels=True,
    aggregation="directional",
)


@glcm.feature(ibsi="QWB0")
def autocorrelation(m: Cooccurrence) -> float:
    """Mean product of the grey levels of neighbours."""
    return m.mean(m.over(m.p * m.levels[m.first] * m.levels[m.second]))


@glcm.feature(ibsi="AE86")
def cluster_prominence(m: Cooccurrence) -> float:
    """Mean fourth power of the deviation of the level sum of neighbours from its mean."""
    return m.mean(m.cluster(4))


@glcm.feature(ibsi="7NFM")
def cluster_shade(m: Cooccurrence) -> float:
    """Mean cubed deviation of the level sum of neighbours from its mean."""
    return m.mean(m.cluster(3))


@glcm.feature(ibsi="DG8W")
def cluster_tendency(m: Cooccurrence) -> float:
    """Mean squared deviation of the level sum of neighbours from its mean."""
    return m.mean(m.cluster(2))


@glcm.feature(ibsi="ACUI")
def contrast(m: Cooccurrence) -> float:
    """Mean squared difference between the grey levels of neighbours."""
    k, p = m.difference
    return m.mean(p @ k**2)


@glcm.feature(ibsi="NI2N")
def correlation(m: Cooccurrence) -> float:
    """Correlation coefficient between the grey levels of neighbours; 1 in a direction where one side has one level."""
    x, y = (np.sqrt(variance) for variance in m.variances)
    means = m.marginals[1] @ m.levels
    first, second = m.levels[m.first] - m.mean_first[m.matrix], m.levels[m.second] - means[m.matrix]
    flat = x * y == 0
    return m.mean(np.where(flat, 1.0, m.over(m.p * first * second) / (x * y + EPSILON)))


@glcm.feature(ibsi="TF7R")
def difference_average(m: Cooccurrence) -> float:
    """Mean absolute difference between the grey levels of neighbours."""
    k, p = m.difference
    return m.mean(p @ k)


@glcm.feature(ibsi="NTRS")
def difference_entropy(m: Cooccurrence) -> float:
    """Entropy in bits of the histogram of absolute differences between the grey levels of neighbours."""
    return m.mean(entropy_of(m.difference[1]))


@glcm.feature(ibsi="D3YU")
def difference_variance(m: Cooccurrence) -> float:
    """Variance of the histogram of absolute differences between the grey levels of neighbours."""
    k, p = m.difference
    return m.mean(variance_of(p, k))


@glcm.feature(ibsi="IB1Z", name="Id")
def inverse_difference(m: Cooccurrence) -> float:
    """Mean over all pairs of 1 / (1 + d), where d is the absolute difference of their grey levels."""
    k, p = m.difference
    return m.mean(p @ (1 / (1 + k)))


@glcm.feature(ibsi="WF0Z")
def idm(m: Cooccurrence) -> float:
    """Mean over all pairs of 1 / (1 + d^2), where d is the difference of their grey levels."""
    k, p = m.difference
    return m.mean(p @ (1 / (1 + k**2)))


@glcm.feature(ibsi="1QCO")
def idmn(m: Cooccurrence) -> float:
    """Mean over all pairs of 1 / (1 + (d/N)^2), with d the difference of their levels and N the highest level."""
    k, p = m.difference
    return m.mean(p @ (1 / (1 + (k / m.n_levels) ** 2)))


@glcm.feature(ibsi="NDRX")
def idn(m: Cooccurrence) -> float:
    """Mean over all pairs of 1 / (1 + d/N), with d the difference of their levels and N the highest level."""
    k, p = m.difference
    return m.mean(p @ (1 / (1 + k / m.n_levels)))


@glcm.feature(ibsi="R8DG")
def imc1(m: Cooccurrence) -> float:
    """Minus the information that neighbours share about their levels, over the larger entropy of a single voxel's; 0
    in a direction with one level."""
    larger = np.maximum(*m.marginal_entropies)
    several = larger > 2 * EPSILON
    unrelated = -m.over(m.p * np.log2(m.product + EPSILON))
    return m.mean(np.where(several, (m.joint_entropy - unrelated) / np.where(several, larger, 1.0), 0.0))


@glcm.feature(ibsi="JN9H")
def imc2(m: Cooccurrence) -> float:
    """Square root of 1 - exp(-2 I), with I the information in bits that neighbours share about their grey levels."""
    x, y = m.marginal_entropies
    cells = np.prod([(side > 0).sum(axis=1) for side in m.marginals], axis=0)
    unrelated = x + y - cells * EPSILON / np.log(2)  # the 2.2e-16 stands in the logarithm of every cell
    shared = np.maximum(unrelated - m.joint_entropy, 0.0)
    return m.mean(np.sqrt(1 - np.exp(-2 * shared)))


@glcm.feature(ibsi="E8JP")
def inverse_variance(m: Cooccurrence) -> float:
    """Sum over all pairs of unlike grey levels of their share over their squared difference; 0 without such pairs."""
    if m.single and len(m.levels) == 1:
        return 0.0
    k, p = m.difference
    return m.mean(p @ np.where(k > 0, 1 / np.maximum(k, 1) ** 2, 0.0))


@glcm.feature(ibsi="60VM")
def joint_average(m: Cooccurrence) -> float:
    """Mean grey level of the first voxel of all pairs."""
    return m.mean(m.mean_first)


@glcm.feature(ibsi="8ZQL")
def joint_energy(m: Cooccurrence) -> float:
    """Sum of the squared shares of all pairs of grey levels."""
    return m.mean(m.over(m.p * m.p))


@glcm.feature(ibsi="TU9B")
def joint_entropy(m: Cooccurrence) -> float:
    """Entropy in bits of the shares p of all pairs of grey levels, log2(p + 2.2e-16)."""
    return m.mean(m.joint_entropy)


@glcm.feature(ibsi="", name="MCC")
def maximal_correlation_coefficient(m: Cooccurrence) -> float:
    """Square root of the second largest eigenvalue of Q, Q_ij the sum over k of p_ik p_jk / (p_x(i) p_y(k) + 2.2e-16);
    1 for a region of one grey level. Where the eigenvalue is 0, PyRadiomics takes the root of a rounding error, about
    1e-8, or leaves the direction out where that is negative."""
    if len(m.levels) == 1 and (m.count or not m.single):
        return 1.0
    return m.mean(second_values(m))


@glcm.feature(ibsi="GYBY")
def maximum_probability(m: Cooccurrence) -> float:
    """Share of the most frequent pair of grey levels."""
    return m.mean(np.array([m.p[part].max() for part in m.parts]))


@glcm.feature(ibsi="ZGXS")
def sum_average(m: Cooccurrence) -> float:
    """Mean sum of the grey levels of neighbours."""
    return m.mean(m.mean_sum)


@glcm.feature(ibsi="P6QZ")
def sum_entropy(m: Cooccurrence) -> float:
    """Entropy in bits of the histogram of sums of the grey levels of neighbours."""
    return m.mean(entropy_of(m.sum[1]))


@glcm.feature(ibsi="UR99")
def sum_squares(m: Cooccurrence) -> float:
    """Variance of the grey level of the first voxel of all pairs."""
    return m.mean(m.variances[0])
