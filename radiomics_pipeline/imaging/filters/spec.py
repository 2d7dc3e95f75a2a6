"""What a filter is: a row of `table`, with the settings that its own file declares."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import Field

from radiomics_pipeline.imaging.filters.boundary import Boundary
from radiomics_pipeline.params.base import Section

Spacing = tuple[float, float, float]
"""Distance between voxels (z, y, x), mm."""
EVERYWHERE = math.inf
"""Reach of a filter that looks at the whole image."""


class FilterParams(Section):
    """Settings that every filter has."""

    boundary: Boundary = Field("mirror", description="what lies beyond the border of the image")
    slicewise: bool = Field(False, description="each slice for itself, in two dimensions")

    @property
    def axes(self) -> tuple[int, ...]:
        """Axes of an array [z, y, x] that the filter works along, x first, as the IBSI orders them."""
        return (2, 1) if self.slicewise else (2, 1, 0)


@dataclass(frozen=True)
class Filter:
    """One filter.

    name : in parameter files; title, ibsi : its name and code in the IBSI's manual
    params : its settings
    respond : (float64 [z, y, x], spacing, settings, `Memory` of the responses before, or None) -> response map of the
        same shape
    reach : (settings, spacing) -> how many voxels around one it looks, along every axis; EVERYWHERE for all
    token : settings -> how columns call its image
    """

    name: str
    title: str
    ibsi: str
    params: type[FilterParams]
    respond: Callable[..., np.ndarray]
    reach: Callable[[Any, Spacing], float]
    token: Callable[[Any], str]
