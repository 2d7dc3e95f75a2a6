"""The neighbourhoods of a region's voxels, which NGTDM and NGLDM sum up.

Neighbours are the voxels of the intensity mask at a Chebyshev distance of 1, in the volume (3D) or in the slice
(2D, 2.5D); those of NGLDM depend on one another where their grey level is the same (IBSI 1, families IPET and REK0;
doi:10.1148/radiol.2020191145).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.features.counts import Counts
from radiomics_pipeline.features.gathering import STEPS_2D, STEPS_3D
from radiomics_pipeline.features.registry import Sample, Undefined
from radiomics_pipeline.kernels.neighbours import sum_neighbours

STEPS = {"2D": STEPS_2D, "2.5D": STEPS_2D, "3D": STEPS_3D}
"""One of each two opposite steps to a neighbour, by aggregation."""

COARSENESS = 0
"""Largest difference between the grey levels of dependent neighbours."""


@dataclass(frozen=True)
class Neighbourhoods:
    """Sums over the voxels of each grey level.

    levels : float64 [levels], grey level
    voxels : int64 [levels], number of voxels with at least one neighbour
    deviations : float64 [levels], sum over them of |level - mean level of the neighbours|
    dependences : int64 [levels, neighbours + 1], number of all voxels by the number of neighbours that depend on them
    """

    levels: np.ndarray
    voxels: np.ndarray
    deviations: np.ndarray
    dependences: np.ndarray


@dataclass(frozen=True)
class Differences:
    """What an NGTDM holds, for the levels with at least one voxel that has a neighbour.

    levels, voxels, deviations : float64 [levels], as in Neighbourhoods
    total : number of voxels with at least one neighbour
    shares : float64 [levels], voxels over their total
    weighted : sum over levels of share times deviation
    """

    levels: np.ndarray
    voxels: np.ndarray
    deviations: np.ndarray
    total: float
    shares: np.ndarray
    weighted: float


def neighbourhoods_of(sample: Sample) -> list[Neighbourhoods]:
    """Over the volume (3D), over all slices (2.5D), or for each slice that holds a voxel (2D)."""
    assert sample.levels is not None
    if sample.aggregation not in STEPS:
        raise ValueError(f"neighbourhoods know no aggregation {sample.aggregation!r}")
    ranks, levels = sample.levels.ranks, sample.levels.present.astype(np.float64)
    parts = [ranks]
    if sample.aggregation == "2D":
        parts = [ranks[z : z + 1] for z in range(len(ranks)) if ranks[z].any()]
    return [Neighbourhoods(levels, *sum_neighbours(p, levels, STEPS[sample.aggregation], COARSENESS)) for p in parts]


def differences(sample: Sample) -> list[Differences]:
    """An NGTDM for each matrix with a voxel that has a neighbour; Undefined where there is none."""
    found = []
    for n in sample.once(neighbourhoods_of):
        kept = n.voxels.nonzero()[0]
        if len(kept):
            levels, voxels, deviations = n.levels[kept], n.voxels[kept].astype(np.float64), n.deviations[kept]
            total = float(voxels.sum())
            shares = voxels / total
            found.append(Differences(levels, voxels, deviations, total, shares, float((shares * deviations).sum())))
    if not found:
        raise Undefined("no two voxels of the region are neighbours")
    return found


def dependences(sample: Sample) -> list[Counts]:
    """Number of voxels by grey level and dependence, for each matrix.

    The dependence of a voxel is one more than the number of neighbours that depend on it.
    """
    found = []
    for n in sample.once(neighbourhoods_of):
        level, dependence = n.dependences.nonzero()
        counts = n.dependences[level, dependence].astype(np.float64)
        found.append(Counts(n.levels[level], dependence + 1.0, counts, int(counts.sum())))
    return found
