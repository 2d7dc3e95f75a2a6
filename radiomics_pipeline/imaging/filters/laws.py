"""Laws' kernels, their energy maps and their rotations (IBSI 2: JTXT)."""

from __future__ import annotations

import math
import re

import numpy as np
from pydantic import Field, model_validator

from radiomics_pipeline.imaging.filters.lengths import isotropic
from radiomics_pipeline.imaging.filters.memory import Memory
from radiomics_pipeline.imaging.filters.separable import Pooling, convolve, pooled
from radiomics_pipeline.imaging.filters.spec import Filter, FilterParams, Spacing

WEIGHTS = {
    "L3": (1, 2, 1),
    "E3": (-1, 0, 1),
    "S3": (-1, 2, -1),
    "L5": (1, 4, 6, 4, 1),
    "E5": (-1, -2, 0, 2, 1),
    "S5": (-1, 0, 2, 0, -1),
    "W5": (-1, 2, 0, -2, 1),
    "R5": (1, -4, 6, -4, 1),
}
"""Level, edge, spot, wave and ripple; a kernel is these over the root of the sum of their squares."""
KERNELS = {name: np.array(weights) / np.sqrt(np.square(weights).sum()) for name, weights in WEIGHTS.items()}


class LawsParams(FilterParams):
    """Laws' kernels, one along each axis."""

    kernels: str = Field(description=f"kernels along x, y and z, such as L5E5S5, of {', '.join(WEIGHTS)}")
    pooling: Pooling = Field("none", description="over all rotations by right angles; none: as they stand")
    energy: int | None = Field(
        None, ge=1, description="then the mean of the absolute response within so many voxels; null: the response"
    )

    energy_mm: float | None = Field(
        None, gt=0, description="the same in mm: as many voxels as lie within it; give one of the two at the most"
    )

    @property
    def names(self) -> list[str]:
        """The kernels' names, x first."""
        return re.findall("..", self.kernels)

    @model_validator(mode="after")
    def _known(self) -> LawsParams:
        unknown = [name for name in self.names if name not in WEIGHTS]
        if unknown or len(self.kernels) % 2:
            raise ValueError(f"kernels {self.kernels}: there are {', '.join(WEIGHTS)}, written one after the other")
        if len(self.names) != len(self.axes):
            raise ValueError(
                f"kernels {self.kernels}: {len(self.names)} kernels for {len(self.axes)} axes; slicewise: true takes "
                "two, else three are needed"
            )
        if self.energy is not None and self.energy_mm is not None:
            raise ValueError("give either energy (voxels) or energy_mm")
        return self

    def around(self, edge_mm: float) -> int:
        """Voxels on either side whose responses are averaged; 0 where no energy is asked for."""
        return self.energy or math.floor((self.energy_mm or 0.0) / edge_mm + 1e-9)


def respond(array: np.ndarray, spacing_mm: Spacing, params: LawsParams, memory: Memory | None = None) -> np.ndarray:
    """Response to the kernels, pooled over rotations, and its energy where asked for; float64 [z, y, x]."""
    steps = [(axis, KERNELS[name]) for axis, name in zip(params.axes, params.names, strict=True)]
    response = pooled(array, steps, params.boundary, params.pooling, memory or Memory())
    if params.energy is None and params.energy_mm is None:
        return response
    edge = 2 * params.around(isotropic(spacing_mm, params.axes, "energy_mm") if params.energy_mm else 1.0) + 1
    flat = np.full(edge, 1 / edge)
    return convolve(np.abs(response, out=response), [(axis, flat) for axis in params.axes], params.boundary)


def _reach(params: LawsParams, spacing_mm: Spacing) -> float:
    return max(int(name[1]) // 2 for name in params.names) + params.around(
        min(spacing_mm[axis] for axis in params.axes)
    )


def _token(params: LawsParams) -> str:
    parts = ["laws", params.kernels]
    parts += [params.pooling] if params.pooling != "none" else []
    parts += [f"energy{params.energy_mm:g}mm"] if params.energy_mm else []
    return "-".join([*parts, *([f"energy{params.energy}"] if params.energy else [])])


LAWS = Filter("laws", "Laws kernels", "JTXT", LawsParams, respond, _reach, _token)
