"""Shape by PyRadiomics' definitions: size and form of a region.

Measured on PyRadiomics' own mesh (cells.py), or on the voxels' centres. An IBSI code stands where every region has the
value that the IBSI's definition gives here; other meshes and another divisor of the covariance differ, if little.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radiomics_pipeline.features.ellipsoid import semi_axes
from radiomics_pipeline.features.pyradiomics.cells import Mesh, mesh_of
from radiomics_pipeline.features.pyradiomics.sample import PyradiomicsSample
from radiomics_pipeline.features.registry import Family, Undefined
from radiomics_pipeline.kernels.diameters import find_diameter, find_plane_diameter, find_row_ends
from radiomics_pipeline.kernels.surface import sum_moments
from radiomics_pipeline.types.arrays import read_only


@dataclass(frozen=True)
class Shape:
    """A region's form; each part is computed when it is first asked for.

    mask : uint8 [z, y, x], the region's box with one layer of 0 around it
    spacing_mm : (z, y, x)
    """

    mask: np.ndarray
    spacing_mm: tuple[float, float, float]

    @cached_property
    def moments(self) -> list[list[int]]:
        """Exact sums over the region's voxels of the products of (1, z, y, x), in voxels."""
        n, z, y, x, zz, yy, xx, zy, zx, yx = (int(m) for m in sum_moments(read_only(self.mask)))
        return [[n, z, y, x], [z, zz, zy, zx], [y, zy, yy, yx], [x, zx, yx, xx]]

    @cached_property
    def mesh(self) -> Mesh:
        """The triangles around the region."""
        return mesh_of(self.mask, self.spacing_mm)

    @cached_property
    def sphere_area(self) -> float:
        """Area of a sphere of the mesh's volume, mm^2."""
        return float(np.cbrt(36 * math.pi * self.mesh.volume**2))

    @cached_property
    def row_ends(self) -> np.ndarray:
        """First and last point of the mesh on each line along x, in half voxels; int64 [2 nz - 1, 2 ny - 1, 2]."""
        return find_row_ends(self.mask)

    @cached_property
    def slice_diameter(self) -> float:
        """Largest distance between two points of the mesh with the same z, mm."""
        _, y_mm, x_mm = self.spacing_mm
        return float(find_plane_diameter(self.row_ends, y_mm / 2, x_mm / 2))

    @cached_property
    def column_diameter(self) -> float:
        """Largest distance between two points of the mesh with the same y, mm."""
        z_mm, _, x_mm = self.spacing_mm
        return float(find_plane_diameter(np.ascontiguousarray(self.row_ends.swapaxes(0, 1)), z_mm / 2, x_mm / 2))

    @cached_property
    def row_diameter(self) -> float:
        """Largest distance between two points of the mesh with the same x, mm."""
        z_mm, y_mm, _ = self.spacing_mm
        # slice by slice, which the processor's cache can hold
        ends = find_row_ends(np.ascontiguousarray(self.mask.swapaxes(1, 2)))
        return float(find_plane_diameter(np.ascontiguousarray(ends.swapaxes(0, 1)), z_mm / 2, y_mm / 2))

    @cached_property
    def diameter(self) -> float:
        """Largest distance between two points of the mesh, mm."""
        z_mm, y_mm, x_mm = self.spacing_mm
        # those in the planes are a good start, and mostly asked for as well
        known = max(self.slice_diameter, self.column_diameter, self.row_diameter)
        return float(find_diameter(self.row_ends, z_mm / 2, y_mm / 2, x_mm / 2, known))

    @cached_property
    def axes(self) -> np.ndarray:
        """Four standard deviations (divisor n) of the voxel centres along the principal axes, mm, largest first.

        float64 [3]; exactly 0 along an axis without extent, where PyRadiomics gives what rounding leaves
        """
        (n, *sums), *products = self.moments
        # in whole numbers up to the division, so that nothing is lost far from the origin
        covariance = [[(n * products[a][b + 1] - sums[a] * sums[b]) / n**2 for b in range(3)] for a in range(3)]
        return semi_axes(np.array(covariance) * np.outer(self.spacing_mm, self.spacing_mm), 4.0)


def padded(mask: np.ndarray) -> np.ndarray:
    """A mask, bool [z, y, x], with one layer of 0 around it; uint8."""
    nz, ny, nx = mask.shape
    wider = np.zeros((nz + 2, ny + 2, nx + 2), np.uint8)
    wider[1:-1, 1:-1, 1:-1] = mask
    return wider


