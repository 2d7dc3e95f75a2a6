"""An image after discretisation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radiomics_pipeline.types.arrays import read_only


@dataclass(frozen=True)
class Levels:
    """Grey levels of a region.

    array : int32 [z, y, x], 1..count in the intensity mask, 0 outside it, read-only
    count : highest grey level (IBSI: levels without a voxel count, too)
    voxels : number of voxels at each level from 0 to count, that of 0 not counted; None: to be counted here
    """

    array: np.ndarray
    count: int
    voxels: np.ndarray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "array", read_only(self.array, np.int32))

    @cached_property
    def counts(self) -> np.ndarray:
        """Number of voxels at each level from 0 to count, 0 for level 0; int64 [count + 1]."""
        if self.voxels is not None:
            return self.voxels
        counts = np.zeros(self.count + 1, np.int64)
        for page in self.array:  # of the whole array numpy would make a copy twice as large
            counts += np.bincount(page.ravel(), minlength=self.count + 1)
        counts[0] = 0
        return counts

    @cached_property
    def present(self) -> np.ndarray:
        """The levels that some voxel has, ascending; int64 [levels]."""
        return np.flatnonzero(self.counts)

    @cached_property
    def ranks(self) -> np.ndarray:
        """The image with each level replaced by its place in `present`: int32 [z, y, x], read-only, 0 outside.

        Matrices of ranks stay small where levels are many and most without a voxel.
        """
        if len(self.present) == self.count:
            return self.array
        rank = np.zeros(self.count + 1, np.int32)
        rank[self.present] = np.arange(1, len(self.present) + 1)
        ranks = rank.take(self.array, mode="clip")  # which is quicker; no level lies outside
        ranks.flags.writeable = False
        return ranks
