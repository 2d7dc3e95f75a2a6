"""A mask on the grid of another image of the same patient, such as an outline drawn in CT on PET, or back.

Both grids may be oblique. By volume (`overlap`) a voxel's share is the part of it that the source's voxels cover:
exact where the axes of both grids are parallel, otherwise the mean over 5 x 5 x 5 points (3 x 3 x 3 where its voxels
are the smaller ones). `linear` interpolates the
mask at the voxel's centre, `nearest` takes the source's voxel there. Only the box of the mask is computed.

Outlines do not keep their volume on coarse voxels; what becomes of it is recorded, and noted beyond 10 %.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from radiomics_pipeline.errors import EmptyRegion
from radiomics_pipeline.imaging.boxes import bounding_box
from radiomics_pipeline.params.transfer import MaskFrom
from radiomics_pipeline.types import Grid

POINTS, FEWER = 5, 3
"""Sampling points along each edge of a voxel, where its covered share is not computed exactly: of a large voxel, and of
one that is smaller than those of the mask."""

NOTED = 0.1
"""Relative change of volume that is worth a note."""

BLOCK = 2**21
"""Points that are interpolated together."""

PARALLEL = 1e-4
"""Largest deviation of two grids' axes, as cosine, that still counts as parallel."""

DIGITS = 9
"""Decimals of a share, below which rounding decides about the threshold."""

_EDGE = 1e-6
"""How far a centre may lie beyond the middle between two voxels, in voxels, and still be the lower one's."""


@dataclass(frozen=True)
class TransferFacts:
    """What became of a mask.

    volume_before_ml, volume_after_ml : on the grid it was drawn on, and on the other one
    outside_ml : of the part that lies outside the other image
    method : as in the parameters
    notes : where that is worth a warning
    """

    volume_before_ml: float
    volume_after_ml: float
    outside_ml: float
    method: str
    notes: tuple[str, ...] = ()


def transfer(mask: np.ndarray, source: Grid, target: Grid, params: MaskFrom) -> tuple[np.ndarray, TransferFacts]:
    """A mask on another grid in the same patient coordinates, and what became of its volume.

    mask : bool [z, y, x] on `source`
    returns : bool [z, y, x] on `target`
    Raises EmptyRegion for a mask without a voxel, and where none is left.
    """
    low, high = bounding_box(mask)
    part = np.ascontiguousarray(mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))])
    grid = source.crop(low, high)
    whole = np.zeros(target.shape, bool)
    first, last = _target_box(grid, target)
    if all(b > a for a, b in zip(first, last, strict=True)):
        box = target.crop(first, last)
        share = SHARES[params.method](part, grid, box)
        least = 0.5 if params.method == "nearest" else params.threshold
        whole[tuple(slice(a, b) for a, b in zip(first, last, strict=True))] = np.round(share, DIGITS) >= least
    before = int(part.sum()) * source.voxel_volume_mm3 / 1000
    after = int(whole.sum()) * target.voxel_volume_mm3 / 1000
    outside = _outside(part, grid, target) * source.voxel_volume_mm3 / 1000
    if not after:
        where = "it lies outside the other image" if outside > 0.999 * before else (
            f"no voxel of {_edges(target)} mm is covered enough ({params.method}, threshold {params.threshold:g})"
        )  # fmt: skip
        raise EmptyRegion(f"the mask of series {params.series}, {before:.4g} ml, is empty on this one's grid: {where}")
    return whole, TransferFacts(before, after, outside, params.method, _notes(before, after, outside, params.series))


