"""The zones of a region, which GLSZM and GLDZM count: connected voxels of one grey level.

Zones touch by a face, an edge or a corner, in the volume (3D) or in each slice (2D, 2.5D). A zone's distance is that of
its voxel nearest to the border of the morphological mask, in steps by faces (by edges in a slice), 1 at the border
(IBSI 1, families 9SAK and VMDZ; doi:10.1148/radiol.2020191145).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.features.counts import Counts, count_alike
from radiomics_pipeline.features.registry import Sample
from radiomics_pipeline.kernels.distances import measure_distances
from radiomics_pipeline.kernels.zones import find_zones

REACH = {"2D": (0, 1, 1), "2.5D": (0, 1, 1), "3D": (1, 1, 1)}
"""Axes (z, y, x) along which zones extend, by aggregation."""


@dataclass(frozen=True)
class Zones:
    """How many zones of one grey level, size and distance there are.

    matrices : int64 [rows], which of the matrices a row goes into, ascending
    levels, sizes, distances : int64 [rows], sizes in voxels
    counts : int64 [rows], number of zones
    voxels : number of voxels of each matrix
    """

    matrices: np.ndarray
    levels: np.ndarray
    sizes: np.ndarray
    distances: np.ndarray
    counts: np.ndarray
    voxels: tuple[int, ...]


def zones_of(sample: Sample) -> Zones:
    """The zones of the region in one matrix (2.5D, 3D), or in one for each slice that holds a voxel (2D)."""
    assert sample.levels is not None
    if sample.aggregation not in REACH:
        raise ValueError(f"zones know no aggregation {sample.aggregation!r}")
    levels, reach = sample.levels.array, np.array(REACH[sample.aggregation], np.int64)
    found = find_zones(levels, measure_distances(sample.region.morphology, reach), reach)
    columns = [found[:, 0], found[:, 1], found[:, 2]]
    if sample.aggregation != "2D":
        (level, size, distance), counts = count_alike(columns)
        return Zones(np.zeros(len(counts), np.int64), level, size, distance, counts, (int((size * counts).sum()),))
    voxels = tuple(n for n in (int(np.count_nonzero(page)) for page in levels) if n)
    # zones come slice by slice, and those of a slice hold all of its voxels
    ends = np.searchsorted(np.cumsum(found[:, 1]), np.cumsum(voxels), side="right")
    slices = np.repeat(np.arange(len(voxels), dtype=np.int32), np.diff(ends, prepend=0))
    (matrix, level, size, distance), counts = count_alike([slices, *columns])
    return Zones(matrix, level, size, distance, counts, voxels)


def size_zones(sample: Sample) -> list[Counts]:
    """Number of zones by grey level and size, for each matrix."""
    zones = sample.once(zones_of)
    return _split(zones, zones.sizes)


def distance_zones(sample: Sample) -> list[Counts]:
    """Number of zones by grey level and distance, for each matrix."""
    zones = sample.once(zones_of)
    return _split(zones, zones.distances)


def _split(zones: Zones, numbers: np.ndarray) -> list[Counts]:
    """Matrices of grey level by one of the numbers."""
    (matrices, levels, numbers), counts = count_alike([zones.matrices, zones.levels, numbers], zones.counts)
    ends = np.searchsorted(matrices, np.arange(len(zones.voxels)), side="right")
    levels, numbers, occur = levels.astype(np.float64), numbers.astype(np.float64), counts.astype(np.float64)
    return [
        Counts(levels[start:end], numbers[start:end], occur[start:end], n)
        for start, end, n in zip([0, *ends[:-1]], ends, zones.voxels, strict=True)
    ]
