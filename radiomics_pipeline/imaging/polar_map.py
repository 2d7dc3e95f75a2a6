"""The polar map: the highest intensity across the left ventricle's wall, place by place.

Rays stand on the form of `left_ventricle`, along its normal. Where a mask is given, the search is centred on the wall's
middle as each ray finds it in the mask, and a ray that meets no wall gives none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from radiomics_pipeline.imaging.left_ventricle import (
    LeftVentricle,
    in_frame,
    left_ventricle,
    positions_mm,
    sample_mask,
    voxel_positions,
    voxel_steps,
)
from radiomics_pipeline.params.polar_map import Given, PolarMap
from radiomics_pipeline.types import Grid, Region, Volume
from radiomics_pipeline.types.polar_map import WallMap

MERIDIAN_STEPS = 2000
"""Points by which the length of the cap's meridian is found."""
REACH_MM = 30.0
"""How far from the form the wall is looked for in the mask; less where the ventricle is smaller."""
SECTORS = ((60, 120, 180, 240, 300, 0), (60, 120, 180, 240, 300, 0), (45, 135, 225, 315))
"""Where the segments of the basal, middle and apical level begin, in degrees: 6, 6 and 4 of equal width."""


@dataclass(frozen=True)
class Meridian:
    """The form's profile at the map's rings, apex first; heights over the centre.

    edges_mm : float64 [rings + 1], lengths along the wall from the tip
    height_mm, radius_mm : float64 [rings], of the rings
    normal : float64 [rings, 2], outward, as (height, radius)
    borders_mm : float64 [3], lengths along the wall at which apex, apical and middle level end
    """

    edges_mm: np.ndarray
    height_mm: np.ndarray
    radius_mm: np.ndarray
    normal: np.ndarray
    borders_mm: np.ndarray


def polar_map(volume: Volume, region: Region, params: PolarMap) -> WallMap:
    """The map of a volume, whose wall is `region` (on a grid of its own, if need be); BadMask as `left_ventricle`."""
    lv = left_ventricle(region, params.axis)
    return sample_wall(volume, None if isinstance(params.axis, Given) else region, lv, params)


def sample_wall(volume: Volume, region: Region | None, lv: LeftVentricle, params: PolarMap) -> WallMap:
    """The map of a ventricle whose place is known.

    region : the wall; None: the search is centred on the form itself, and every place has a wall
    """
    meridian = meridian_of(lv, params.rings)
    angle = (np.arange(params.angles) + 0.5) * (2 * math.pi / params.angles)
    centre = np.zeros((params.rings, params.angles))
    if region is not None:
        reach = min(REACH_MM, 0.8 * lv.radius_mm)
        across = np.arange(-reach, reach + 1e-9, 2 * params.step_mm)
        inside = sample_mask(region, _rays(region.grid, lv, meridian, angle, across[None, None])) >= 0.5
        count = inside.sum(axis=-1)
        centre = np.where(count > 0, inside @ across / np.maximum(count, 1), np.nan)
    inner = min(params.inner_mm, 0.9 * lv.radius_mm)
    offsets = np.linspace(-inner, params.outer_mm, 1 + math.ceil((inner + params.outer_mm) / params.step_mm))
    at = _rays(volume.grid, lv, meridian, angle, np.nan_to_num(centre)[..., None] + offsets)
    values = map_coordinates(volume.array, at, order=1, mode="constant", cval=-np.inf).max(axis=-1)
    values[~np.isfinite(centre) | ~np.isfinite(values)] = np.nan
    length = np.diff(meridian.edges_mm)
    area = length * meridian.radius_mm * (2 * math.pi / params.angles)
    return WallMap(values, area, segment_shares(meridian, params.angles), volume.unit)


