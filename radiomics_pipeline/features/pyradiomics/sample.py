"""What features by PyRadiomics' definitions are computed from: one image of one region, and the settings that count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, TypeVar

import numpy as np

from radiomics_pipeline.features.registry import Undefined
from radiomics_pipeline.types import Levels

T = TypeVar("T")

Norm = Literal["no_weighting", "manhattan", "euclidean", "infinity"]
"""How long a step is where directions are weighted by it; "no_weighting": all count alike."""


@dataclass(frozen=True)
class FeatureSettings:
    """Settings of PyRadiomics that change features, with its defaults.

    voxel_array_shift : `voxelArrayShift`, added to intensities in Energy, TotalEnergy and RootMeanSquared
    symmetrical_glcm : `symmetricalGLCM`, whether pairs count in both orders
    weighting_norm : `weightingNorm` of GLCM and GLRLM; None takes the mean of the features of all directions, a norm
        merges the directions into one matrix
    distances : `distances` between the voxels of a pair (GLCM) or neighbours (GLDM, NGTDM), largest component in voxels
    gldm_a : largest difference of grey levels that depend on one another
    force_2d, force_2d_dimension : `force2D`, `force2Ddimension`: no step along this axis of [z, y, x]
    """

    voxel_array_shift: float = 0.0
    symmetrical_glcm: bool = True
    weighting_norm: Norm | None = None
    distances: tuple[int, ...] = (1,)
    gldm_a: int = 0
    force_2d: bool = False
    force_2d_dimension: int = 0

    @property
    def flat_axis(self) -> int | None:
        """The axis along which no step is taken, None where all are."""
        return self.force_2d_dimension if self.force_2d else None

    @property
    def steps(self) -> np.ndarray:
        """One of each two opposite steps (dz, dy, dx) at `distances`, however large the region; int64 [steps, 3]."""
        z, y, x = (0 if axis == self.flat_axis else max(self.distances) for axis in range(3))
        return _steps(self.distances, (z, y, x))

    def lengths_mm(self, steps: np.ndarray, spacing_mm: tuple[float, float, float]) -> np.ndarray:
        """Length of each step by the weighting norm; float64 [steps]."""
        moves = np.abs(steps) * np.array(spacing_mm)
        if self.weighting_norm == "manhattan":
            return moves.sum(axis=1)
        return np.sqrt((moves**2).sum(axis=1)) if self.weighting_norm == "euclidean" else moves.max(axis=1)


@dataclass(frozen=True)
class PyradiomicsSample:
    """What a family of PyRadiomics is computed from.

    mask : bool [z, y, x], the region in its box; one voxel at least
    spacing_mm : (z, y, x)
    values : intensities [voxels] in the order of the mask, of the type that PyRadiomics would see; None for shape
    levels : PyRadiomics' bin numbers in the same box, from 1; None for families that need none
    memory : what several families need of this sample, by the function that computed it
    """

    mask: np.ndarray
    spacing_mm: tuple[float, float, float]
    values: np.ndarray | None = None
    levels: Levels | None = None
    settings: FeatureSettings = FeatureSettings()
    memory: dict[Callable[[PyradiomicsSample], Any], Any] = field(default_factory=dict, compare=False, repr=False)

    def once(self, compute: Callable[[PyradiomicsSample], T]) -> T:
        """What `compute` gives for this sample, computed the first time that any family asks for it."""
        if compute not in self.memory:
            self.memory[compute] = compute(self)
        return self.memory[compute]

    @property
    def steps(self) -> np.ndarray:
        """One of each two opposite steps (dz, dy, dx) at `distances`; int64 [steps, 3].

        Only those that lead from one voxel of the box to another; Undefined for none, where PyRadiomics fails.
        """
        return self._steps(self.settings.distances)

    @property
    def unit_steps(self) -> np.ndarray:
        """One of each two opposite steps to the voxels that touch; as `steps`."""
        return self._steps((1,))

    def _steps(self, distances: tuple[int, ...]) -> np.ndarray:
        farthest = max(distances)
        sizes = [1 if axis == self.settings.flat_axis else size for axis, size in enumerate(self.mask.shape)]
        z, y, x = (min(size - 1, farthest) for size in sizes)
        found = _steps(distances, (z, y, x))
        if not len(found):
            raise Undefined("the region's box holds no two voxels at the distance of neighbours")
        return found


@lru_cache
def _steps(distances: tuple[int, ...], reach: tuple[int, int, int]) -> np.ndarray:
    """Steps at these distances that go no further than `reach` along each axis, one of each two opposite."""
    z, y, x = reach
    places = np.indices((2 * z + 1, 2 * y + 1, 2 * x + 1)).reshape(3, -1).T - np.array(reach)
    places = places[len(places) // 2 + 1 :]  # those behind the middle, which is (0, 0, 0)
    wanted = np.isin(np.abs(places).max(axis=1), distances)
    return np.ascontiguousarray(places[wanted], np.int64)
