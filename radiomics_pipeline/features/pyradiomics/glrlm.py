"""Grey-level run lengths by PyRadiomics' definitions: how far one grey level goes on along a line.

A run is a row of neighbouring voxels of one grey level along one of the 13 directions. Without `weightingNorm` every
feature is its mean over the directions in which two voxels of the region at least lie on one line; with a norm their
matrices are summed, each times the length of its step in mm, and "no_weighting" sums them as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.features.pyradiomics.level_sizes import LevelSizes
from radiomics_pipeline.features.pyradiomics.sample import PyradiomicsSample
from radiomics_pipeline.features.registry import Family
from radiomics_pipeline.kernels.runs import count_runs


@dataclass(frozen=True)
class Runs(LevelSizes):
    """Run-length matrices.

    single : whether there is one matrix, of all directions or the only one, even without a run
    """

    single: bool = False

    @property
    def nothing(self) -> bool:
        """Whether the single matrix is empty: PyRadiomics' sums over it are 0, its means NaN."""
        return self.single and not len(self.counts)


def run_lengths(sample: PyradiomicsSample) -> list[Runs]:
    """The run-length matrices of the directions that count, or the sum of them."""
    assert sample.levels is not None
    levels, settings = sample.levels, sample.settings
    steps, n = sample.unit_steps, len(levels.present)
    counts = count_runs(levels.ranks, steps, np.arange(len(steps)), len(steps), n, max(levels.array.shape))
    longest = np.flatnonzero(counts.any(axis=(0, 1)))[-1] + 1
    counts = counts[:, :, :longest]
    multiple = counts[:, :, 1:].any(axis=(1, 2))
    for k in np.flatnonzero(~multiple):
        multiple[k] = _shares_a_line(sample.mask, steps[k])
    merged = settings.weighting_norm is not None
    matrices, weights = counts[multiple].astype(np.float64), np.ones(int(multiple.sum()))
    if merged and len(matrices):
        if settings.weighting_norm != "no_weighting":
            weights = settings.lengths_mm(steps[multiple], sample.spacing_mm)
        matrices = np.tensordot(weights, matrices, 1)[np.newaxis]
        weights = weights.sum(keepdims=True)
    voxels, single = np.count_nonzero(sample.mask) * weights, merged or len(steps) == 1
    return [Runs(matrices, levels.present.astype(np.float64), np.arange(1.0, longest + 1), voxels, single)]


def _shares_a_line(mask: np.ndarray, step: np.ndarray) -> bool:
    """Whether two voxels lie on one line along a step of components -1, 0 and 1, next to each other or apart."""
    voxels = np.argwhere(mask)
    axis = int(np.flatnonzero(step)[0])
    crossings = voxels - voxels[:, [axis]] * step * step[axis]  # where each voxel's line meets the plane at 0
    return len(np.unique(crossings, axis=0)) < len(voxels)


glrlm = Family(
    "glrlm",
    title="Grey-level run length",
    ibsi="TP0I",
    prepare=run_lengths,
    needs_levels=True,
    aggregation="directional",
)


@glrlm.feature(ibsi="R5YN")
def gray_level_non_uniformity(m: Runs) -> float:
    """Sum over grey levels of the squared number of runs with that level, over the number of runs."""
    return m.level_non_uniformity(1)


@glrlm.feature(ibsi="OVBL")
def gray_level_non_uniformity_normalized(m: Runs) -> float:
    """Sum over grey levels of the squared share of runs with that level."""
    return m.level_non_uniformity(2)


@glrlm.feature(ibsi="8CE5")
def gray_level_variance(m: Runs) -> float:
    """Variance over all runs of their grey level."""
    return m.level_variance()


@glrlm.feature(ibsi="G3QZ")
def high_gray_level_run_emphasis(m: Runs) -> float:
    """Mean over all runs of level^2."""
    return m.emphasis(level=2)


@glrlm.feature(ibsi="W4KF")
def long_run_emphasis(m: Runs) -> float:
    """Mean over all runs of length^2."""
    return m.emphasis(size=2)


@glrlm.feature(ibsi="3KUM")
def long_run_high_gray_level_emphasis(m: Runs) -> float:
    """Mean over all runs of level^2 length^2."""
    return m.emphasis(level=2, size=2)


@glrlm.feature(ibsi="IVPO")
def long_run_low_gray_level_emphasis(m: Runs) -> float:
    """Mean over all runs of length^2 / level^2."""
    return m.emphasis(level=-2, size=2)


@glrlm.feature(ibsi="V3SW")
def low_gray_level_run_emphasis(m: Runs) -> float:
    """Mean over all runs of 1 / level^2."""
    return m.emphasis(level=-2)


@glrlm.feature(ibsi="HJ9O")
def run_entropy(m: Runs) -> float:
    """Entropy in bits of the shares p of all combinations of grey level and length, log2(p + 2.2e-16).

    0 where no line holds two voxels and there is a single matrix: with `weightingNorm`, or along a single direction.
    """
    return 0.0 if m.nothing else m.entropy()


@glrlm.feature(ibsi="W92Y")
def run_length_non_uniformity(m: Runs) -> float:
    """Sum over lengths of the squared number of runs of that length, over the number of runs."""
    return m.size_non_uniformity(1)


@glrlm.feature(ibsi="IC23")
def run_length_non_uniformity_normalized(m: Runs) -> float:
    """Sum over lengths of the squared share of runs of that length."""
    return m.size_non_uniformity(2)


@glrlm.feature(ibsi="9ZK5")
def run_percentage(m: Runs) -> float:
    """Number of runs over the number of voxels."""
    return m.percentage()


@glrlm.feature(ibsi="SXLW")
def run_variance(m: Runs) -> float:
    """Variance over all runs of their length.

    0 where no line holds two voxels and there is a single matrix: with `weightingNorm`, or along a single direction.
    """
    return 0.0 if m.nothing else m.size_variance()


@glrlm.feature(ibsi="22OV")
def short_run_emphasis(m: Runs) -> float:
    """Mean over all runs of 1 / length^2."""
    return m.emphasis(size=-2)


@glrlm.feature(ibsi="GD3A")
def short_run_high_gray_level_emphasis(m: Runs) -> float:
    """Mean over all runs of level^2 / length^2."""
    return m.emphasis(level=2, size=-2)


@glrlm.feature(ibsi="HTZT")
def short_run_low_gray_level_emphasis(m: Runs) -> float:
    """Mean over all runs of 1 / (level^2 length^2)."""
    return m.emphasis(level=-2, size=-2)
