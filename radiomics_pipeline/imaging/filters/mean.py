"""Mean filter (IBSI 2: S60F)."""

from __future__ import annotations

import numpy as np
from pydantic import Field, field_validator

from radiomics_pipeline.imaging.filters.memory import Memory
from radiomics_pipeline.imaging.filters.separable import convolve
from radiomics_pipeline.imaging.filters.spec import Filter, FilterParams, Spacing


class MeanParams(FilterParams):
    """Mean over a square or a cube."""

    support: int = Field(5, ge=1, description="edge of the square or cube, voxels; an odd number")

    @field_validator("support")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError(f"support {value} has no middle voxel; take an odd number")
        return value


def respond(array: np.ndarray, spacing_mm: Spacing, params: MeanParams, memory: Memory | None = None) -> np.ndarray:
    """Mean of the voxels around each voxel; float64 [z, y, x]."""
    kernel = np.full(params.support, 1 / params.support)
    return convolve(array, [(axis, kernel) for axis in params.axes], params.boundary)


def _reach(params: MeanParams, spacing_mm: Spacing) -> float:
    return params.support // 2


def _token(params: MeanParams) -> str:
    return f"mean-{params.support}"


MEAN = Filter("mean", "mean", "S60F", MeanParams, respond, _reach, _token)
