"""The voxels that the closed contours of a structure enclose.

Pixel-centre rule, slice by slice: a voxel belongs where an odd number of the slice's contours encloses its centre, so
that an inner contour is a hole, a contour inside the hole an island, and a hole joined to its outer contour by a
bridge (keyhole) a hole, too. Against the voxel masks that the IBSI published beside their RTSTRUCTs this agrees voxel
for voxel.

A centre that lies exactly on a contour belongs where the enclosed side is that of the higher index: on a rectangle
those on the sides of low row and low column are in, those on the opposite sides are not. So contours that share an
edge share no voxel and leave none out. Positions are compared to a millionth of a voxel, below which rounding decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.errors import BadContour, EmptyRegion, some
from radiomics_pipeline.types import Grid

TOLERANCE = 0.25
"""How far a contour's plane may lie from the middle of a slice, in slice distances."""

FLAT = 0.1
"""How far the points of one contour, or the contours of one slice, may lie apart across the slice, in slice
distances; at least FLAT_MM."""

FLAT_MM = 0.1
DIGITS = 6
"""Decimals of a position in voxels."""

OUTSIDE = 0.01
"""How far a contour may leave the image before that is worth a note, in voxels."""


@dataclass(frozen=True)
class Enclosed:
    """What contours enclose.

    box : bool [z, y, x], the part of the grid that holds it
    low : index (z, y, x) of the box in the grid
    notes : what a reader of the result should know of the contours
    """

    box: np.ndarray
    low: tuple[int, int, int]
    notes: tuple[str, ...] = ()

    def mask(self, grid: Grid) -> np.ndarray:
        """On the whole grid, bool [z, y, x]."""
        whole = np.zeros(grid.shape, bool)
        whole[tuple(slice(a, a + n) for a, n in zip(self.low, self.box.shape, strict=True))] = self.box
        return whole


@dataclass(frozen=True)
class _Planar:
    """Contours of three points or more in voxels of the grid.

    points : float64 [point, 2], column (x) and row (y)
    starts : int [contour + 1], where each contour's points begin
    slices : int [contour], at which index z each lies
    """

    points: np.ndarray
    starts: np.ndarray
    slices: np.ndarray

    def __len__(self) -> int:
        return len(self.slices)

    def points_of(self, contour: int) -> np.ndarray:
        return self.points[self.starts[contour] : self.starts[contour + 1]]

    def only(self, kept: np.ndarray) -> _Planar:
        """Some of the contours, by index."""
        parts = [self.points_of(int(i)) for i in kept]
        starts = np.concatenate([[0], np.cumsum([len(p) for p in parts])]).astype(np.int64)
        points = np.concatenate(parts) if parts else np.zeros((0, 2))
        return _Planar(points, starts, self.slices[kept])


def enclose(
    contours: Sequence[np.ndarray], grid: Grid, name: str, *, tolerance: float = TOLERANCE, xor: bool = False
) -> Enclosed:
    """The voxels that a structure's contours enclose.

    contours : of each its points, float64 [point, 3], patient coordinates (x, y, z) in mm; closed by themselves
    name : what errors and notes call the structure
    tolerance : how far a contour may lie beside the middle of its slice, in slice distances
    xor : contours are meant to be combined by exclusive or (CLOSEDPLANAR_XOR): one that stands there twice cancels
        itself; otherwise it is taken once

    Raises BadContour for contours that are tilted, between slices or in two planes of one slice, and where none has
    three points; EmptyRegion where none lies in the image, or none encloses the centre of a voxel.
    """
    planar, notes = _in_planes(contours, grid, name, tolerance)
    if not xor:
        planar, more = _once(planar, name)
        notes += more
    planar, more = _in_image(planar, grid, name)
    notes += more + _gaps(planar, name)
    low, high = _box(planar, grid)
    box = _scan(planar, low, high)
    if not box.any():
        raise EmptyRegion(
            f"{name}: its {len(planar)} contours enclose the centre of no voxel; it is smaller than a voxel, or lies "
            "beside the image"
        )
    notes += _overlaps(planar, low, high, name)
    return Enclosed(box, low, tuple(notes))


