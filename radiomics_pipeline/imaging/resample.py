"""Image and mask on another grid (IBSI 1, section 2.4).

The new grid keeps centre and orientation of the old one and has ceil(n * old spacing / new spacing) points
along each axis. Points outside the old grid take the nearest edge intensity. Only the part of the new grid
that holds the region is computed; each axis is interpolated in turn, which gives the same numbers as
interpolating in space.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from radiomics_pipeline.errors import EmptyRegion, TooLarge
from radiomics_pipeline.imaging.boxes import Index, bounding_box
from radiomics_pipeline.kernels.interpolation import interpolate_linearly, interpolate_splines
from radiomics_pipeline.params.extraction import Interpolation, Resample
from radiomics_pipeline.types import Grid, Region, Volume
from radiomics_pipeline.types.arrays import read_only

Range = tuple[int, int]

MAX_VOXELS = 2**28
"""Of a region's box on the new grid; more is a mistake in voxel_mm, not a study."""

LARGEST_MM = 1e6
"""Edge of a voxel; more is a mistake in voxel_mm, and its powers leave the range of numbers."""

SLAB_VOXELS = 2**23
"""Of a whole image that are interpolated together, so that its figures need little memory."""

SPLINE_REACH = 32
"""Voxels after which a cubic spline's coefficients no longer feel an intensity: 0.268**32 < 1e-18."""


class Resampled(NamedTuple):
    """Image and region on the grid of the features, cropped to the box of the region's voxels.

    around : the image as far around that box as was asked for, on the same grid; None where nothing was
    offset : index (z, y, x) in `around` at which the box begins
    """

    volume: Volume
    region: Region
    around: Volume | None = None
    offset: Index = (0, 0, 0)


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


def resample(volume: Volume, region: Region, params: Resample | None, margin_mm: float = 0.0) -> Resampled:
    """Image and region on the grid asked for, cropped to the box of the region's voxels.

    margin_mm : how far around that box the image is wanted, too, as far as it goes; may be infinite. What lies in
        the box is the same whatever the margin.

    Raises EmptyRegion where the mask has no voxel, or keeps none on the new grid; TooLarge for too many voxels.
    """
    low, high = bounding_box(region.morphology)
    spacing = wanted_spacing(volume.grid, params) if params else volume.grid.spacing_mm
    if params is None or spacing == volume.grid.spacing_mm:
        return _cropped(volume, region, low, high, margin_mm)
    if max(spacing) > LARGEST_MM:
        raise TooLarge(f"voxels of {_edges(spacing)} mm, at most {LARGEST_MM:g} mm each; use smaller voxels")
    counts = [
        float(np.ceil((b - a + 1) * old / new))
        for a, b, old, new in zip(low, high, volume.grid.spacing_mm, spacing, strict=True)
    ]
    _require_room(counts, spacing)
    target = resampled_grid(volume.grid, spacing)
    at = [_old_index(volume.grid, target, axis) for axis in range(3)]
    kept = [_covering(at[axis], low[axis], high[axis]) for axis in range(3)]
    inner = [positions[a:b] for positions, (a, b) in zip(at, kept, strict=True)]
    share = _interpolate(region.morphology, inner, params.mask)
    mask = np.round(share, 9, out=share) >= params.mask_threshold
    if not mask.any():
        raise EmptyRegion(
            f"region {region.name or region.label}: none of its {int(region.morphology.sum())} voxels is left on a "
            f"grid of {_edges(spacing)} mm; use smaller voxels"
        )
    start: Index = (kept[0][0], kept[1][0], kept[2][0])
    low, high = (_sum(start, corner) for corner in bounding_box(mask))
    wide = _widened(low, high, target, margin_mm)
    reach = [(min(a, c), max(b, d)) for (a, b), c, d in zip(kept, *wide, strict=True)]
    _require_room([b - a for a, b in reach], spacing)
    array = _round(*_interpolate_around(volume.array, at, reach, kept, mask, method=params.image))
    array = np.rint(array, out=array) if params.round else array
    begin = [a for a, _ in reach]
    part, grid = _box(low, high, start), target.crop(low, high)
    inside = Volume(array[_box(low, high, begin)], grid, volume.unit)
    roi = Region(mask[part], mask[part], grid, region.name, region.label)
    if not margin_mm:
        return Resampled(inside, roi)
    around = Volume(array[_box(*wide, begin)], target.crop(*wide), volume.unit)
    return Resampled(inside, roi, around, _difference(low, wide[0]))


