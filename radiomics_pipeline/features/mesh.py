"""Volume and area of the surface mesh around a region (marching cubes at 0.5 of its mask).

The mask holds only 0 and 1, so the triangles in a cell depend on nothing but which of its eight corners lie inside.
Their shapes are asked once of scikit-image's marching cubes (Lewiner 2003, doi:10.1080/10867651.2003.10487582);
a region then needs only the count of its cells by pattern. The result is that of summing over all triangles.
"""

from __future__ import annotations

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
    cells, sums_x = count_cells(np.pad(mask.astype(np.uint8, copy=False), 1)).T
    triangles, pattern = _cell_triangles()
    # Gauss: the volume is the sum over triangles of their centre's x times the x component of their area vector
    vectors = _area_vectors(triangles)
    centres_x = triangles[:, :, 2].mean(axis=1)
    flux = (vectors[:, 2] * (sums_x[pattern] + centres_x * cells[pattern])).sum()
    areas = np.linalg.norm(_area_vectors(triangles * np.array(spacing_mm)), axis=1)
    return Mesh(abs(float(flux)) * float(np.prod(spacing_mm)), float((areas * cells[pattern]).sum()))


def _area_vectors(triangles: np.ndarray) -> np.ndarray:
    """Normal vectors of triangles [n, corner, (z, y, x)], as long as their area; float64 [n, (z, y, x)]."""
    a, b, c = triangles.transpose(1, 0, 2)
    return np.cross(b - a, c - a) / 2


@lru_cache(maxsize=1)
def _cell_triangles() -> tuple[np.ndarray, np.ndarray]:
    """The triangles in a unit cell of each corner pattern, and that pattern for each triangle.

    returns : float64 [triangles, corner, (z, y, x)] and int64 [triangles]
    """
    from skimage.measure import marching_cubes

    triangles, patterns = [], []
    for pattern in range(1, 255):
        corners = np.array([pattern >> bit & 1 for bit in range(8)], np.float32).reshape(2, 2, 2)
        points, faces, _, _ = marching_cubes(corners, 0.5)
        triangles.append(points[faces].astype(np.float64))
        patterns += [pattern] * len(faces)
    return np.concatenate(triangles), np.array(patterns)
