"""Grey-level size zones by PyRadiomics' definitions: how large the connected patches of one grey level are.

Voxels of one grey level that touch by a face, an edge or a corner form a zone; with `force2D` not across its axis.
"""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.features.pyradiomics.level_sizes import LevelSizes
from radiomics_pipeline.features.pyradiomics.sample import PyradiomicsSample
from radiomics_pipeline.features.registry import Family
from radiomics_pipeline.kernels.zones import find_zones


def zones_of(sample: PyradiomicsSample) -> list[LevelSizes]:
    """The size-zone matrix of the region."""
    assert sample.levels is not None
    levels = sample.levels
    reach = np.abs(sample.unit_steps).max(axis=0)
    zones = find_zones(levels.ranks, np.zeros(levels.ranks.shape, np.int32), reach)
    held = np.bincount(zones[:, 1])
    sizes = np.flatnonzero(held)
    place = np.zeros(len(held), np.int64)
    place[sizes] = np.arange(len(sizes))
    shape = (1, len(levels.present), len(sizes))
    cells = (zones[:, 0] - 1) * len(sizes) + place[zones[:, 1]]
    counts = np.bincount(cells, minlength=shape[1] * shape[2]).astype(np.float64).reshape(shape)
    voxels = np.array([zones[:, 1].sum()], np.float64)
    return [LevelSizes(counts, levels.present.astype(np.float64), sizes.astype(np.float64), voxels)]


glszm = Family(
    "glszm", title="Grey-level size zone", ibsi="9SAK", prepare=zones_of, needs_levels=True, aggregation="zonal"
)


@glszm.feature(ibsi="JNSA")
def gray_level_non_uniformity(m: LevelSizes) -> float:
    """Sum over grey levels of the squared number of zones with that level, over the number of zones."""
    return m.level_non_uniformity(1)


@glszm.feature(ibsi="Y1RO")
def gray_level_non_uniformity_normalized(m: LevelSizes) -> float:
    """Sum over grey levels of the squared share of zones with that level."""
    return m.level_non_uniformity(2)


@glszm.feature(ibsi="BYLV")
def gray_level_variance(m: LevelSizes) -> float:
    """Variance over all zones of their grey level."""
    return m.level_variance()


@glszm.feature(ibsi="5GN9")
def high_gray_level_zone_emphasis(m: LevelSizes) -> float:
    """Mean over all zones of level^2."""
    return m.emphasis(level=2)


@glszm.feature(ibsi="48P8")
def large_area_emphasis(m: LevelSizes) -> float:
    """Mean over all zones of size^2."""
    return m.emphasis(size=2)


@glszm.feature(ibsi="J17V")
def large_area_high_gray_level_emphasis(m: LevelSizes) -> float:
    """Mean over all zones of level^2 size^2."""
    return m.emphasis(level=2, size=2)


@glszm.feature(ibsi="YH51")
def large_area_low_gray_level_emphasis(m: LevelSizes) -> float:
    """Mean over all zones of size^2 / level^2."""
    return m.emphasis(level=-2, size=2)


@glszm.feature(ibsi="XMSY")
def low_gray_level_zone_emphasis(m: LevelSizes) -> float:
    """Mean over all zones of 1 / level^2."""
    return m.emphasis(level=-2)


@glszm.feature(ibsi="4JP3")
def size_zone_non_uniformity(m: LevelSizes) -> float:
    """Sum over sizes of the squared number of zones of that size, over the number of zones."""
    return m.size_non_uniformity(1)


@glszm.feature(ibsi="VB3A")
def size_zone_non_uniformity_normalized(m: LevelSizes) -> float:
    """Sum over sizes of the squared share of zones of that size."""
    return m.size_non_uniformity(2)


@glszm.feature(ibsi="5QRC")
def small_area_emphasis(m: LevelSizes) -> float:
    """Mean over all zones of 1 / size^2."""
    return m.emphasis(size=-2)


@glszm.feature(ibsi="HW1V")
def small_area_high_gray_level_emphasis(m: LevelSizes) -> float:
    """Mean over all zones of level^2 / size^2."""
    return m.emphasis(level=2, size=-2)


@glszm.feature(ibsi="5RAI")
def small_area_low_gray_level_emphasis(m: LevelSizes) -> float:
    """Mean over all zones of 1 / (level^2 size^2)."""
    return m.emphasis(level=-2, size=-2)


@glszm.feature(ibsi="GU8N")
def zone_entropy(m: LevelSizes) -> float:
    """Entropy in bits of the shares p of all combinations of grey level and size, log2(p + 2.2e-16)."""
    return m.entropy()


@glszm.feature(ibsi="P30P")
def zone_percentage(m: LevelSizes) -> float:
    """Number of zones over the number of voxels."""
    return m.percentage()


@glszm.feature(ibsi="3NSA")
def zone_variance(m: LevelSizes) -> float:
    """Variance over all zones of their size."""
    return m.size_variance()
