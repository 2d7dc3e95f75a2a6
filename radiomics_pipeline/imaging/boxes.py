"""The box around a mask."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.errors import EmptyRegion

Index = tuple[int, int, int]


def bounding_box(mask: np.ndarray) -> tuple[Index, Index]:
    """Index (z, y, x) of a mask's first voxel along each axis, and that behind its last; EmptyRegion without one."""
    planes = np.flatnonzero(np.any(mask.reshape(len(mask), -1), axis=1))
    if not len(planes):
        raise EmptyRegion("the mask has no voxel")
    shadow = np.any(mask[planes[0] : planes[-1] + 1], axis=0)
    found = [planes, np.flatnonzero(np.any(shadow, axis=1)), np.flatnonzero(np.any(shadow, axis=0))]
    z, y, x = ((int(inside[0]), int(inside[-1]) + 1) for inside in found)
    return (z[0], y[0], x[0]), (z[1], y[1], x[1])
