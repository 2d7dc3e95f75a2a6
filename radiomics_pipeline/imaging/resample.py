"""Image and mask on another grid (IBSI 1, section 2.4).

The new grid keeps centre and orientation of the old one and has ceil(n * old spacing / new spacing) points
along each axis. Points outside the old grid take the nearest edge intensity. Only the part of the new grid
that holds the region is computed; each axis is interpolated in turn, which gives the same numbers as
interpolating in space.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

from radiomics_pipeline.errors import EmptyRegion, TooLarge
from radiomics_pipeline.params.extraction import Interpolation, Resample
from radiomics_pipeline.types import Grid, Region, Volume

Index = tuple[int, int, int]

MAX_VOXELS = 2**28
"""Of a region's box on the new grid; more is a mistake in voxel_mm, not a study."""

SPLINE_REACH = 32
"""Voxels after which a cubic spline's coefficients no longer feel an intensity: 0.268**32 < 1e-18."""


def wanted_spacing(grid: Grid, params: Resample) -> tuple[float, float, float]:
    """Spacing (z, y, x) in mm that these parameters ask for on this grid; the grid's own where none."""
    z = grid.spacing_mm[0] if params.slicewise else params.voxel_mm
    wanted = (z, params.voxel_mm, params.voxel_mm)
    if params.when == "coarser" and not any(
        old > new * (1 + 1e-3) for old, new in zip(grid.spacing_mm, wanted, strict=True)
    ):
        return grid.spacing_mm
    return wanted


def resampled_grid(grid: Grid, spacing_mm: tuple[float, float, float]) -> Grid:
    """The IBSI grid of this spacing (z, y, x): same centre, same orientation, the old extent covered."""
    shape, start = [], []
    for n, old, new in zip(grid.shape, grid.spacing_mm, spacing_mm, strict=True):
        count = n if old == new else max(1, math.ceil(n * old / new - 1e-6))
        shape.append(count)
        start.append(((n - 1) * old - (count - 1) * new) / (2 * old))
    origin = tuple(float(c) for c in grid.position_mm((start[0], start[1], start[2])))
    return Grid(tuple(shape), spacing_mm, origin, grid.direction)  # type: ignore[arg-type]


def resample(volume: Volume, region: Region, params: Resample | None) -> tuple[Volume, Region]:
    """Image and region on the grid asked for, cropped to the box of the region's voxels.

    Raises EmptyRegion where the mask has no voxel, or keeps none on the new grid.
    """
    low, high = _bounding_box(region.morphology)
    spacing = wanted_spacing(volume.grid, params) if params else volume.grid.spacing_mm
    if params is None or spacing == volume.grid.spacing_mm:
        return crop(volume, region, low, high)
    _require_room(volume.grid, low, high, spacing)
    target = resampled_grid(volume.grid, spacing)
    at = [_old_index(volume.grid, target, axis) for axis in range(3)]
    kept = [_covering(at[axis], low[axis], high[axis]) for axis in range(3)]
    at = [positions[a:b] for positions, (a, b) in zip(at, kept, strict=True)]
    share = _interpolate(region.morphology, at, params.mask)
    mask = np.round(share, 9) >= params.mask_threshold
    if not mask.any():
        raise EmptyRegion(
            f"region {region.name or region.label}: none of its {int(region.morphology.sum())} voxels is left on a "
            f"grid of {' x '.join(f'{s:g}' for s in spacing[::-1])} mm; use smaller voxels"
        )
    array = _without_noise(_interpolate(volume.array, at, params.image))
    if params.round:
        array = np.rint(array)
    (z0, z1), (y0, y1), (x0, x1) = kept
    grid = target.crop((z0, y0, x0), (z1, y1, x1))
    new_region = Region(mask, mask, grid, region.name, region.label)
    return crop(Volume(array, grid, volume.unit), new_region, *_bounding_box(mask))


def _require_room(grid: Grid, low: Index, high: Index, spacing_mm: tuple[float, float, float]) -> None:
    """TooLarge where the box low..high-1 would hold too many voxels of the new spacing."""
    counts = [
        math.ceil((b - a + 1) * old / new)
        for a, b, old, new in zip(low, high, grid.spacing_mm, spacing_mm, strict=True)
    ]
    if math.prod(counts) > MAX_VOXELS:
        raise TooLarge(
            f"the region's box would hold some {' x '.join(str(n) for n in counts[::-1])} voxels of "
            f"{' x '.join(f'{s:g}' for s in spacing_mm[::-1])} mm, at most {MAX_VOXELS} in all; use larger voxels"
        )


