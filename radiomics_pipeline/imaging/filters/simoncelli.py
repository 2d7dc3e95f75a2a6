"""Simoncelli's non-separable wavelet, its band-pass maps (IBSI 2: PRT7)."""

from __future__ import annotations

import math

import numpy as np
from pydantic import Field

from radiomics_pipeline.imaging.filters.boundary import Boundary
from radiomics_pipeline.imaging.filters.fourier import Transfer, spectrum
from radiomics_pipeline.imaging.filters.lengths import isotropic
from radiomics_pipeline.imaging.filters.memory import Memory
from radiomics_pipeline.imaging.filters.spec import EVERYWHERE, Filter, FilterParams, Spacing


class SimoncelliParams(FilterParams):
    """The band of one level: frequencies from a quarter of the highest one up to it."""

    boundary: Boundary = Field("periodic", description="beyond the border; the reference values take it as periodic")
    level: int = Field(1, ge=1, le=8, description="of the decomposition; each halves the highest frequency")


def respond(
    array: np.ndarray, spacing_mm: Spacing, params: SimoncelliParams, memory: Memory | None = None
) -> np.ndarray:
    """Response to the band-pass filter of the level; float64 [z, y, x]."""
    isotropic(spacing_mm, params.axes, "simoncelli")
    how = (params.axes, params.boundary)
    return (memory or Memory()).once(array, how, lambda: spectrum(array, *how)).through(band(params.level))


def band(level: int) -> Transfer:
    """Band-pass filter of a level, 1 in the middle of its band."""
    highest = 0.5 ** (level - 1)

    def transfer(frequency: list[np.ndarray]) -> np.ndarray:
        radius = np.sqrt(sum(f**2 for f in frequency))
        inside = (radius > highest / 4) & (radius <= highest)
        found = np.zeros(radius.shape)
        found[inside] = np.cos(math.pi / 2 * np.log2(2 * radius[inside] / highest))
        return found

    return transfer


def _reach(params: SimoncelliParams, spacing_mm: Spacing) -> float:
    return EVERYWHERE


def _token(params: SimoncelliParams) -> str:
    return f"simoncelli-level{params.level}"


SIMONCELLI = Filter("simoncelli", "Simoncelli wavelet", "PRT7", SimoncelliParams, respond, _reach, _token)
