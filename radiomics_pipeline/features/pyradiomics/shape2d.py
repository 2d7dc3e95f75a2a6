"""Shape in the plane by PyRadiomics' definitions: size and form of a region that is one voxel thick.

The region's outline joins points half-way between a pixel inside and its neighbour outside (marching squares); pixels
that touch in a corner only stay apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radiomics_pipeline.features.pyradiomics.sample import PyradiomicsSample
from radiomics_pipeline.features.pyradiomics.shape import Shape, padded, ratio
from radiomics_pipeline.features.registry import Family, Undefined
from radiomics_pipeline.kernels.cells import sum_cells

SQUARES = np.array(
    [
        (1, 1, 0, 0), (1, 1, 0, 0), (4, 0, 0, 1), (1, 1, 0, 0), (4, 0, 1, 0),
        (2, 2, 0, 0), (7, 1, 0, 0), (1, 1, 0, 0), (2, 2, 0, 0), (4, 0, 1, 0),
        (7, 1, 0, 0), (4, 0, 0, 1), (7, 1, 0, 0), (7, 1, 0, 0), (8, 0, 0, 0),
    ]
)  # fmt: skip
"""A square of 2 x 2 pixels of patterns 1 to 15, with bit 2 dy + dx for each corner: eighths of its area inside the
outline, and how often the outline crosses it along half a diagonal, along y and along x."""


@dataclass(frozen=True)
class PlaneShape:
    """The form of a region in its plane, whose axes are here called y and x.

    space : the region [1, y, x] as one of three dimensions
    """

    space: Shape

    @cached_property
    def outline(self) -> tuple[float, float]:
        """Area inside the outline, mm^2, and its length, mm."""
        _, y_mm, x_mm = self.space.spacing_mm
        # the cells below the plane have no voxels but in the plane: their patterns are those of its squares, times 16
        eighths, slanted, upright, level = (sum_cells(self.space.mask)[16::16, 0] @ SQUARES).tolist()
        return eighths / 8 * (y_mm * x_mm), slanted * math.hypot(y_mm, x_mm) / 2 + upright * y_mm + level * x_mm

    @property
    def area(self) -> float:
        """Area inside the outline, mm^2."""
        return self.outline[0]

    @property
    def perimeter(self) -> float:
        """Length of the outline, mm."""
        return self.outline[1]

    @property
    def circle_perimeter(self) -> float:
        """Perimeter of a circle of the outline's area, mm."""
        return 2 * math.sqrt(math.pi * self.area)


def plane_shape_of(sample: PyradiomicsSample) -> list[PlaneShape]:
    """The region's form in its plane; Undefined where it is more than one voxel thick, or `force2D` is not set."""
    across = sample.settings.flat_axis
    if across is None:
        raise Undefined("shape2D needs force2D: true, and force2Ddimension where slices do not lie across z")
    thickness = sample.mask.shape[across]
    if thickness != 1:
        raise Undefined(f"the region is {thickness} voxels thick along {'zyx'[across]} (force2Ddimension), not 1")
    z_mm, y_mm, x_mm = (sample.spacing_mm[axis] for axis in (across, *(a for a in range(3) if a != across)))
    return [PlaneShape(Shape(padded(np.moveaxis(sample.mask, across, 0)), (z_mm, y_mm, x_mm)))]


shape2d = Family("shape2D", title="Shape (2D)", ibsi="", prepare=plane_shape_of)


@shape2d.feature(ibsi="")
def elongation(s: PlaneShape) -> float:
    """Minor axis length over major axis length."""
    return ratio(float(s.space.axes[1]), float(s.space.axes[0]), "extent of the pixels' centres")


@shape2d.feature(ibsi="", unit="mm")
def major_axis_length(s: PlaneShape) -> float:
    """Four standard deviations (divisor n) of the pixel centres along the axis of their largest spread."""
    return float(s.space.axes[0])


@shape2d.feature(ibsi="", unit="mm")
def maximum_diameter(s: PlaneShape) -> float:
    """Largest distance between two points of the outline."""
    return s.space.slice_diameter


@shape2d.feature(ibsi="", unit="mm^2")
def mesh_surface(s: PlaneShape) -> float:
    """Area inside the outline."""
    return s.area


@shape2d.feature(ibsi="", unit="mm")
def minor_axis_length(s: PlaneShape) -> float:
    """Four standard deviations (divisor n) of the pixel centres along the axis of their smallest spread."""
    return float(s.space.axes[1])


@shape2d.feature(ibsi="", unit="mm")
def perimeter(s: PlaneShape) -> float:
    """Length of the outline, inner outlines of holes included."""
    return s.perimeter


@shape2d.feature(ibsi="", unit="1/mm")
def perimeter_surface_ratio(s: PlaneShape) -> float:
    """Length of the outline over the area inside it."""
    return s.perimeter / s.area


@shape2d.feature(ibsi="", unit="mm^2")
def pixel_surface(s: PlaneShape) -> float:
    """Number of pixels times the area of one."""
    return s.space.moments[0][0] * math.prod(s.space.spacing_mm[1:])


@shape2d.feature(ibsi="", default=False)
def spherical_disproportion(s: PlaneShape) -> float:
    """Length of the outline over the perimeter of a circle of the same area; 1 for a circle, more for all else."""
    return s.perimeter / s.circle_perimeter


@shape2d.feature(ibsi="")
def sphericity(s: PlaneShape) -> float:
    """Perimeter of a circle of the outline's area over the outline's length; 1 for a circle, less for all else."""
    return s.circle_perimeter / s.perimeter