def _in_planes(contours: Sequence[np.ndarray], grid: Grid, name: str, tolerance: float) -> tuple[_Planar, list[str]]:
    """Each contour at its slice; BadContour where it lies in none."""
    enough = [np.asarray(points, np.float64) for points in contours if len(points) >= 3]
    notes = []
    if len(enough) < len(contours):
        notes.append(f"{name}: {len(contours) - len(enough)} of {len(contours)} contours have fewer than 3 points and "
                     "enclose nothing")  # fmt: skip
    if not enough:
        raise BadContour(f"{name}: none of its {len(contours)} contours has 3 points or more; it encloses no area")
    starts = np.concatenate([[0], np.cumsum([len(points) for points in enough])]).astype(np.int64)
    index = _index(np.concatenate(enough), grid)
    if not np.isfinite(index).all():
        raise BadContour(f"{name}: a contour has a point that is not a finite number; export the structure again")
    slices = _slices_of(index[:, 2], starts, grid.spacing_mm[0], name, tolerance)
    return _Planar(np.round(index[:, :2], DIGITS), starts, slices), notes


def _slices_of(z: np.ndarray, starts: np.ndarray, step: float, name: str, tolerance: float) -> np.ndarray:
    """Index of the slice on which each contour lies, from its points' positions across the slices, in slices."""
    low, high = np.minimum.reduceat(z, starts[:-1]), np.maximum.reduceat(z, starts[:-1])
    flat = max(FLAT, FLAT_MM / step)
    if np.any(high - low > flat):
        worst = int(np.argmax(high - low))
        raise BadContour(
            f"{name}: contour {worst + 1} of {len(low)} is tilted against the image's slices: its points span "
            f"{(high - low)[worst] * step:.3g} mm across them (allowed: {flat * step:.3g} mm); draw it on this image, "
            "or give the mask as SEG or label image"
        )
    middle = (low + high) / 2
    slices = np.floor(middle + 0.5).astype(np.int64)
    off = np.abs(middle - slices)
    if np.any(off > tolerance):
        worst = int(np.argmax(off))
        raise BadContour(
            f"{name}: {int((off > tolerance).sum())} of {len(low)} contours lie between slices, the worst "
            f"{off[worst] * step:.3g} mm beside slice {slices[worst] + 1} (allowed: {tolerance * step:.3g} mm); it was "
            "drawn on another image: use that image's mask (mask_from)"
        )
    _require_one_plane(middle, slices, flat, step, name)
    return slices


def _require_one_plane(middle: np.ndarray, slices: np.ndarray, flat: float, step: float, name: str) -> None:
    """BadContour where the contours of one slice lie in different planes: they must not cancel each other."""
    order = np.lexsort((middle, slices))
    apart = np.diff(middle[order])
    wrong = (np.diff(slices[order]) == 0) & (apart > flat)
    if wrong.any():
        first = int(np.argmax(wrong))
        raise BadContour(
            f"{name}: two contours {apart[first] * step:.3g} mm apart fall on slice {slices[order][first] + 1}; it was "
            "drawn on an image with thinner slices: use that image's mask (mask_from)"
        )


def _index(points_mm: np.ndarray, grid: Grid) -> np.ndarray:
    """Positions in voxels (x, y, z) of points in patient coordinates."""
    axes = np.array(grid.direction).reshape(3, 3)
    spacing = np.array(grid.spacing_mm[::-1])
    away = points_mm - np.array(grid.origin_mm)
    turned = away if np.array_equal(axes, np.eye(3)) else away @ np.linalg.inv(axes).T
    return np.asarray(turned / spacing)


def _once(planar: _Planar, name: str) -> tuple[_Planar, list[str]]:
    """Without contours that repeat another of the same slice point by point."""
    seen: set[tuple[int, bytes]] = set()
    kept = []
    for i in range(len(planar)):
        key = (int(planar.slices[i]), planar.points_of(i).tobytes())
        if key not in seen:
            seen.add(key)
            kept.append(i)
    twice = len(planar) - len(kept)
    if not twice:
        return planar, []
    return planar.only(np.array(kept)), [f"{name}: {twice} contours stand there twice and are taken once"]


def _in_image(planar: _Planar, grid: Grid, name: str) -> tuple[_Planar, list[str]]:
    """The contours on slices of the image; EmptyRegion where there is none."""
    nz, ny, nx = grid.shape
    starts = planar.starts[:-1]
    low, high = np.minimum.reduceat(planar.points, starts), np.maximum.reduceat(planar.points, starts)
    size = np.array([nx, ny])
    there = (planar.slices >= 0) & (planar.slices < nz)
    beside = np.any((high < -0.5) | (low > size - 0.5), axis=1)
    if not np.any(there & ~beside):
        raise EmptyRegion(f"{name}: its {len(planar)} contours lie outside the image; it belongs to another one")
    notes = []
    cut = there & np.any((low < -0.5 - OUTSIDE) | (high > size - 0.5 + OUTSIDE), axis=1)
    if not there.all():
        notes.append(f"{name}: {int((~there).sum())} of {len(planar)} contours lie before the first or behind the last "
                     "slice and are left out")  # fmt: skip
    if cut.any():
        notes.append(f"{name}: {int(cut.sum())} of {len(planar)} contours leave the image in plane and are cut off")
    return (planar if there.all() else planar.only(np.flatnonzero(there))), notes


