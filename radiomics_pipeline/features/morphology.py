"""Morphology: volume, surface and form of a region, and how its intensities lie in it.

IBSI 1, family HCUG (doi:10.1148/radiol.2020191145). Form is measured on the morphological mask, either on its mesh
or on its voxels' centres; intensities are those of the intensity mask.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radiomics_pipeline.features.autocorrelation import PairSums, pair_sums
from radiomics_pipeline.features.ellipsoid import ellipsoid_area, ellipsoid_volume, semi_axes, smallest_ellipsoid
from radiomics_pipeline.features.hull import Hull, hull_of
from radiomics_pipeline.features.mesh import Mesh, mesh_of
from radiomics_pipeline.features.registry import Family, Sample, Undefined
from radiomics_pipeline.kernels.surface import sum_intensities, sum_moments


@dataclass(frozen=True)
class Intensities:
    """Sums over the voxels of the intensity mask: of values, absolute values, values times index; and the range."""

    voxels: float
    total: float
    absolute: float
    z: float
    y: float
    x: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class Shape:
    """A region's form and the intensities in it; each part is computed when it is first asked for."""

    sample: Sample

    @cached_property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between voxel centres (z, y, x)."""
        return self.sample.region.spacing_mm

    @cached_property
    def mask(self) -> np.ndarray:
        """The morphological mask, uint8 [z, y, x]."""
        return self.sample.region.morphology.view(np.uint8)

    @cached_property
    def moments(self) -> list[int]:
        """Exact sums over the mask of 1, z, y, x, zz, yy, xx, zy, zx, yx in voxels."""
        moments: list[int] = sum_moments(self.mask).tolist()
        return moments

    @cached_property
    def mesh(self) -> Mesh:
        """The closed surface around the region."""
        return mesh_of(self.mask, self.spacing_mm)

    @cached_property
    def compactness(self) -> float:
        """36 pi V^2 / A^3, from which the IBSI's five measures of compactness follow."""
        return 36 * math.pi * self.mesh.volume**2 / self.mesh.area**3

    @cached_property
    def hull(self) -> Hull:
        """The convex hull of the surface."""
        return hull_of(self.mask, self.spacing_mm)

    @cached_property
    def axes(self) -> np.ndarray:
        """Semi-axes of the ellipsoid with the covariance of the voxel centres, mm, largest first; float64 [3]."""
        n, z, y, x, zz, yy, xx, zy, zx, yx = self.moments
        if n < 2:
            raise Undefined("one voxel has no principal axes")
        products = [[zz, zy, zx], [zy, yy, yx], [zx, yx, xx]]
        sums = (z, y, x)
        # in whole numbers up to the division, so that nothing is lost far from the origin
        covariance = [[(n * products[a][b] - sums[a] * sums[b]) / (n * (n - 1)) for b in range(3)] for a in range(3)]
        spacing = np.array(self.spacing_mm)
        return semi_axes(np.array(covariance) * np.outer(spacing, spacing), 2.0)

    @cached_property
    def enclosing_axes(self) -> np.ndarray:
        """Semi-axes of the smallest ellipsoid around the surface, mm, largest first; float64 [3]."""
        return smallest_ellipsoid(self.hull.corners)

    @cached_property
    def intensities(self) -> Intensities:
        """Sums over the intensity mask."""
        sums = sum_intensities(self.sample.volume.array, self.sample.region.intensity.view(np.uint8))
        return Intensities(*sums.tolist())

    @cached_property
    def mean_intensity(self) -> float:
        """Mean intensity."""
        return self.intensities.total / self.intensities.voxels

    @cached_property
    def centre_of_intensity(self) -> tuple[float, float, float]:
        """Mean position in voxels (z, y, x), weighted with intensity."""
        sums = self.intensities
        if abs(sums.total) <= 1e-12 * sums.absolute:
            raise Undefined("the intensities sum to 0: they have no centre")
        return sums.z / sums.total, sums.y / sums.total, sums.x / sums.total

    @cached_property
    def pairs(self) -> PairSums:
        """Sums over all pairs of voxels of the intensity mask, of deviations from the mean, the largest being 1."""
        lowest, span = self.intensities.lowest, self.intensities.highest - self.intensities.lowest
        if not span:
            raise Undefined("all intensities are the same: their variance is 0")
        if not math.isfinite(span * self.intensities.voxels):
            raise Undefined("the range of intensities exceeds the range of numbers")
        # a mean far from 0 has fewer digits than the deviations from it, so it is one of differences
        with np.errstate(over="ignore"):  # outside the region
            values = self.sample.volume.array - lowest
        values.flags.writeable = False
        mask = self.sample.region.intensity
        mean = float(sum_intensities(values, mask.view(np.uint8))[1]) / self.intensities.voxels
        return pair_sums(values, mask, self.spacing_mm, centre=mean, scale=max(span - mean, mean))


