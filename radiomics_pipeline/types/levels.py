"""An image after discretisation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Levels:
    """Grey levels of a region.

    array : int32 [z, y, x], 1..count in the intensity mask, 0 outside it, read-only
    count : highest grey level (IBSI: levels without a voxel count, too)
    """

    array: np.ndarray
    count: int

    def __post_init__(self) -> None:
        array = np.ascontiguousarray(self.array, np.int32).view()
        array.flags.writeable = False
        object.__setattr__(self, "array", array)