def _gaps(planar: _Planar, name: str) -> list[str]:
    found = np.unique(planar.slices)
    missing = np.setdiff1d(np.arange(found[0], found[-1] + 1), found)
    if not len(missing):
        return []
    return [
        f"{name}: no contour on {len(missing)} slices between its first and its last "
        f"(slices {some(missing + 1)}); nothing is filled in there"
    ]


def _box(planar: _Planar, grid: Grid) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """First index (z, y, x) and that behind the last of the voxels whose centres the contours may enclose."""
    _, ny, nx = grid.shape
    low = np.clip(np.ceil(planar.points.min(axis=0)), 0, (nx, ny)).astype(int)
    high = np.clip(np.ceil(planar.points.max(axis=0)), 0, (nx, ny)).astype(int)
    high = np.maximum(high, low)
    z = planar.slices
    return (int(z.min()), int(low[1]), int(low[0])), (int(z.max()) + 1, int(high[1]), int(high[0]))


def _scan(planar: _Planar, low: Sequence[int], high: Sequence[int]) -> np.ndarray:
    """Voxels of a box that an odd number of contours encloses, bool [z, y, x].

    Along each row, a voxel's centre is enclosed where an odd number of edges crosses the row at or before it. An edge
    crosses the rows from its lower end on, that end included, the upper one not.
    """
    nz, ny, nx = (b - a for a, b in zip(low, high, strict=True))
    first, second, slices = _edges(planar)
    turned = first[:, 1] > second[:, 1]
    first, second = np.where(turned[:, None], second, first), np.where(turned[:, None], first, second)
    top = np.clip(np.ceil(first[:, 1]), low[1], high[1]).astype(np.int64)
    end = np.clip(np.ceil(second[:, 1]), low[1], high[1]).astype(np.int64)
    rows = end - top
    edge = np.repeat(np.arange(len(rows)), rows)
    y = top[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(rows) - rows, rows)
    share = (y - first[edge, 1]) / (second[edge, 1] - first[edge, 1])
    x = np.round(first[edge, 0] + share * (second[edge, 0] - first[edge, 0]), DIGITS)
    column = np.clip(np.ceil(x), low[2], high[2]).astype(np.int64) - low[2]
    inside = column < nx
    place = (((slices[edge] - low[0]) * ny + y - low[1]) * nx + column)[inside]
    crossed = np.zeros(nz * ny * nx, np.uint8)
    np.add.at(crossed, place, np.uint8(1))
    crossed &= 1
    box = crossed.reshape(nz, ny, nx)
    return np.bitwise_xor.accumulate(box, axis=2, out=box).view(bool)


def _edges(planar: _Planar) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First and second end of every edge, the closing ones too, and the slice of each."""
    following = np.arange(1, len(planar.points) + 1)
    following[planar.starts[1:] - 1] = planar.starts[:-1]
    return planar.points, planar.points[following], np.repeat(planar.slices, np.diff(planar.starts))


def _overlaps(planar: _Planar, low: Sequence[int], high: Sequence[int], name: str) -> list[str]:
    """A note where two contours of a slice overlap and none lies within the other: no hole was meant there."""
    slices, counts = np.unique(planar.slices, return_counts=True)
    lost, where = 0, []
    for z in slices[counts > 1]:
        alone = [
            _scan(planar.only(np.array([i])), (z, *low[1:]), (z + 1, *high[1:]))
            for i in np.flatnonzero(planar.slices == z)
        ]
        shared = np.zeros_like(alone[0])
        for i, one in enumerate(alone):
            for other in alone[:i]:
                both = one & other
                if both.any() and np.array_equal(both, one) == np.array_equal(both, other):
                    shared |= both
        if shared.any():
            lost += int(shared.sum())
            where.append(int(z) + 1)
    if not lost:
        return []
    return [
        f"{name}: contours of one slice overlap, and none lies within the other (slices {some(where)}); the {lost} "
        "voxels that two of them enclose are left out, by exclusive or"
    ]