def meridian_of(lv: LeftVentricle, rings: int) -> Meridian:
    """The profile of the form, at the middle of equal lengths of it, and where its levels end.

    The apex (segment 17) ends where the cavity does; the way from there to the base is divided into three
    (Cerqueira 2002).
    """
    turn = np.linspace(0, math.pi / 2, MERIDIAN_STEPS + 1)  # 0 at the tip
    height, radius = -lv.cap_mm * np.cos(turn), lv.radius_mm * np.sin(turn)
    length = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(height), np.diff(radius)))])
    cap = float(length[-1])
    edges = np.linspace(0, cap + lv.cylinder_mm, rings + 1)
    middle = (edges[1:] + edges[:-1]) / 2
    at = np.interp(middle, length, turn)
    steep = np.column_stack([-np.cos(at) / lv.cap_mm, np.sin(at) / lv.radius_mm])
    ends = -lv.cavity_mm + np.arange(3) / 3 * (lv.cylinder_mm + lv.cavity_mm)
    below = np.interp(np.clip(ends, -lv.cap_mm, 0), height, length)
    return Meridian(
        edges_mm=edges,
        height_mm=np.where(middle < cap, np.interp(middle, length, height), middle - cap),
        radius_mm=np.interp(middle, length, radius),
        normal=steep / np.linalg.norm(steep, axis=1, keepdims=True),
        borders_mm=np.where(ends < 0, below, cap + ends),
    )


def segment_shares(meridian: Meridian, angles: int) -> np.ndarray:
    """The share of each place of the map that lies in each of the 17 segments; float64 [17, rings, angles]."""
    first, second, third = meridian.borders_mm
    top = float(meridian.edges_mm[-1])
    levels = ((third, top, SECTORS[0]), (second, third, SECTORS[1]), (first, second, SECTORS[2]))
    shares = [
        np.outer(_overlap(meridian.edges_mm, low, high), _sector(angles, start, 360 // len(starts)))
        for low, high, starts in levels
        for start in starts
    ]
    apex = np.outer(_overlap(meridian.edges_mm, 0.0, first), np.ones(angles))
    return np.array([*shares, apex])


def _overlap(edges: np.ndarray, low: float, high: float) -> np.ndarray:
    """The share of each interval between edges that lies between low and high."""
    return np.clip(np.minimum(edges[1:], high) - np.maximum(edges[:-1], low), 0, None) / np.diff(edges)


def _sector(angles: int, start: int, width: int) -> np.ndarray:
    """The share of each angle that lies in a sector, all in degrees."""
    edges = np.arange(angles + 1) * (360 / angles)
    return _overlap(edges, start, start + width) + _overlap(edges, start - 360, start + width - 360)


def _rays(grid: Grid, lv: LeftVentricle, meridian: Meridian, angle: np.ndarray, offsets_mm: np.ndarray) -> np.ndarray:
    """Array indices [3, rings, angles, offsets] of points along the outward normals.

    offsets_mm : distances from the form, [rings or 1, angles or 1, offsets]
    """
    place, turned = np.broadcast_arrays(np.arange(len(meridian.height_mm))[:, None], angle[None, :])
    start = lv.points_mm(meridian.height_mm[place], meridian.radius_mm[place], turned)
    normal = lv.direction(meridian.normal[place, 0], meridian.normal[place, 1], turned)
    return voxel_positions(grid, start)[..., None] + voxel_steps(grid, normal)[..., None] * offsets_mm


def segment_labels(region: Region, lv: LeftVentricle) -> np.ndarray:
    """The region with the number 1..17 of its segment in each voxel, 0 outside; uint8 [z, y, x]."""
    height, lateral, anterior = in_frame(lv, positions_mm(region))
    degrees = np.degrees(np.arctan2(anterior, lateral)) % 360
    six = (np.array([6, 1, 2, 3, 4, 5]))[(degrees // 60).astype(int) % 6]
    four = np.array([13, 14, 15, 16])[(((degrees - 45) % 360) // 90).astype(int) % 4]
    ends = -lv.cavity_mm + np.arange(3) / 3 * (lv.cylinder_mm + lv.cavity_mm)
    labels = np.zeros(region.grid.shape, np.uint8)
    labels[region.morphology] = np.select(
        [height < ends[0], height < ends[1], height < ends[2]], [17, four, six + 6], default=six
    )
    return labels
