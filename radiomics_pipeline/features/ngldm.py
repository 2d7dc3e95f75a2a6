"""Neighbouring grey-level dependences: how many neighbours have the same grey level as a voxel.

IBSI 1, family REK0 (doi:10.1148/radiol.2020191145). A voxel's dependence is the number of voxels of its grey level
within Chebyshev distance 1 and inside the region, the voxel itself included: 1 to 27, in 2D and 2.5D 1 to 9.
"""

from __future__ import annotations

from radiomics_pipeline.features.counts import Counts
from radiomics_pipeline.features.neighbourhood import dependences
from radiomics_pipeline.features.registry import Family

ngldm = Family(
    "ngldm",
    title="Neighbouring grey-level dependences",
    ibsi="REK0",
    prepare=dependences,
    needs_levels=True,
    aggregation="zonal",
)


@ngldm.feature(ibsi="SODN")
def low_dependence_emphasis(d: Counts) -> float:
    """Mean over all voxels of 1 / dependence^2."""
    return float((d.shares / d.number_squares).sum())


@ngldm.feature(ibsi="IMOQ")
def high_dependence_emphasis(d: Counts) -> float:
    """Mean over all voxels of dependence^2."""
    return float((d.shares * d.number_squares).sum())


@ngldm.feature(ibsi="TL9H")
def low_grey_level_count_emphasis(d: Counts) -> float:
    """Mean over all voxels of 1 / level^2."""
    return float(d.shares_by_low_level.sum())


@ngldm.feature(ibsi="OAE7")
def high_grey_level_count_emphasis(d: Counts) -> float:
    """Mean over all voxels of level^2."""
    return float(d.shares_by_high_level.sum())


@ngldm.feature(ibsi="EQ3F")
def low_dependence_low_grey_level_emphasis(d: Counts) -> float:
    """Mean over all voxels of 1 / (level^2 dependence^2)."""
    return float((d.shares_by_low_level / d.number_squares).sum())


@ngldm.feature(ibsi="JA6D")
def low_dependence_high_grey_level_emphasis(d: Counts) -> float:
    """Mean over all voxels of level^2 / dependence^2."""
    return float((d.shares_by_high_level / d.number_squares).sum())


@ngldm.feature(ibsi="NBZI")
def high_dependence_low_grey_level_emphasis(d: Counts) -> float:
    """Mean over all voxels of dependence^2 / level^2."""
    return float((d.shares_by_low_level * d.number_squares).sum())


@ngldm.feature(ibsi="9QMG")
def high_dependence_high_grey_level_emphasis(d: Counts) -> float:
    """Mean over all voxels of level^2 dependence^2."""
    return float((d.shares_by_high_level * d.number_squares).sum())


@ngldm.feature(ibsi="FP8K")
def grey_level_non_uniformity(d: Counts) -> float:
    """Sum over grey levels of the squared number of voxels with that level, over the number of voxels."""
    return d.level_uniformity / d.total


@ngldm.feature(ibsi="5SPA")
def normalised_grey_level_non_uniformity(d: Counts) -> float:
    """Sum over grey levels of the squared share of voxels with that level."""
    return d.level_uniformity / d.total**2


@ngldm.feature(ibsi="Z87G")
def dependence_count_non_uniformity(d: Counts) -> float:
    """Sum over dependences of the squared number of voxels with that dependence, over the number of voxels."""
    return d.number_uniformity / d.total


@ngldm.feature(ibsi="OKJI")
def normalised_dependence_count_non_uniformity(d: Counts) -> float:
    """Sum over dependences of the squared share of voxels with that dependence."""
    return d.number_uniformity / d.total**2


@ngldm.feature(ibsi="6XV8")
def dependence_count_percentage(d: Counts) -> float:
    """Number of neighbourhoods over the number of voxels: always 1, since every voxel has one."""
    return d.total / d.n_voxels


@ngldm.feature(ibsi="1PFV")
def grey_level_variance(d: Counts) -> float:
    """Variance over all voxels of their grey level."""
    return d.level_variance


@ngldm.feature(ibsi="DNX2")
def dependence_count_variance(d: Counts) -> float:
    """Variance over all voxels of their dependence."""
    return d.number_variance


@ngldm.feature(ibsi="FCBV")
def dependence_count_entropy(d: Counts) -> float:
    """Shannon entropy in bits of the shares of all combinations of grey level and dependence."""
    return d.entropy


@ngldm.feature(ibsi="CAS9")
def dependence_count_energy(d: Counts) -> float:
    """Sum of the squared shares of all combinations of grey level and dependence."""
    return float((d.shares * d.shares).sum())