def shape_of(sample: Sample) -> list[Shape]:
    """The region's form."""
    return [Shape(sample)]


morphology = Family("morphology", title="Morphology", ibsi="HCUG", prepare=shape_of)


def _over(value: float, reference: float, what: str) -> float:
    if reference <= 0:
        raise Undefined(f"the {what} is flat: there is nothing to compare with")
    return value / reference


def _box_volume(sides: np.ndarray) -> float:
    a, b, c = sides.tolist()
    return a * b * c


def _box_area(sides: np.ndarray) -> float:
    a, b, c = sides.tolist()
    return 2 * (a * b + a * c + b * c)


@morphology.feature(ibsi="RNU0", unit="mm^3")
def volume_mesh(s: Shape) -> float:
    """Volume inside the surface mesh (marching cubes at 0.5 of the mask)."""
    return s.mesh.volume


@morphology.feature(ibsi="YEKZ", unit="mm^3")
def volume_voxel_counting(s: Shape) -> float:
    """Number of voxels times the volume of one."""
    return s.moments[0] * s.sample.region.grid.voxel_volume_mm3


@morphology.feature(ibsi="C0JK", unit="mm^2")
def surface_area_mesh(s: Shape) -> float:
    """Area of the surface mesh, inner surfaces of holes included."""
    return s.mesh.area


@morphology.feature(ibsi="2PR5", unit="1/mm")
def surface_to_volume_ratio(s: Shape) -> float:
    """Area of the surface mesh over the volume in it."""
    return s.mesh.area / s.mesh.volume


@morphology.feature(ibsi="SKGS", name="Compactness1")
def compactness_1(s: Shape) -> float:
    """V / (pi^(1/2) A^(3/2)), with the mesh's volume V and area A; 1 / (6 pi) for a sphere, less for all else."""
    return math.sqrt(s.compactness) / (6 * math.pi)


@morphology.feature(ibsi="BQWJ", name="Compactness2")
def compactness_2(s: Shape) -> float:
    """36 pi V^2 / A^3, with the mesh's volume V and area A; 1 for a sphere, less for all else."""
    return s.compactness


@morphology.feature(ibsi="KRCK")
def spherical_disproportion(s: Shape) -> float:
    """Area of the mesh over that of a sphere of the same volume; 1 for a sphere, more for all else."""
    return float(s.compactness ** (-1 / 3))


@morphology.feature(ibsi="QCFX")
def sphericity(s: Shape) -> float:
    """Area of a sphere of the mesh's volume over the mesh's area; 1 for a sphere, less for all else."""
    return float(s.compactness ** (1 / 3))


@morphology.feature(ibsi="25C7")
def asphericity(s: Shape) -> float:
    """Area of the mesh over that of a sphere of the same volume, minus 1; 0 for a sphere, more for all else."""
    return float(s.compactness ** (-1 / 3)) - 1


@morphology.feature(ibsi="KLMA", unit="mm")
def centre_of_mass_shift(s: Shape) -> float:
    """Distance from the centre of the region's voxels to their centre weighted with intensity."""
    n, *sums = s.moments[:4]
    return math.hypot(*((c - m / n) * mm for c, m, mm in zip(s.centre_of_intensity, sums, s.spacing_mm, strict=True)))


@morphology.feature(ibsi="L0JK", unit="mm", name="Maximum3DDiameter")
def maximum_3d_diameter(s: Shape) -> float:
    """Largest distance between two corners of the surface mesh."""
    return s.hull.diameter


@morphology.feature(ibsi="TDIC", unit="mm")
def major_axis_length(s: Shape) -> float:
    """Four standard deviations of the voxel centres along the axis of their largest spread."""
    return 2 * float(s.axes[0])


@morphology.feature(ibsi="P9VJ", unit="mm")
def minor_axis_length(s: Shape) -> float:
    """Four standard deviations of the voxel centres along the axis of their second largest spread."""
    return 2 * float(s.axes[1])


