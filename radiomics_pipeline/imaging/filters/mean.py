"""Mean filter (IBSI 2: S60F)."""

from __future__ import annotations

import math

import numpy as np
from pydantic import Field, field_validator, model_validator

from radiomics_pipeline.imaging.filters.lengths import isotropic
from radiomics_pipeline.imaging.filters.memory import Memory
from radiomics_pipeline.imaging.filters.separable import convolve
from radiomics_pipeline.imaging.filters.spec import Filter, FilterParams, Spacing


class MeanParams(FilterParams):
    """Mean over a square or a cube."""

    support: int | None = Field(None, ge=1, description="edge of the square or cube, voxels; an odd number")
    support_mm: float | None = Field(
        None,
        gt=0,
        description="the same in mm: as many voxels as lie within half of it on either side; give one of the two",
    )

    @field_validator("support")
    @classmethod
    def _odd(cls, value: int | None) -> int | None:
        if value is not None and value % 2 == 0:
            raise ValueError(f"support {value} has no middle voxel; take an odd number")
        return value

    @model_validator(mode="after")
    def _in_one_unit(self) -> MeanParams:
        if (self.support is None) == (self.support_mm is None):
            raise ValueError("give either support (voxels) or support_mm")
        return self

    def half(self, edge_mm: float) -> int:
        """Voxels on either side of the middle."""
        return self.support // 2 if self.support else math.floor((self.support_mm or 0.0) / (2 * edge_mm) + 1e-9)


def respond(array: np.ndarray, spacing_mm: Spacing, params: MeanParams, memory: Memory | None = None) -> np.ndarray:
    """Mean of the voxels around each voxel; float64 [z, y, x]."""
    edge = 2 * params.half(isotropic(spacing_mm, params.axes, "support_mm") if params.support_mm else 1.0) + 1
    kernel = np.full(edge, 1 / edge)
    return convolve(array, [(axis, kernel) for axis in params.axes], params.boundary)


def _reach(params: MeanParams, spacing_mm: Spacing) -> float:
    return params.half(min(spacing_mm[axis] for axis in params.axes))


def _token(params: MeanParams) -> str:
    return f"mean-{params.support}" if params.support else f"mean-{params.support_mm:g}mm"


MEAN = Filter("mean", "mean", "S60F", MeanParams, respond, _reach, _token)