def _cropped(volume: Volume, region: Region, low: Index, high: Index, margin_mm: float) -> Resampled:
    inside = crop(volume, region, low, high)
    if not margin_mm:
        return Resampled(*inside)
    begin, end = _widened(low, high, volume.grid, margin_mm)
    around = Volume(volume.array[_box(begin, end)], volume.grid.crop(begin, end), volume.unit)
    return Resampled(*inside, around, _difference(low, begin))


def crop(volume: Volume, region: Region, low: Index, high: Index) -> tuple[Volume, Region]:
    """Image and region inside a box, from index `low` up to, not including, `high`."""
    part = _box(low, high)
    grid = volume.grid.crop(low, high)
    return (
        Volume(volume.array[part], grid, volume.unit),
        Region(region.morphology[part], region.intensity[part], grid, region.name, region.label),
    )


class Figures(NamedTuple):
    """Of a whole image: its size (z, y, x) in voxels and in mm a voxel, and its intensities, None where too many."""

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    mean: float | None = None
    lowest: float | None = None
    highest: float | None = None


def whole_image(volume: Volume, params: Resample | None, inside: np.ndarray) -> Figures:
    """Figures of the image on the grid asked for, without those of intensities where it has too many voxels.

    inside : intensities of the region on that grid, which all are rounded with
    """
    spacing = wanted_spacing(volume.grid, params) if params else volume.grid.spacing_mm
    if params is None or spacing == volume.grid.spacing_mm:
        array = volume.array
        return Figures(volume.grid.shape, spacing, float(array.mean()), float(array.min()), float(array.max()))
    target = resampled_grid(volume.grid, spacing)
    if math.prod(target.shape) > MAX_VOXELS:
        return Figures(target.shape, spacing)
    z, y, x = (_old_index(volume.grid, target, axis) for axis in range(3))
    step = max(1, SLAB_VOXELS // (len(y) * len(x)))
    sums, ends = [], []
    for start in range(0, len(z), step):
        slab = _round(_interpolate(volume.array, [z[start : start + step], y, x], params.image), inside)
        slab = np.rint(slab, out=slab) if params.round else slab
        sums.append(float(slab.sum()))
        ends += [float(slab.min()), float(slab.max())]
    return Figures(target.shape, spacing, math.fsum(sums) / math.prod(target.shape), min(ends), max(ends))


def _require_room(counts: Sequence[float], spacing_mm: tuple[float, float, float]) -> None:
    """TooLarge where a box of so many voxels (z, y, x) is too large."""
    if math.prod(counts) > MAX_VOXELS:
        raise TooLarge(
            f"the region's box would hold some {' x '.join(f'{n:.9g}' for n in counts[::-1])} voxels of "
            f"{_edges(spacing_mm)} mm, at most {MAX_VOXELS} in all; use larger voxels"
        )


def _edges(spacing_mm: tuple[float, float, float]) -> str:
    return " x ".join(f"{s:g}" for s in spacing_mm[::-1])


def _widened(low: Index, high: Index, grid: Grid, margin_mm: float) -> tuple[Index, Index]:
    """A box with the grid's points that lie up to margin_mm around it along each axis."""
    more = [int(min(margin_mm, s * n) // s) for s, n in zip(grid.spacing_mm, grid.shape, strict=True)]
    begin = tuple(max(0, a - m) for a, m in zip(low, more, strict=True))
    end = tuple(min(n, b + m) for b, m, n in zip(high, more, grid.shape, strict=True))
    return begin, end  # type: ignore[return-value]


def _box(low: Sequence[int], high: Sequence[int], start: Sequence[int] = (0, 0, 0)) -> tuple[slice, ...]:
    """Slices of the box low..high-1 in an array that begins at index `start`."""
    return tuple(slice(a - s, b - s) for a, b, s in zip(low, high, start, strict=True))


def _sum(one: Index, other: Index) -> Index:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def _difference(one: Index, other: Index) -> Index:
    return one[0] - other[0], one[1] - other[1], one[2] - other[2]


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


def _interpolate_around(
    array: np.ndarray,
    at: list[np.ndarray],
    reach: list[Range],
    kept: list[Range],
    mask: np.ndarray,
    *,
    method: Interpolation,
) -> tuple[np.ndarray, np.ndarray]:
    """Intensities at the points `reach` of the new grid, and those in a mask of its part `kept`.

    What lies in `kept` is the same to the last bit whatever the reach.
    """
    found = _interpolate(array, [positions[a:b] for positions, (a, b) in zip(at, reach, strict=True)], method)
    inner = found[tuple(slice(a - c, b - c) for (a, b), (c, _) in zip(kept, reach, strict=True))]
    if method == "cubic" and inner.shape != found.shape:  # a spline's last digits hang on where it begins
        inner[...] = _interpolate(array, [positions[a:b] for positions, (a, b) in zip(at, kept, strict=True)], method)
    return found, inner[mask]


def _interpolate(array: np.ndarray, at: list[np.ndarray], method: Interpolation) -> np.ndarray:
    """Values of `array` at the points of a new grid, given by index along each axis; float64."""
    reach = SPLINE_REACH if method == "cubic" else 0
    part, places = [], []
    for n, positions in zip(array.shape, at, strict=True):
        inside = np.clip(positions, 0, n - 1)
        low, high = max(0, int(inside.min()) - reach), min(n, int(inside.max()) + 2 + reach)
        part.append(slice(low, high))
        places.append(inside - low)
    if method == "linear":
        return _linear(array[tuple(part)], places)
    values = array[tuple(part)].astype(np.float64)
    for axis, positions in enumerate(places):
        if not np.array_equal(positions, np.arange(values.shape[axis])):
            values = ALONG_AXIS[method](values, positions, axis)
    return values


def _round(array: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Intensities, in place, to 12 digits of the largest one inside: a flat region stays flat, no half hangs on noise.

    Those that are so large that nothing is left to round stay as they are.
    """
    largest = _largest(inside)
    if not 1e-250 < largest < 1e250:
        return array
    digits = 12 - math.ceil(math.log10(largest))
    if _largest(array) <= 1e3 * largest:
        return np.round(array, digits, out=array)
    some = np.abs(array) <= 1e3 * largest
    array[some] = np.round(array[some], digits)
    return array


def _largest(array: np.ndarray) -> float:
    return max(float(array.max()), -float(array.min()))


def _linear(array: np.ndarray, at: list[np.ndarray]) -> np.ndarray:
    places = np.concatenate(at)
    counts = np.array([len(positions) for positions in at])
    last = np.repeat(np.array(array.shape, np.uint64), counts) - np.uint64(1)
    first = places.astype(np.uint64)
    values = read_only(array, np.float64)
    return interpolate_linearly(values, counts, first, np.minimum(first + np.uint64(1), last), places - first)


def _nearest(array: np.ndarray, at: np.ndarray, axis: int) -> np.ndarray:
    return array.take(np.floor(at + 0.5).astype(np.intp), axis)


def _cubic(array: np.ndarray, at: np.ndarray, axis: int) -> np.ndarray:
    n = array.shape[axis]
    first = np.floor(at).astype(np.int64)
    t = at - first
    basis = ((1 - t) ** 3 / 6, (4 - 6 * t**2 + 3 * t**3) / 6, (1 + 3 * t + 3 * t**2 - 3 * t**3) / 6, t**3 / 6)
    taps = first[:, None] + np.arange(-1, 3)
    period = max(2 * (n - 1), 1)
    taps = np.abs((taps + n - 1) % period - (n - 1))  # reflected at the centres of the first and last voxel
    shares = np.stack(basis, axis=1)
    if axis == 2:  # the kernel is fast where several lines lie side by side
        across = np.ascontiguousarray(array.swapaxes(1, 2))
        return np.ascontiguousarray(interpolate_splines(across, taps, shares).swapaxes(1, 2))
    lines = array.reshape(math.prod(array.shape[:axis]), n, -1)
    return interpolate_splines(lines, taps, shares).reshape(*array.shape[:axis], len(at), *array.shape[axis + 1 :])


ALONG_AXIS = {"nearest": _nearest, "cubic": _cubic}
"""Interpolation of an array at places along one of its axes, those that need no kernel over all three."""
