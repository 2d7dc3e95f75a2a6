"""Where the left ventricle lies: a cylinder with half an ellipsoid as apical cap, laid through the middle of the wall.

The form is the usual one of myocardial perfusion (Garcia 1990, J Nucl Med 31:1768; Slomka 2012, PMC3412547).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.optimize import least_squares

from radiomics_pipeline.errors import BadMask
from radiomics_pipeline.params.polar_map import Axis, Given, ShortAxis, Turned
from radiomics_pipeline.types import Grid, Region

HEAD = (0.0, 0.0, 1.0)
"""Towards the head in DICOM's patient coordinates."""
FEWEST_VOXELS = 60
"""With fewer voxels a wall has no form that could be fitted."""
FOR_A_START = 400
"""Voxels by which the long axis is chosen, before all are fitted to."""
FIRST_STEPS, MOST_STEPS = 12, 60
"""Of such a fit, and of the one to all voxels; a wall takes ten, and what is none takes for ever."""
FURTHEST = 0.4
"""How far the middle of the wall may lie from the fitted form, as a share of its radius (root mean square)."""


@dataclass(frozen=True)
class LeftVentricle:
    """The middle of the wall: a cylinder from the base to `centre_mm`, half an ellipsoid from there to the apex.

    centre_mm : patient coordinates (x, y, z), LPS
    base, anterior, lateral : unit vectors in patient coordinates, perpendicular to each other; `base` points from the
        apex to the base
    radius_mm : of the cylinder; cap_mm : from the centre to the tip; cylinder_mm : from the centre to the base
    cavity_mm : from the centre to the apical end of the cavity
    """

    centre_mm: np.ndarray
    base: np.ndarray
    anterior: np.ndarray
    lateral: np.ndarray
    radius_mm: float
    cap_mm: float
    cylinder_mm: float
    cavity_mm: float

    def direction(self, height: np.ndarray, radius: np.ndarray, angle: np.ndarray) -> np.ndarray:
        """Ways [..., 3] in patient coordinates, from their parts along and across the long axis."""
        across = np.cos(angle)[..., None] * self.lateral + np.sin(angle)[..., None] * self.anterior
        return height[..., None] * self.base + radius[..., None] * across

    def points_mm(self, height: np.ndarray, radius: np.ndarray, angle: np.ndarray) -> np.ndarray:
        """Patient coordinates [..., 3] from heights over the centre, distances from the long axis and angles."""
        return self.centre_mm + self.direction(height, radius, angle)


def left_ventricle(region: Region, axis: Axis) -> LeftVentricle:
    """The ventricle whose wall a region is; BadMask where the region is no such wall.

    region : the wall without its cavity, open at the base, closed at the apex; not looked at where `axis` gives all
    """
    if isinstance(axis, Given):
        return _given(axis, region.grid)
    points = positions_mm(region)
    if len(points) < FEWEST_VOXELS:
        raise BadMask(
            f"the mask has {len(points)} voxels; the wall of a left ventricle has {FEWEST_VOXELS} at least: is it the "
            "wall, and are the voxels small enough?"
        )
    if isinstance(axis, ShortAxis):
        base, anterior, lateral = (_array_axis(region.grid, name) for name in (axis.base, axis.anterior, axis.lateral))
        fit = _fitted(_upright(_placed(points, base, anterior, lateral), points), points, tilting=False)
    else:
        fit = _by_symmetry(region, points)
        base, anterior, lateral = _frame(fit.form.base, axis, region.grid)
    if fit.distance > FURTHEST:
        raise BadMask("the mask is no wall of a left ventricle: a cup of even thickness, open at the base")
    return _with_ends(replace(fit.form, base=base, anterior=anterior, lateral=lateral), region, points)


def _placed(points: np.ndarray, base: np.ndarray, anterior: np.ndarray, lateral: np.ndarray) -> LeftVentricle:
    """A ventricle of these directions in the middle of the points, without a size yet."""
    return LeftVentricle(points.mean(axis=0), base, anterior, lateral, 1.0, 1.0, 1.0, 1.0)