@morphology.feature(ibsi="7J51", unit="mm")
def least_axis_length(s: Shape) -> float:
    """Four standard deviations of the voxel centres along the axis of their smallest spread."""
    return 2 * float(s.axes[2])


@morphology.feature(ibsi="Q3CK")
def elongation(s: Shape) -> float:
    """Minor axis length over major axis length."""
    return float(s.axes[1] / s.axes[0])


@morphology.feature(ibsi="N17B")
def flatness(s: Shape) -> float:
    """Least axis length over major axis length."""
    return float(s.axes[2] / s.axes[0])


@morphology.feature(ibsi="PBX1", name="VolumeDensityAABB")
def volume_density_aabb(s: Shape) -> float:
    """Volume of the mesh over that of the box around it along the image's axes."""
    return s.mesh.volume / _box_volume(s.hull.aligned_box)


@morphology.feature(ibsi="R59B", name="AreaDensityAABB")
def area_density_aabb(s: Shape) -> float:
    """Area of the mesh over that of the box around it along the image's axes."""
    return s.mesh.area / _box_area(s.hull.aligned_box)


@morphology.feature(ibsi="ZH1A", name="VolumeDensityOMBB")
def volume_density_ombb(s: Shape) -> float:
    """Volume of the mesh over that of the smallest box around it: flush with a facet of its convex hull, or along the
    image's axes.
    """
    return s.mesh.volume / _box_volume(s.hull.smallest_box)


@morphology.feature(ibsi="IQYR", name="AreaDensityOMBB")
def area_density_ombb(s: Shape) -> float:
    """Area of the mesh over that of the smallest box around it: flush with a facet of its convex hull, or along the
    image's axes.
    """
    return s.mesh.area / _box_area(s.hull.smallest_box)


@morphology.feature(ibsi="6BDE", name="VolumeDensityAEE")
def volume_density_aee(s: Shape) -> float:
    """Volume of the mesh over that of the ellipsoid with the three principal axis lengths."""
    return _over(s.mesh.volume, ellipsoid_volume(s.axes), "ellipsoid of the principal axes")


@morphology.feature(ibsi="RDD2", name="AreaDensityAEE")
def area_density_aee(s: Shape) -> float:
    """Area of the mesh over that of the ellipsoid with the three principal axis lengths (series to degree 20)."""
    if s.axes[2] == 0:
        raise Undefined("the ellipsoid of the principal axes is flat: it has no surface around a volume")
    return s.mesh.area / ellipsoid_area(s.axes)


@morphology.feature(ibsi="SWZ1", name="VolumeDensityMVEE")
def volume_density_mvee(s: Shape) -> float:
    """Volume of the mesh over that of the smallest ellipsoid around it."""
    return s.mesh.volume / ellipsoid_volume(s.enclosing_axes)


@morphology.feature(ibsi="BRI8", name="AreaDensityMVEE")
def area_density_mvee(s: Shape) -> float:
    """Area of the mesh over that of the smallest ellipsoid around it (series to degree 20)."""
    return s.mesh.area / ellipsoid_area(s.enclosing_axes)


@morphology.feature(ibsi="R3ER")
def volume_density_convex_hull(s: Shape) -> float:
    """Volume of the mesh over that of its convex hull."""
    return s.mesh.volume / s.hull.volume


@morphology.feature(ibsi="7T7F")
def area_density_convex_hull(s: Shape) -> float:
    """Area of the mesh over that of its convex hull."""
    return s.mesh.area / s.hull.area


@morphology.feature(ibsi="99N0", unit="{u}*mm^3")
def integrated_intensity(s: Shape) -> float:
    """Mean intensity times the volume of the mesh."""
    return s.mesh.volume * s.mean_intensity


@morphology.feature(ibsi="N365")
def morans_i(s: Shape) -> float:
    """Moran's I: how alike near voxels are, by products of deviations from the mean weighted with inverse distance."""
    return s.intensities.voxels / s.pairs.weight * s.pairs.product / s.pairs.square


@morphology.feature(ibsi="NPT7")
def gearys_c(s: Shape) -> float:
    """Geary's C: how unlike near voxels are, by squared differences weighted with inverse distance."""
    return (s.intensities.voxels - 1) / (2 * s.pairs.weight) * s.pairs.difference / s.pairs.square