def place(mask: np.ndarray, source: Grid, target: Grid, tolerance: float = 1e-3) -> np.ndarray | None:
    """A mask on a larger or smaller part of the same grid, voxel for voxel; None where the voxels are others.

    mask : bool or labels [z, y, x] on `source`; what `target` does not hold of it must be empty, else None, too
    tolerance : how far voxels may lie apart, in voxels
    """
    start = _index_of(np.array(source.origin_mm), target)[::-1]
    whole = np.rint(start).astype(int)
    moved = target.crop(tuple(whole), tuple(whole + np.array(source.shape)))
    if any(abs(a / b - 1) > tolerance for a, b in zip(source.spacing_mm, target.spacing_mm, strict=True)):
        return None
    if moved.distance_in_voxels(source) > tolerance:
        return None
    low = np.maximum(0, -whole)
    high = np.minimum(source.shape, np.array(target.shape) - whole)
    kept = tuple(slice(int(a), int(b)) for a, b in zip(low, np.maximum(low, high), strict=True))
    if np.count_nonzero(mask[kept]) < np.count_nonzero(mask):
        return None
    found = np.zeros(target.shape, mask.dtype)
    found[tuple(slice(int(w + s.start), int(w + s.stop)) for w, s in zip(whole, kept, strict=True))] = mask[kept]
    return found


def _overlap(mask: np.ndarray, source: Grid, target: Grid) -> np.ndarray:
    """Share of each target voxel's volume that the mask covers, float64 [z, y, x]."""
    turn = np.array(source.direction).reshape(3, 3).T @ np.array(target.direction).reshape(3, 3)
    along = np.abs(turn).argmax(axis=0)
    ideal = np.zeros((3, 3))
    ideal[along, range(3)] = np.sign(turn[along, range(3)])
    if len(set(along.tolist())) < 3 or np.abs(turn - ideal).max() > PARALLEL:
        return _sampled(mask, source, target)
    start = _index_of(np.array(target.origin_mm), source)
    share = mask.astype(np.float64)
    for axis in range(3):  # x, y, z of the target
        old = int(along[axis])
        step = target.spacing_mm[2 - axis] / source.spacing_mm[2 - old]
        centres = start[old] + np.arange(target.shape[2 - axis]) * step * ideal[old, axis]
        share = np.moveaxis(_covered(np.moveaxis(share, 2 - old, -1), centres, step), -1, 2 - old)
    order = [2 - int(along[2 - axis]) for axis in range(3)]
    return np.transpose(share, order)


def _covered(values: np.ndarray, centres: np.ndarray, width: float) -> np.ndarray:
    """Mean of values along the last axis over intervals of a width around centres, both in voxels; 0 outside."""
    n = values.shape[-1]
    total = np.concatenate([np.zeros((*values.shape[:-1], 1)), np.cumsum(values, axis=-1)], axis=-1)

    def up_to(edge: np.ndarray) -> np.ndarray:
        inside = np.clip(edge + 0.5, 0, n)
        below = np.minimum(inside.astype(int), n - 1)
        part = inside - below
        return total[..., below] * (1 - part) + total[..., below + 1] * part

    return (up_to(centres + width / 2) - up_to(centres - width / 2)) / width


def _sampled(mask: np.ndarray, source: Grid, target: Grid) -> np.ndarray:
    """Share of the points in each target voxel that lie in voxels of the mask."""
    n = POINTS if max(target.spacing_mm) > min(source.spacing_mm) else FEWER
    away = (np.arange(n) + 0.5) / n - 0.5
    share = np.zeros(target.shape)
    for dz in away:
        for dy in away:
            for dx in away:
                share += _at_centres(mask, source, target, 0, (dz, dy, dx))
    return share / n**3


def _linear(mask: np.ndarray, source: Grid, target: Grid) -> np.ndarray:
    return _at_centres(mask, source, target, 1, (0.0, 0.0, 0.0))


def _nearest(mask: np.ndarray, source: Grid, target: Grid) -> np.ndarray:
    return _at_centres(mask, source, target, 0, (0.0, 0.0, 0.0))


SHARES = {"overlap": _overlap, "linear": _linear, "nearest": _nearest}
"""How much of each target voxel belongs, by method: (mask, its grid, target) -> float64 [z, y, x]."""


