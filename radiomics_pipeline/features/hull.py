"""The convex hull of a region's surface, and the boxes around it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radiomics_pipeline.kernels.box import find_smallest_box, measure_triangles
from radiomics_pipeline.kernels.hull import drop_inner, find_hull, find_largest_distance
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
        return np.ptp(self.corners, axis=0)

    @cached_property
    def smallest_box(self) -> np.ndarray:
        """Sides in mm of the smallest box that has a side flush with a facet of the hull, or along the image's axes.

        The smallest of all boxes may touch the hull with edges only (O'Rourke 1985, doi:10.1007/BF00991005); the
        IBSI leaves the approximation open. float64 [3]
        """
        return find_smallest_box(self.corners, self.triangles, self.neighbours, self.normals, self._directions)

    @cached_property
    def _directions(self) -> np.ndarray:
        """The normals of the facets and the image's axes, one of each set of parallel ones; float64 [d, 3]."""
        every = np.concatenate([np.eye(3), self.normals])
        leading = np.where(every[:, 0] != 0, every[:, 0], np.where(every[:, 1] != 0, every[:, 1], every[:, 2]))
        upward = every * np.copysign(1.0, leading)[:, None] + 0.0
        upward = upward[np.lexsort(upward.T)]
        return upward[np.append(True, (upward[1:] != upward[:-1]).any(axis=1))]


def hull_of(mask: np.ndarray, spacing_mm: tuple[float, float, float]) -> Hull:
    """The convex hull of the mesh around a mask, uint8 [z, y, x].

    The mesh's corners lie half-way between a voxel inside and its neighbour outside, so that the hull is found among
    the ends of the mask on each grid line, in whole numbers and hence exactly.
    """
    points = find_line_ends(mask)
    for axis in range(3):
        points = drop_inner(points, axis)
    triangles, neighbours, normals = find_hull(points)
    used = np.zeros(len(points), bool)
    used[triangles] = True
    number = np.cumsum(used) - 1
    half = np.array(spacing_mm) / 2
    # six times the volume of the hull: that of the pyramids from its facets to the origin
    volume = int((normals * points[triangles[:, 0]]).sum())
    # facets in one plane get one normal, to the last digit
    normals = normals // np.gcd.reduce(normals, axis=1)[:, None] / half
    return Hull(
        corners=points[used] * half,
        triangles=number[triangles],
        normals=normals / np.sqrt((normals * normals).sum(axis=1, keepdims=True)),
        neighbours=neighbours,
        volume=volume / 6 * float(np.prod(half)),
    )
