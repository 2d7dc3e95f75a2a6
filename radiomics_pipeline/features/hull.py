"""The convex hull of a region's surface, and the boxes around it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radiomics_pipeline.kernels.box import find_smallest_box, measure_triangles
from radiomics_pipeline.kernels.hull import drop_inner, find_extent, find_hull, find_largest_distance, measure_hull
from radiomics_pipeline.kernels.surface import find_line_ends


@dataclass(frozen=True)
class Hull:
    """The convex hull of the mesh around a region.

    corners : float64 [n, (z, y, x)], mm
    triangles : int64 [f, 3], corners of each facet; float64 [f, 3], outward unit normals in `normals`
    neighbours : int64 [f, 3], the facets across from each of the three corners
    volume : mm^3
    """

    corners: np.ndarray
    triangles: np.ndarray
    normals: np.ndarray
    neighbours: np.ndarray
    volume: float

    @cached_property
    def area(self) -> float:
        """Surface area in mm^2."""
        return float(measure_triangles(self.corners, self.triangles).sum())

    @cached_property
    def diameter(self) -> float:
        """Largest distance between two corners in mm."""
        return float(find_largest_distance(self.corners))

    @cached_property
    def aligned_box(self) -> np.ndarray:
        """Sides of the bounding box along the image's axes in mm; float64 [3]."""
        return find_extent(self.corners)

    @cached_property
    def smallest_box(self) -> np.ndarray:
        """Sides in mm of the smallest box that has a side flush with a facet of the hull, or along the image's axes.

        The smallest of all boxes may touch the hull with edges only (O'Rourke 1985, doi:10.1007/BF00991005); the
        IBSI leaves the approximation open. float64 [3]
        """
        return find_smallest_box(self.corners, self.triangles, self.neighbours, self.normals)


def hull_of(mask: np.ndarray, spacing_mm: tuple[float, float, float]) -> Hull:
    """The convex hull of the mesh around a mask, uint8 [z, y, x].

    The mesh's corners lie half-way between a voxel inside and its neighbour outside, so that the hull is found among
    the ends of the mask on each grid line, in whole numbers and hence exactly.
    """
    points = find_line_ends(mask)
    for axis in range(3):
        points = drop_inner(points, axis)
    triangles, neighbours, normals = find_hull(points)
    corners, triangles, outward, volume = measure_hull(points, triangles, normals, np.array(spacing_mm) / 2)
    return Hull(corners, triangles, outward, neighbours, float(volume))