def _at_centres(
    mask: np.ndarray, source: Grid, target: Grid, order: int, away: tuple[float, float, float]
) -> np.ndarray:
    """The mask at the centres of a grid's voxels, or `away` from them in voxels (z, y, x); 0 outside."""
    padded = np.pad(mask, 1).astype(np.float32 if order else np.uint8)
    found = np.zeros(target.shape)
    nz, ny, nx = target.shape
    matrix, start = _from_index(target, source)
    step = max(1, BLOCK // (ny * nx))
    for first in range(0, nz, step):
        z, y, x = np.meshgrid(
            np.arange(first, min(first + step, nz)) + away[0],
            np.arange(ny) + away[1],
            np.arange(nx) + away[2],
            indexing="ij",
        )
        at = np.tensordot(matrix, np.stack([z, y, x]), axes=1) + start[:, None, None, None] + 1
        if order:
            found[first : first + step] = map_coordinates(padded, at, np.float64, order=1, mode="constant", cval=0.0)
            continue
        nearest = np.ceil(at - 0.5 - _EDGE).astype(np.int64)
        inside = np.all((nearest >= 0) & (nearest < np.array(padded.shape)[:, None, None, None]), axis=0)
        picked = tuple(np.where(inside, axis, 0) for axis in nearest)
        found[first : first + step] = padded[picked] * inside
    return found


def _from_index(one: Grid, other: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Matrix [3, 3] and start [3] that turn an index (z, y, x) of one grid into one of another."""
    steps = np.array(one.direction).reshape(3, 3) * np.array(one.spacing_mm[::-1])
    axes = np.linalg.inv(np.array(other.direction).reshape(3, 3)) / np.array(other.spacing_mm[::-1])[:, None]
    matrix = (axes @ steps)[::-1, ::-1]
    return matrix, _index_of(np.array(one.origin_mm), other)[::-1]


def _index_of(point_mm: np.ndarray, grid: Grid) -> np.ndarray:
    """Index (x, y, z) of a point in patient coordinates."""
    axes = np.array(grid.direction).reshape(3, 3)
    return np.asarray(np.linalg.solve(axes, point_mm - np.array(grid.origin_mm)) / np.array(grid.spacing_mm[::-1]))


def _target_box(source: Grid, target: Grid) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """The part of the target whose voxels may touch the source's, as first index (z, y, x) and that behind the last."""
    matrix, start = _from_index(source, target)
    ends = [(-1.0, n + 0.0) for n in source.shape]  # the padding of linear interpolation reaches one voxel further
    corners = np.array([matrix @ (z, y, x) + start for z in ends[0] for y in ends[1] for x in ends[2]])
    low = np.clip(np.floor(corners.min(axis=0) - 0.5), 0, target.shape).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0) + 0.5) + 1, 0, target.shape).astype(int)
    return tuple(low.tolist()), tuple(high.tolist())


def _outside(mask: np.ndarray, source: Grid, target: Grid) -> int:
    """How many voxels of the mask have their centre outside the other image."""
    matrix, start = _from_index(source, target)
    at = np.argwhere(mask) @ matrix.T + start
    inside = np.all((at >= -0.5 - _EDGE) & (at <= np.array(target.shape) - 0.5 + _EDGE), axis=1)
    return int((~inside).sum())


def _notes(before: float, after: float, outside: float, series: str) -> tuple[str, ...]:
    notes = []
    if outside:
        notes.append(f"{outside:.4g} of {before:.4g} ml of the mask of {series} lie outside this image")
    change = after / before - 1
    if abs(change) > NOTED:
        notes.append(
            f"the mask of {series} has {before:.4g} ml on its own grid and {after:.4g} ml on this one ({change:+.1%})"
        )
    return tuple(notes)


def _edges(grid: Grid) -> str:
    return " x ".join(f"{s:g}" for s in grid.spacing_mm[::-1])
