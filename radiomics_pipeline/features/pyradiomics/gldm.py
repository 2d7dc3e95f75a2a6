"""Grey-level dependence by PyRadiomics' definitions: how many neighbours of a voxel are like it.

The dependence of a voxel is 1 plus the number of its neighbours whose grey level differs by no more than `gldm_a`. Its
features are those of the IBSI's neighbouring grey-level dependence (NGLDM).
"""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.features.pyradiomics.level_sizes import LevelSizes
from radiomics_pipeline.features.pyradiomics.neighbours import neighbours
from radiomics_pipeline.features.pyradiomics.sample import PyradiomicsSample
from radiomics_pipeline.features.registry import Family


def dependences(sample: PyradiomicsSample) -> list[LevelSizes]:
    """The dependence matrix of the region."""
    assert sample.levels is not None
    _, _, found = sample.once(neighbours)
    largest = np.flatnonzero(found.any(axis=0))[-1] + 1
    counts = found[np.newaxis, :, :largest].astype(np.float64)
    sizes = np.arange(1.0, largest + 1)
    return [LevelSizes(counts, sample.levels.present.astype(np.float64), sizes, counts.sum(axis=(1, 2)))]


gldm = Family(
    "gldm", title="Grey-level dependence", ibsi="REK0", prepare=dependences, needs_levels=True, aggregation="zonal"
)


@gldm.feature(ibsi="FCBV")
def dependence_entropy(m: LevelSizes) -> float:
    """Entropy in bits of the shares p of all combinations of grey level and dependence, log2(p + 2.2e-16)."""
    return m.entropy()


@gldm.feature(ibsi="Z87G")
def dependence_non_uniformity(m: LevelSizes) -> float:
    """Sum over dependences of the squared number of voxels of that dependence, over the number of voxels."""
    return m.size_non_uniformity(1)


@gldm.feature(ibsi="OKJI")
def dependence_non_uniformity_normalized(m: LevelSizes) -> float:
    """Sum over dependences of the squared share of voxels of that dependence."""
    return m.size_non_uniformity(2)


@gldm.feature(ibsi="DNX2")
def dependence_variance(m: LevelSizes) -> float:
    """Variance over all voxels of their dependence."""
    return m.size_variance()


@gldm.feature(ibsi="FP8K")
def gray_level_non_uniformity(m: LevelSizes) -> float:
    """Sum over grey levels of the squared number of voxels with that level, over the number of voxels."""
    return m.level_non_uniformity(1)


@gldm.feature(ibsi="1PFV")
def gray_level_variance(m: LevelSizes) -> float:
    """Variance over all voxels of their grey level."""
    return m.level_variance()


@gldm.feature(ibsi="OAE7")
def high_gray_level_emphasis(m: LevelSizes) -> float:
    """Mean over all voxels of level^2."""
    return m.emphasis(level=2)


@gldm.feature(ibsi="IMOQ")
def large_dependence_emphasis(m: LevelSizes) -> float:
    """Mean over all voxels of dependence^2."""
    return m.emphasis(size=2)


@gldm.feature(ibsi="9QMG")
def large_dependence_high_gray_level_emphasis(m: LevelSizes) -> float:
    """Mean over all voxels of level^2 dependence^2."""
    return m.emphasis(level=2, size=2)


@gldm.feature(ibsi="NBZI")
def large_dependence_low_gray_level_emphasis(m: LevelSizes) -> float:
    """Mean over all voxels of dependence^2 / level^2."""
    return m.emphasis(level=-2, size=2)


@gldm.feature(ibsi="TL9H")
def low_gray_level_emphasis(m: LevelSizes) -> float:
    """Mean over all voxels of 1 / level^2."""
    return m.emphasis(level=-2)


@gldm.feature(ibsi="SODN")
def small_dependence_emphasis(m: LevelSizes) -> float:
    """Mean over all voxels of 1 / dependence^2."""
    return m.emphasis(size=-2)


@gldm.feature(ibsi="JA6D")
def small_dependence_high_gray_level_emphasis(m: LevelSizes) -> float:
    """Mean over all voxels of level^2 / dependence^2."""
    return m.emphasis(level=2, size=-2)


@gldm.feature(ibsi="EQ3F")
def small_dependence_low_gray_level_emphasis(m: LevelSizes) -> float:
    """Mean over all voxels of 1 / (level^2 dependence^2)."""
    return m.emphasis(level=-2, size=-2)
