"""Laplacian of Gaussian (IBSI 2: L6PA)."""

from __future__ import annotations

import numpy as np
from pydantic import Field, model_validator

from radiomics_pipeline.imaging.filters.gaussian import gaussian, reach_of
from radiomics_pipeline.imaging.filters.lengths import in_voxels, most_voxels, require_one, written
from radiomics_pipeline.imaging.filters.memory import Memory
from radiomics_pipeline.imaging.filters.separable import convolve
from radiomics_pipeline.imaging.filters.spec import Filter, FilterParams, Spacing


class LogParams(FilterParams):
    """Laplacian of Gaussian."""

    sigma_mm: float | None = Field(None, gt=0, description="width of the Gaussian, mm")
    sigma_voxels: float | None = Field(None, gt=0, description="the same in voxels; give one of the two")
    truncate: float = Field(4.0, gt=0, description="widths at which its kernel is cut off")

    @model_validator(mode="after")
    def _in_one_unit(self) -> LogParams:
        require_one(self, "sigma")
        return self


def respond(array: np.ndarray, spacing_mm: Spacing, params: LogParams, memory: Memory | None = None) -> np.ndarray:
    """Sum of the second derivatives of the smoothed image, per voxel squared; float64 [z, y, x].

    The kernel on a square or cube is a sum of products of kernels along the axes, so that it is applied axis by axis.
    """
    bell, bend = gaussian(in_voxels(params, "sigma", spacing_mm), params.truncate)
    smooth, bent = array, np.zeros_like(array)
    for axis in params.axes:  # of the sum so far, smoothed along this axis, too, and this axis' own part
        bent = convolve(bent, [(axis, bell)], params.boundary)
        bent += convolve(smooth, [(axis, bend)], params.boundary)
        smooth = convolve(smooth, [(axis, bell)], params.boundary)
    return bent


def _reach(params: LogParams, spacing_mm: Spacing) -> float:
    return reach_of(most_voxels(params, "sigma", spacing_mm), params.truncate)


def _token(params: LogParams) -> str:
    return f"log-{written(params, 'sigma')}"


LOG = Filter("log", "Laplacian of Gaussian", "L6PA", LogParams, respond, _reach, _token)
