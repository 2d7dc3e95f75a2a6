"""What lies beyond the border of an image, where a filter looks there (IBSI 2: GBYQ)."""

from __future__ import annotations

from typing import Literal

import numpy as np

Boundary = Literal["zero", "nearest", "periodic", "mirror"]

OF_SCIPY = {"zero": "constant", "nearest": "nearest", "periodic": "wrap", "mirror": "reflect"}
"""scipy.ndimage's names; a mirror repeats the voxels at the border."""
OF_NUMPY = {"zero": "constant", "nearest": "edge", "periodic": "wrap", "mirror": "symmetric"}
"""numpy.pad's names."""


def beyond(n: int, by: int, boundary: Boundary) -> np.ndarray:
    """Indices of an axis of n voxels, gone on for `by` more at both ends; -1 for a 0; int64 [n + 2 by]."""
    if boundary == "zero":
        return np.pad(np.arange(n), by, constant_values=-1)
    return np.pad(np.arange(n), by, mode=OF_NUMPY[boundary])  # type: ignore[call-overload]


def padded(array: np.ndarray, by: tuple[int, ...], boundary: Boundary) -> np.ndarray:
    """An array with `by` more values at both ends of every axis, whatever its size."""
    return np.pad(array, [(n, n) for n in by], mode=OF_NUMPY[boundary])  # type: ignore[call-overload]
