"""The left ventricle's wall, unrolled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.types.arrays import read_only

SEGMENTS = (
    *("basal anterior", "basal anteroseptal", "basal inferoseptal", "basal inferior", "basal inferolateral"),
    *("basal anterolateral", "mid anterior", "mid anteroseptal", "mid inferoseptal", "mid inferior"),
    *("mid inferolateral", "mid anterolateral", "apical anterior", "apical septal", "apical inferior"),
    *("apical lateral", "apex"),
)
"""The 17 segments in their order (Cerqueira 2002, doi:10.1161/hc0402.102975); segment n is SEGMENTS[n - 1]."""

TERRITORIES = {"LAD": (1, 2, 7, 8, 13, 14, 17), "RCA": (3, 4, 9, 10, 15), "LCX": (5, 6, 11, 12, 16)}
"""Segments that each coronary artery usually supplies (the same source)."""


@dataclass(frozen=True)
class WallMap:
    """Polar map of the wall: its rings from the apex to the base, their angles from the lateral wall over the anterior.

    Angle j is (j + 0.5) / angles of a turn: lateral at 0, anterior at a quarter, septum at a half, inferior at three.

    values : float64 [rings, angles], highest intensity across the wall, NaN where there is no wall; read-only
    area_mm2 : float64 [rings], of the middle of the wall that one place of the map stands for, read-only
    segments : float64 [17, rings, angles], the share of each place that lies in each segment, read-only
    unit : of the intensities
    """

    values: np.ndarray
    area_mm2: np.ndarray
    segments: np.ndarray
    unit: str = ""

    def __post_init__(self) -> None:
        rings, angles = self.values.shape
        if self.area_mm2.shape != (rings,) or self.segments.shape != (17, rings, angles):
            raise ValueError("areas and segments do not fit the map")
        for name in ("values", "area_mm2", "segments"):
            object.__setattr__(self, name, read_only(getattr(self, name), np.float64))