def _by_symmetry(region: Region, points: np.ndarray) -> _Fit:
    """The best fit of those that begin at a principal axis; its walls are not named yet.

    All three are tried: which of them is the long one hangs on how long, and how obliquely cut, the ventricle is.
    """
    some = points[:: max(1, len(points) // FOR_A_START)]
    fits = []
    _, axes = np.linalg.eigh(np.cov(points.T))
    for turn in range(3):
        across, further, base = (axes[:, (turn + i) % 3] for i in range(3))
        start = _upright(_placed(points, base, across, further), points)
        hits = _along_the_axis(region, start)
        if len(hits) and np.mean(hits) > (start.cylinder_mm - start.cap_mm) / 2:  # it closes at the other end
            start = _upright(_placed(points, -base, across, further), points)
        fits.append(_fitted(start, some, tilting=True, steps=FIRST_STEPS))
    return _fitted(min(fits, key=lambda fit: fit.distance).form, points, tilting=True)


def _given(axis: Given, grid: Grid) -> LeftVentricle:
    centre, apex = np.array(axis.centre_mm), np.array(axis.apex_mm)
    cap = float(np.linalg.norm(centre - apex))
    base, anterior, lateral = _frame((centre - apex) / cap, axis, grid)
    cavity = max(cap - axis.wall_mm / 2, 0.0)
    return LeftVentricle(centre, base, anterior, lateral, axis.radius_mm, cap, axis.cylinder_mm, cavity)


def _array_axis(grid: Grid, name: str) -> np.ndarray:
    """Unit vector in patient coordinates along an axis of the array, such as "-y"."""
    column = np.array(grid.direction).reshape(3, 3)[:, "xyz".index(name[1])]
    return column if name[0] == "+" else -column


def _frame(base: np.ndarray, turned: Turned, grid: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit vectors to base, anterior and lateral wall, perpendicular to each other.

    Seen from the apex with the anterior wall up, the lateral wall is at the right: base x anterior, right-handed.
    """
    up = np.array(HEAD) if turned.anterior == "head" else _array_axis(grid, turned.anterior)
    across = up - (up @ base) * base
    length = float(np.linalg.norm(across))
    if length < 0.1:
        raise BadMask(
            f"the long axis points along {turned.anterior}, which says nothing of where the anterior wall lies; name "
            "another axis as anterior"
        )
    anterior = across / length
    lateral = np.cross(base, anterior)
    if turned.lateral is not None:
        side = float(lateral @ _array_axis(grid, turned.lateral))
        if abs(side) < 0.1:
            raise BadMask(f"the array's axis {turned.lateral} is nearly perpendicular to the lateral direction")
        lateral = lateral if side > 0 else -lateral
    return base, anterior, lateral


def positions_mm(region: Region) -> np.ndarray:
    """Patient coordinates of the region's voxels; float64 [n, 3]."""
    grid = region.grid
    steps = np.argwhere(region.morphology)[:, ::-1] * np.array(grid.spacing_mm[::-1])
    return steps @ np.array(grid.direction).reshape(3, 3).T + np.array(grid.origin_mm)


def in_frame(lv: LeftVentricle, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Heights, lateral and anterior distances of points from the centre."""
    away = points - lv.centre_mm
    return away @ lv.base, away @ lv.lateral, away @ lv.anterior


def _upright(lv: LeftVentricle, points: np.ndarray) -> LeftVentricle:
    """A first guess: the circle through the upper half of the wall, its cap the lower third."""
    height, lateral, anterior = in_frame(lv, points)
    middle = (height.min() + height.max()) / 2
    upper = height >= middle
    system = np.column_stack([lateral[upper], anterior[upper], np.ones(np.count_nonzero(upper))])
    solved = np.linalg.lstsq(system, lateral[upper] ** 2 + anterior[upper] ** 2, rcond=None)[0]
    x, y = solved[:2] / 2
    radius = math.sqrt(max(float(solved[2]) + x * x + y * y, 1e-6))
    cap = (float(height.max()) - float(height.min())) * 0.45
    centre = lv.centre_mm + x * lv.lateral + y * lv.anterior + (float(height.min()) + cap) * lv.base
    top = float(height.max()) - float(height.min()) - cap
    return replace(lv, centre_mm=centre, radius_mm=radius, cap_mm=cap, cylinder_mm=top, cavity_mm=cap)


class _Fit(NamedTuple):
    """A form, and the root mean square distance of the wall's voxels from it, as a share of its radius."""

    form: LeftVentricle
    distance: float


def _fitted(start: LeftVentricle, points: np.ndarray, *, tilting: bool, steps: int = MOST_STEPS) -> _Fit:
    """The form with the smallest squared distances of the wall's voxels from its surface."""
    away = points - start.centre_mm
    frame = np.array([start.base, start.lateral, start.anterior])
    local = away @ frame.T
    scale = start.radius_mm

    def residual(p: np.ndarray) -> np.ndarray:
        turned = local @ _tilt(p[5], p[6]).T if tilting else local
        height = turned[:, 0] - p[2] * scale
        radius = np.hypot(turned[:, 1] - p[0] * scale, turned[:, 2] - p[1] * scale)
        return _distance(height, radius, p[3] * scale, p[4] * scale) / scale

    n = 7 if tilting else 5
    first = np.zeros(n)
    first[3], first[4] = 1.0, start.cap_mm / scale
    low, high = np.full(n, -2.0), np.full(n, 2.0)
    low[3:5], high[3:5] = 0.2, (5.0, 8.0)
    found = least_squares(
        residual, np.clip(first, low + 1e-6, high - 1e-6), bounds=(low, high), x_scale=0.1, max_nfev=steps
    )
    p = found.x
    turn = _tilt(p[5], p[6]) if tilting else np.eye(3)
    base, lateral, anterior = turn @ frame
    centre = start.centre_mm + scale * (p[2] * base + p[0] * lateral + p[1] * anterior)
    form = replace(
        start,
        centre_mm=centre,
        base=base,
        anterior=anterior,
        lateral=lateral,
        radius_mm=float(p[3] * scale),
        cap_mm=float(p[4] * scale),
    )
    return _Fit(form, math.sqrt(float(np.mean(found.fun**2))) / float(p[3]))


def _tilt(first: float, second: float) -> np.ndarray:
    """Rotation that moves the long axis (row 0) by two small angles; 3 x 3."""
    c, s, d, t = math.cos(first), math.sin(first), math.cos(second), math.sin(second)
    return np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) @ np.array([[d, 0, t], [0, 1, 0], [-t, 0, d]])


def _distance(height: np.ndarray, radius: np.ndarray, cylinder: float, cap: float) -> np.ndarray:
    """Distance of points from the surface, of the cap to first order (along the ray from the centre)."""
    below = np.minimum(height, 0) / cap
    stretched = np.hypot(radius / cylinder, below)
    length = np.hypot(radius, np.minimum(height, 0))
    return np.where(height >= 0, radius - cylinder, length * (1 - 1 / np.maximum(stretched, 1e-6)))


def _along_the_axis(region: Region, lv: LeftVentricle) -> np.ndarray:
    """Heights at which the long axis, and eight lines beside it, lie in the wall; float64 [hits]."""
    reach = 2 * (lv.cylinder_mm + lv.cap_mm)
    heights = np.arange(-reach, reach, 0.5)
    angles = np.linspace(0, 2 * math.pi, 8, endpoint=False)
    radii = np.array([0.0, *[lv.radius_mm / 8] * 8])
    at, around = np.meshgrid(heights, np.arange(9), indexing="ij")
    points = lv.points_mm(at, radii[around], np.array([0.0, *angles])[around])
    return at[sample_mask(region, voxel_positions(region.grid, points)) >= 0.5]


def _with_ends(lv: LeftVentricle, region: Region, points: np.ndarray) -> LeftVentricle:
    """The ventricle with its base, and with the end of the cavity at the apex, where the mask has them."""
    hits = _along_the_axis(region, lv)
    if np.count_nonzero((hits > 0) & (hits < lv.radius_mm)) > 9 * lv.radius_mm:  # of 18 a mm
        raise BadMask("the mask is filled: it must be the wall without its cavity")
    if not np.any(hits < 0):
        raise BadMask("the wall is open at the apex; the mask must close there")
    cavity = -float(hits[hits < 0].max())
    height, lateral, anterior = in_frame(lv, points)
    sector = (np.arctan2(anterior, lateral) / (2 * math.pi) * 36).astype(int) % 36
    tops = np.full(36, -np.inf)
    np.maximum.at(tops, sector, height)
    top = float(np.median(tops[np.isfinite(tops)]))  # centres of the last voxels: what lies beyond is half empty
    if top <= 0:
        raise BadMask("the wall ends at the apical cap: the mask has no part that is a ring around the cavity")
    return replace(lv, cylinder_mm=top, cavity_mm=cavity)


def sample_mask(region: Region, at: np.ndarray) -> np.ndarray:
    """The outline at array indices [3, ...] (z, y, x), trilinear, 0 outside the image; float32 [...]."""
    return map_coordinates(region.morphology.astype(np.float32), at, order=1, mode="grid-constant", cval=0.0)


def voxel_positions(grid: Grid, points_mm: np.ndarray) -> np.ndarray:
    """Array indices (z, y, x) of points in patient coordinates [..., 3]; float64 [3, ...]."""
    return voxel_steps(grid, points_mm - np.array(grid.origin_mm))


def voxel_steps(grid: Grid, ways_mm: np.ndarray) -> np.ndarray:
    """Ways in patient coordinates [..., 3] as steps along the array's axes (z, y, x); float64 [3, ...]."""
    axes = np.array(grid.direction).reshape(3, 3)
    return np.moveaxis((ways_mm @ axes / np.array(grid.spacing_mm[::-1]))[..., ::-1], -1, 0)
