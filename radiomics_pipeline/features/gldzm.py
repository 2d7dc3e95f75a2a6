"""Grey-level distance zones: how far from the border of the region the patches of one grey level lie.

IBSI 1, family VMDZ (doi:10.1148/radiol.2020191145). Zones are those of GLSZM. The distance of a zone is the smallest
number of steps, by faces (by edges within a slice in 2D and 2.5D), from any of its voxels to one outside the
morphological mask.
"""

from __future__ import annotations

from radiomics_pipeline.features.counts import Counts
from radiomics_pipeline.features.registry import Family
from radiomics_pipeline.features.zones import distance_zones

gldzm = Family(
    "gldzm",
    title="Grey-level distance zones",
    ibsi="VMDZ",
    prepare=distance_zones,
    needs_levels=True,
    aggregation="zonal",
)


@gldzm.feature(ibsi="0GBI")
def small_distance_emphasis(z: Counts) -> float:
    """Mean over all zones of 1 / distance^2."""
    return float((z.shares / z.number_squares).sum())


@gldzm.feature(ibsi="MB4I")
def large_distance_emphasis(z: Counts) -> float:
    """Mean over all zones of distance^2."""
    return float((z.shares * z.number_squares).sum())


@gldzm.feature(ibsi="S1RA")
def low_grey_level_emphasis(z: Counts) -> float:
    """Mean over all zones of 1 / level^2."""
    return float(z.shares_by_low_level.sum())


@gldzm.feature(ibsi="K26C")
def high_grey_level_emphasis(z: Counts) -> float:
    """Mean over all zones of level^2."""
    return float(z.shares_by_high_level.sum())


@gldzm.feature(ibsi="RUVG")
def small_distance_low_grey_level_emphasis(z: Counts) -> float:
    """Mean over all zones of 1 / (level^2 distance^2)."""
    return float((z.shares_by_low_level / z.number_squares).sum())


@gldzm.feature(ibsi="DKNJ")
def small_distance_high_grey_level_emphasis(z: Counts) -> float:
    """Mean over all zones of level^2 / distance^2."""
    return float((z.shares_by_high_level / z.number_squares).sum())


@gldzm.feature(ibsi="A7WM")
def large_distance_low_grey_level_emphasis(z: Counts) -> float:
    """Mean over all zones of distance^2 / level^2."""
    return float((z.shares_by_low_level * z.number_squares).sum())


@gldzm.feature(ibsi="KLTH")
def large_distance_high_grey_level_emphasis(z: Counts) -> float:
    """Mean over all zones of level^2 distance^2."""
    return float((z.shares_by_high_level * z.number_squares).sum())


@gldzm.feature(ibsi="VFT7")
def grey_level_non_uniformity(z: Counts) -> float:
    """Sum over grey levels of the squared number of zones with that level, over the number of zones."""
    return z.level_uniformity / z.total


@gldzm.feature(ibsi="7HP3")
def normalised_grey_level_non_uniformity(z: Counts) -> float:
    """Sum over grey levels of the squared share of zones with that level."""
    return z.level_uniformity / z.total**2


@gldzm.feature(ibsi="V294")
def zone_distance_non_uniformity(z: Counts) -> float:
    """Sum over distances of the squared number of zones at that distance, over the number of zones."""
    return z.number_uniformity / z.total


@gldzm.feature(ibsi="IATH")
def normalised_zone_distance_non_uniformity(z: Counts) -> float:
    """Sum over distances of the squared share of zones at that distance."""
    return z.number_uniformity / z.total**2


@gldzm.feature(ibsi="VIWW")
def zone_percentage(z: Counts) -> float:
    """Number of zones over the number of voxels; the same as that of GLSZM."""
    return z.total / z.n_voxels


@gldzm.feature(ibsi="QK93")
def grey_level_variance(z: Counts) -> float:
    """Variance over all zones of their grey level."""
    return z.level_variance


@gldzm.feature(ibsi="7WT1")
def zone_distance_variance(z: Counts) -> float:
    """Variance over all zones of their distance."""
    return z.number_variance


@gldzm.feature(ibsi="GBDU")
def zone_distance_entropy(z: Counts) -> float:
    """Shannon entropy in bits of the shares of all combinations of grey level and distance."""
    return z.entropy
