"""Volume and area of the surface mesh around a region (marching cubes at 0.5 of its mask).

The mask holds only 0 and 1, so the triangles in a cell depend on nothing but which of its eight corners lie inside.
Their shapes are asked once of scikit-image's marching cubes (Lewiner 2003, doi:10.1080/10867651.2003.10487582);
a region then needs only the count of its cells by pattern. The result is that of summing over all triangles.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from radiomics_pipeline.kernels.surface import count_cells


@dataclass(frozen=True)
class Mesh:
    """A closed surface: the volume in it in mm^3 and its area in mm^2."""

    volume: float
    area: float


def mesh_of(mask: np.ndarray, spacing_mm: tuple[float, float, float]) -> Mesh:
    """The mesh around a mask, uint8 or bool [z, y, x], which may touch the borders of its array."""
    cells = count_cells(mask.view(np.uint8)).astype(np.float64).ravel()
    # Gauss: the volume is the sum over triangles of their centre's x times the x component of their area vector
    return Mesh(abs(float(cells @ _cell_fluxes())) * math.prod(spacing_mm), float(cells @ _cell_areas(spacing_mm)))


@lru_cache(maxsize=1)
def _cell_fluxes() -> np.ndarray:
    """The volume that a cell of size 1 adds, as it stands first and for each cell before; float64 [512], by pattern."""
    triangles = _cell_triangles()
    return np.stack([triangles.moments, triangles.fluxes], axis=1).ravel()


@lru_cache(maxsize=16)
def _cell_areas(spacing_mm: tuple[float, float, float]) -> np.ndarray:
    """Area of the triangles in a cell of this size, mm^2; float64 [512], by the pattern of its corners, then 0."""
    dz, dy, dx = spacing_mm
    triangles = _cell_triangles()
    areas = np.linalg.norm(triangles.vectors * np.array([dy * dx, dz * dx, dz * dy]), axis=1)
    return np.bincount(2 * triangles.pattern, areas, 512)


@dataclass(frozen=True)
class CellTriangles:
    """The triangles in a unit cell, for each pattern of its corners.

    vectors : float64 [triangles, (z, y, x)], normal vectors, as long as the area
    pattern : int64 [triangles], to which each belongs
    fluxes, moments : float64 [256], by pattern: sum of the vectors' x, also times the triangle's centre's x
    """

    vectors: np.ndarray
    pattern: np.ndarray
    fluxes: np.ndarray
    moments: np.ndarray


@lru_cache(maxsize=1)
def _cell_triangles() -> CellTriangles:
    from skimage.measure import marching_cubes

    triangles, patterns = [], []
    for pattern in range(1, 255):
        corners = np.array([pattern >> bit & 1 for bit in range(8)], np.float32).reshape(2, 2, 2)
        points, faces, _, _ = marching_cubes(corners, 0.5)
        triangles.append(points[faces].astype(np.float64))
        patterns += [pattern] * len(faces)
    every, pattern_of = np.concatenate(triangles), np.array(patterns)
    a, b, c = every.transpose(1, 0, 2)
    vectors = np.cross(b - a, c - a) / 2
    fluxes = np.bincount(pattern_of, vectors[:, 2], 256)
    moments = np.bincount(pattern_of, vectors[:, 2] * every[:, :, 2].mean(axis=1), 256)
    return CellTriangles(vectors, pattern_of, fluxes, moments)
