"""The convex hull of a region's surface, and the boxes around it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from radiomics_pipeline.features.registry import Undefined
from radiomics_pipeline.kernels.hull import find_largest_distance, find_smallest_box
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
        a, b, c = self.corners[self.triangles].transpose(1, 0, 2)
        return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum()) / 2

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
        edges = [
            (*np.delete(corners, k), facet, across[k])
            for facet, (corners, across) in enumerate(zip(self.triangles, self.neighbours, strict=True))
            for k in range(3)
            if facet < across[k]
        ]
        return find_smallest_box(self.corners, np.array(edges, np.int64), self.normals, self._directions)

    @cached_property
    def _directions(self) -> np.ndarray:
        """The normals of the facets and the image's axes, one of each set of parallel ones; float64 [d, 3]."""
        every = np.vstack([np.eye(3), self.normals])
        leading = np.take_along_axis(every, np.argmax(np.abs(every) > 1e-7, axis=1)[:, None], axis=1)
        upward = np.where(leading < 0, -1.0, 1.0) * every
        _, first = np.unique(upward.round(7) + 0.0, axis=0, return_index=True)
        return np.ascontiguousarray(upward[first])


def hull_of(mask: np.ndarray, spacing_mm: tuple[float, float, float]) -> Hull:
    """The convex hull of the mesh around a mask, uint8 [z, y, x].

    The mesh's corners lie half-way between a voxel inside and its neighbour outside, so that the hull is found among
    the ends of the mask on each grid line, in whole numbers.
    """
    points = find_line_ends(mask).astype(np.float64)
    try:
        hull = ConvexHull(points)
    except QhullError as error:
        raise Undefined("the region's convex hull cannot be computed") from error
    number = np.zeros(len(points), np.int64)
    number[hull.vertices] = np.arange(len(hull.vertices))
    spacing = np.array(spacing_mm)
    normals = hull.equations[:, :3] / spacing
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return Hull(
        corners=points[hull.vertices] * (spacing / 2),
        triangles=number[hull.simplices],
        normals=normals,
        neighbours=hull.neighbors.astype(np.int64),
        volume=float(hull.volume * np.prod(spacing / 2)),
    )