def shape_of(sample: PyradiomicsSample) -> list[Shape]:
    """The region's form."""
    return [Shape(padded(sample.mask), sample.spacing_mm)]


shape = Family("shape", title="Shape (3D)", ibsi="HCUG", prepare=shape_of)


def ratio(above: float, below: float, what: str) -> float:
    """One over the other; Undefined where `what` is 0."""
    if below == 0:
        raise Undefined(f"the {what} is 0")
    return above / below


@shape.feature(ibsi="", default=False)
def compactness1(s: Shape) -> float:
    """V / (pi A^3)^(1/2), with the mesh's volume V and area A; 1 / (6 pi) for a sphere, less for all else."""
    return s.mesh.volume / math.sqrt(math.pi * s.mesh.area**3)


@shape.feature(ibsi="", default=False)
def compactness2(s: Shape) -> float:
    """36 pi V^2 / A^3, with the mesh's volume V and area A; 1 for a sphere, less for all else."""
    return 36 * math.pi * s.mesh.volume**2 / s.mesh.area**3


@shape.feature(ibsi="Q3CK")
def elongation(s: Shape) -> float:
    """Minor axis length over major axis length."""
    return ratio(float(s.axes[1]), float(s.axes[0]), "extent of the voxels' centres")


@shape.feature(ibsi="N17B")
def flatness(s: Shape) -> float:
    """Least axis length over major axis length."""
    return ratio(float(s.axes[2]), float(s.axes[0]), "extent of the voxels' centres")


@shape.feature(ibsi="", unit="mm")
def least_axis_length(s: Shape) -> float:
    """Four standard deviations (divisor n) of the voxel centres along the axis of their smallest spread."""
    return float(s.axes[2])


@shape.feature(ibsi="", unit="mm")
def major_axis_length(s: Shape) -> float:
    """Four standard deviations (divisor n) of the voxel centres along the axis of their largest spread."""
    return float(s.axes[0])


@shape.feature(ibsi="", unit="mm", name="Maximum2DDiameterColumn")
def maximum_2d_diameter_column(s: Shape) -> float:
    """Largest distance between two points of the mesh with the same y (usually coronal planes)."""
    return s.column_diameter


@shape.feature(ibsi="", unit="mm", name="Maximum2DDiameterRow")
def maximum_2d_diameter_row(s: Shape) -> float:
    """Largest distance between two points of the mesh with the same x (usually sagittal planes)."""
    return s.row_diameter


@shape.feature(ibsi="", unit="mm", name="Maximum2DDiameterSlice")
def maximum_2d_diameter_slice(s: Shape) -> float:
    """Largest distance between two points of the mesh with the same z (usually axial planes)."""
    return s.slice_diameter


@shape.feature(ibsi="L0JK", unit="mm", name="Maximum3DDiameter")
def maximum_3d_diameter(s: Shape) -> float:
    """Largest distance between two points of the mesh."""
    return s.diameter


@shape.feature(ibsi="", unit="mm^3")
def mesh_volume(s: Shape) -> float:
    """Volume inside the mesh, summed over signed tetrahedra to the corner of the region's box, by which it depends on
    that box where the mesh is open.
    """
    return s.mesh.volume


@shape.feature(ibsi="", unit="mm")
def minor_axis_length(s: Shape) -> float:
    """Four standard deviations (divisor n) of the voxel centres along the axis of their second largest spread."""
    return float(s.axes[1])


@shape.feature(ibsi="", default=False)
def spherical_disproportion(s: Shape) -> float:
    """Area of the mesh over that of a sphere of the same volume; 1 for a sphere, more for all else."""
    return ratio(s.mesh.area, s.sphere_area, "volume of the mesh")


@shape.feature(ibsi="")
def sphericity(s: Shape) -> float:
    """Area of a sphere of the mesh's volume over the mesh's area; 1 for a sphere, less for all else."""
    return s.sphere_area / s.mesh.area


@shape.feature(ibsi="", unit="mm^2")
def surface_area(s: Shape) -> float:
    """Area of the mesh, inner surfaces of holes included."""
    return s.mesh.area


@shape.feature(ibsi="", unit="1/mm")
def surface_volume_ratio(s: Shape) -> float:
    """Area of the mesh over the volume in it."""
    return ratio(s.mesh.area, s.mesh.volume, "volume of the mesh")


@shape.feature(ibsi="YEKZ", unit="mm^3")
def voxel_volume(s: Shape) -> float:
    """Number of voxels times the volume of one."""
    return s.moments[0][0] * math.prod(s.spacing_mm)