def crop(volume: Volume, region: Region, low: Index, high: Index) -> tuple[Volume, Region]:
    """Image and region inside a box, from index `low` up to, not including, `high`."""
    part = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    grid = volume.grid.crop(low, high)
    return (
        Volume(volume.array[part], grid, volume.unit),
        Region(region.morphology[part], region.intensity[part], grid, region.name, region.label),
    )


def _bounding_box(mask: np.ndarray) -> tuple[Index, Index]:
    """Index of the first voxel of a mask along each axis, and that behind the last one."""
    low, high = [], []
    for axis in range(3):
        inside = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        if not len(inside):
            raise EmptyRegion("the mask has no voxel")
        low.append(int(inside[0]))
        high.append(int(inside[-1]) + 1)
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def _old_index(old: Grid, new: Grid, axis: int) -> np.ndarray:
    """Where the new grid's points lie along an axis, in voxels of the old grid."""
    step = new.spacing_mm[axis] / old.spacing_mm[axis]
    return (old.shape[axis] - 1) / 2 + (np.arange(new.shape[axis]) - (new.shape[axis] - 1) / 2) * step


def _covering(positions: np.ndarray, low: int, high: int) -> tuple[int, int]:
    """Range of points less than one old voxel away from the voxels low..high-1."""
    inside = np.flatnonzero((positions > low - 1) & (positions < high))
    if not len(inside):
        nearest = int(np.argmin(np.abs(positions - (low + high - 1) / 2)))
        return nearest, nearest + 1
    return int(inside[0]), int(inside[-1]) + 1


def _interpolate(array: np.ndarray, at: list[np.ndarray], method: Interpolation) -> np.ndarray:
    """Values of `array` at the points of a new grid, given by index along each axis; float64."""
    reach = SPLINE_REACH if method == "cubic" else 0
    part, places = [], []
    for n, positions in zip(array.shape, at, strict=True):
        inside = np.clip(positions, 0, n - 1)
        low, high = max(0, int(inside.min()) - reach), min(n, int(inside.max()) + 2 + reach)
        part.append(slice(low, high))
        places.append(inside - low)
    values = array[tuple(part)].astype(np.float64)
    for axis, positions in enumerate(places):
        if not np.array_equal(positions, np.arange(values.shape[axis])):
            values = _ALONG_AXIS[method](values, positions, axis)
    return values


def _without_noise(array: np.ndarray) -> np.ndarray:
    """Intensities to 12 digits of the largest: a flat region stays flat, and no half or bin edge hangs on rounding."""
    largest = float(np.abs(array).max(initial=0.0))
    return np.round(array, 12 - math.ceil(math.log10(largest))) if 1e-250 < largest < 1e250 else array


def _nearest(array: np.ndarray, at: np.ndarray, axis: int) -> np.ndarray:
    return array.take(np.floor(at + 0.5).astype(np.intp), axis)


def _linear(array: np.ndarray, at: np.ndarray, axis: int) -> np.ndarray:
    first = np.minimum(np.floor(at).astype(np.intp), max(array.shape[axis] - 2, 0))
    second = np.minimum(first + 1, array.shape[axis] - 1)
    weight = _along(at - first, axis)
    return array.take(first, axis) * (1 - weight) + array.take(second, axis) * weight


def _cubic(array: np.ndarray, at: np.ndarray, axis: int) -> np.ndarray:
    n = array.shape[axis]
    if n == 1:
        return array.take(np.zeros(len(at), np.intp), axis)
    weights = ndimage.spline_filter1d(array, 3, axis, mode="mirror")
    first = np.floor(at).astype(np.intp)
    t = at - first
    basis = ((1 - t) ** 3 / 6, (4 - 6 * t**2 + 3 * t**3) / 6, (1 + 3 * t + 3 * t**2 - 3 * t**3) / 6, t**3 / 6)
    total = np.zeros([*array.shape[:axis], len(at), *array.shape[axis + 1 :]])
    for offset, share in enumerate(basis):
        total += weights.take(_mirrored(first - 1 + offset, n), axis) * _along(share, axis)
    return total


def _mirrored(index: np.ndarray, n: int) -> np.ndarray:
    """Indices reflected at the centres of the first and last voxel."""
    index = np.abs(index)
    return np.where(index > n - 1, 2 * (n - 1) - index, index)


def _along(values: np.ndarray, axis: int) -> np.ndarray:
    return values.reshape([-1 if a == axis else 1 for a in range(3)])


_ALONG_AXIS = {"nearest": _nearest, "linear": _linear, "cubic": _cubic}
