"""Grey-level size zones: how large the connected patches of one grey level are.

IBSI 1, family 9SAK (doi:10.1148/radiol.2020191145). Voxels of one grey level that touch by a face, an edge or a
corner form a zone; in 2D and 2.5D only those of one slice do.
"""

from __future__ import annotations

from radiomics_pipeline.features.counts import Counts
from radiomics_pipeline.features.registry import Family
from radiomics_pipeline.features.zones import size_zones

glszm = Family(
    "glszm", title="Grey-level size zones", ibsi="9SAK", prepare=size_zones, needs_levels=True, aggregation="zonal"
)


@glszm.feature(ibsi="5QRC")
def small_zone_emphasis(z: Counts) -> float:
    """Mean over all zones of 1 / size^2."""
    return float((z.shares / z.number_squares).sum())


@glszm.feature(ibsi="48P8")
def large_zone_emphasis(z: Counts) -> float:
    """Mean over all zones of size^2."""
    return float((z.shares * z.number_squares).sum())


@glszm.feature(ibsi="XMSY")
def low_grey_level_emphasis(z: Counts) -> float:
    """Mean over all zones of 1 / level^2."""
    return float(z.shares_by_low_level.sum())


@glszm.feature(ibsi="5GN9")
def high_grey_level_emphasis(z: Counts) -> float:
    """Mean over all zones of level^2."""
    return float(z.shares_by_high_level.sum())


@glszm.feature(ibsi="5RAI")
def small_zone_low_grey_level_emphasis(z: Counts) -> float:
    """Mean over all zones of 1 / (level^2 size^2)."""
    return float((z.shares_by_low_level / z.number_squares).sum())


@glszm.feature(ibsi="HW1V")
def small_zone_high_grey_level_emphasis(z: Counts) -> float:
    """Mean over all zones of level^2 / size^2."""
    return float((z.shares_by_high_level / z.number_squares).sum())


@glszm.feature(ibsi="YH51")
def large_zone_low_grey_level_emphasis(z: Counts) -> float:
    """Mean over all zones of size^2 / level^2."""
    return float((z.shares_by_low_level * z.number_squares).sum())


@glszm.feature(ibsi="J17V")
def large_zone_high_grey_level_emphasis(z: Counts) -> float:
    """Mean over all zones of level^2 size^2."""
    return float((z.shares_by_high_level * z.number_squares).sum())


@glszm.feature(ibsi="JNSA")
def grey_level_non_uniformity(z: Counts) -> float:
    """Sum over grey levels of the squared number of zones with that level, over the number of zones."""
    return z.level_uniformity / z.total


@glszm.feature(ibsi="Y1RO")
def normalised_grey_level_non_uniformity(z: Counts) -> float:
    """Sum over grey levels of the squared share of zones with that level."""
    return z.level_uniformity / z.total**2


@glszm.feature(ibsi="4JP3")
def zone_size_non_uniformity(z: Counts) -> float:
    """Sum over sizes of the squared number of zones of that size, over the number of zones."""
    return z.number_uniformity / z.total


@glszm.feature(ibsi="VB3A")
def normalised_zone_size_non_uniformity(z: Counts) -> float:
    """Sum over sizes of the squared share of zones of that size."""
    return z.number_uniformity / z.total**2


@glszm.feature(ibsi="P30P")
def zone_percentage(z: Counts) -> float:
    """Number of zones over the number of voxels."""
    return z.total / z.n_voxels


@glszm.feature(ibsi="BYLV")
def grey_level_variance(z: Counts) -> float:
    """Variance over all zones of their grey level."""
    return z.level_variance


@glszm.feature(ibsi="3NSA")
def zone_size_variance(z: Counts) -> float:
    """Variance over all zones of their size in voxels."""
    return z.number_variance


@glszm.feature(ibsi="GU8N")
def zone_size_entropy(z: Counts) -> float:
    """Shannon entropy in bits of the shares of all combinations of grey level and size."""
    return z.entropy
