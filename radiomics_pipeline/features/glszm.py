"""Grey-level size zones: how large the connected patches of one grey level are.

IBSI 1, family 9SAK (doi:10.1148/radiol.2020191145). Voxels of one grey level that touch by a face, an edge or a
corner form a zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radiomics_pipeline.features.distribution import entropy
from radiomics_pipeline.features.registry import Family, Sample
from radiomics_pipeline.kernels.zones import find_zones


@dataclass(frozen=True)
class Zones:
    """The entries of a size-zone matrix that are not 0.

    levels, sizes : float64 [entries], grey level, and number of voxels in a zone
    counts : float64 [entries], number of zones of that level and size
    n_voxels : number of voxels in the region
    """

    levels: np.ndarray
    sizes: np.ndarray
    counts: np.ndarray
    n_voxels: int

    @cached_property
    def total(self) -> float:
        """Number of zones."""
        return float(self.counts.sum())

    def mean_of(self, values: np.ndarray) -> float:
        """Mean over all zones of a value given for each entry."""
        return float((values * self.counts).sum()) / self.total

    def squares_by(self, key: np.ndarray) -> float:
        """Sum of the squared numbers of zones with the same key (level or size)."""
        _, where = np.unique(key, return_inverse=True)
        return float((np.bincount(where, weights=self.counts) ** 2).sum())


def zones_of(sample: Sample) -> list[Zones]:
    """The zones of the region, over the volume."""
    assert sample.levels is not None
    if sample.aggregation != "3D":
        raise ValueError(f"glszm knows no aggregation {sample.aggregation!r}")
    found = find_zones(sample.levels.array)
    # one number for each level and size; sorted, so that nothing depends on the order in which zones were found
    base = int(found[:, 1].max()) + 1
    keys, counts = np.unique(found[:, 0] * base + found[:, 1], return_counts=True)
    levels, sizes = (part.astype(np.float64) for part in divmod(keys, base))
    return [Zones(levels, sizes, counts.astype(np.float64), int(found[:, 1].sum()))]


glszm = Family(
    "glszm", title="Grey-level size zones", ibsi="9SAK", prepare=zones_of, needs_levels=True, aggregation="zonal"
)


@glszm.feature(ibsi="5QRC")
def small_zone_emphasis(z: Zones) -> float:
    """Mean over all zones of 1 / size^2."""
    return z.mean_of(z.sizes**-2)


@glszm.feature(ibsi="48P8")
def large_zone_emphasis(z: Zones) -> float:
    """Mean over all zones of size^2."""
    return z.mean_of(z.sizes**2)


@glszm.feature(ibsi="XMSY")
def low_grey_level_emphasis(z: Zones) -> float:
    """Mean over all zones of 1 / level^2."""
    return z.mean_of(z.levels**-2)


@glszm.feature(ibsi="5GN9")
def high_grey_level_emphasis(z: Zones) -> float:
    """Mean over all zones of level^2."""
    return z.mean_of(z.levels**2)


@glszm.feature(ibsi="5RAI")
def small_zone_low_grey_level_emphasis(z: Zones) -> float:
    """Mean over all zones of 1 / (level^2 size^2)."""
    return z.mean_of(z.levels**-2 * z.sizes**-2)


@glszm.feature(ibsi="HW1V")
def small_zone_high_grey_level_emphasis(z: Zones) -> float:
    """Mean over all zones of level^2 / size^2."""
    return z.mean_of(z.levels**2 * z.sizes**-2)


@glszm.feature(ibsi="YH51")
def large_zone_low_grey_level_emphasis(z: Zones) -> float:
    """Mean over all zones of size^2 / level^2."""
    return z.mean_of(z.levels**-2 * z.sizes**2)


@glszm.feature(ibsi="J17V")
def large_zone_high_grey_level_emphasis(z: Zones) -> float:
    """Mean over all zones of level^2 size^2."""
    return z.mean_of(z.levels**2 * z.sizes**2)


@glszm.feature(ibsi="JNSA")
def grey_level_non_uniformity(z: Zones) -> float:
    """Sum over grey levels of the squared number of zones with that level, over the number of zones."""
    return z.squares_by(z.levels) / z.total


@glszm.feature(ibsi="Y1RO")
def normalised_grey_level_non_uniformity(z: Zones) -> float:
    """Sum over grey levels of the squared share of zones with that level."""
    return z.squares_by(z.levels) / z.total**2


@glszm.feature(ibsi="4JP3")
def zone_size_non_uniformity(z: Zones) -> float:
    """Sum over sizes of the squared number of zones of that size, over the number of zones."""
    return z.squares_by(z.sizes) / z.total


@glszm.feature(ibsi="VB3A")
def normalised_zone_size_non_uniformity(z: Zones) -> float:
    """Sum over sizes of the squared share of zones of that size."""
    return z.squares_by(z.sizes) / z.total**2


@glszm.feature(ibsi="P30P")
def zone_percentage(z: Zones) -> float:
    """Number of zones over the number of voxels."""
    return z.total / z.n_voxels


@glszm.feature(ibsi="BYLV")
def grey_level_variance(z: Zones) -> float:
    """Variance over all zones of their grey level."""
    return z.mean_of((z.levels - z.mean_of(z.levels)) ** 2)


@glszm.feature(ibsi="3NSA")
def zone_size_variance(z: Zones) -> float:
    """Variance over all zones of their size in voxels."""
    return z.mean_of((z.sizes - z.mean_of(z.sizes)) ** 2)


@glszm.feature(ibsi="GU8N")
def zone_size_entropy(z: Zones) -> float:
    """Shannon entropy in bits of the shares of all combinations of grey level and size."""
    return entropy(z.counts / z.total)
