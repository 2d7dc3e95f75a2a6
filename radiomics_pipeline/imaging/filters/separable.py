"""Convolution with kernels along the axes, one after the other, and with all their rotations by right angles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations, product
from typing import Literal

import numpy as np
from scipy.ndimage import convolve1d

from radiomics_pipeline.imaging.filters.boundary import OF_SCIPY, Boundary

Kernels = tuple[np.ndarray, ...]
"""One kernel of odd length an axis, the x axis first."""
Pooling = Literal["none", "average", "max"]


def convolve(array: np.ndarray, kernels: Sequence[np.ndarray], axes: Sequence[int], boundary: Boundary) -> np.ndarray:
    """The array convolved with one kernel along each of these axes."""
    for kernel, axis in zip(kernels, axes, strict=True):
        array = convolve1d(array, kernel, axis=axis, mode=OF_SCIPY[boundary])
    return array


def rotations(kernels: Kernels) -> Iterator[Kernels]:
    """The kernels turned by right angles about every axis: 4 ways in two dimensions, 24 in three (IBSI 2: O1AQ)."""
    for order in permutations(range(len(kernels))):
        parity = round(float(np.linalg.det(np.eye(len(kernels))[list(order)])))
        for signs in product((1, -1), repeat=len(kernels)):
            if parity * np.prod(signs) > 0:
                yield tuple(kernels[axis][::sign] for axis, sign in zip(order, signs, strict=True))


def pooled(
    array: np.ndarray, kernels: Kernels, axes: Sequence[int], boundary: Boundary, pooling: Pooling
) -> np.ndarray:
    """The response to the kernels, or that over all their rotations, by voxel.

    Rotations that differ in sign, or not at all, are computed once.
    """
    if pooling == "none":
        return convolve(array, kernels, axes, boundary)
    counts = _distinct(kernels)
    total = None
    for turned, (plus, minus) in counts.values():
        response = convolve(array, turned, axes, boundary)
        if pooling == "average":
            response *= plus - minus
        elif minus:
            response = np.abs(response) if plus else -response
        if total is None:
            total = response
        else:
            total = total + response if pooling == "average" else np.maximum(total, response, out=total)
    assert total is not None
    return total / sum(plus + minus for _, (plus, minus) in counts.values()) if pooling == "average" else total


def _distinct(kernels: Kernels) -> dict[tuple[bytes, ...], tuple[Kernels, tuple[int, int]]]:
    """The rotations that differ in more than sign, and how often each occurs with either sign."""
    found: dict[tuple[bytes, ...], tuple[Kernels, tuple[int, int]]] = {}
    for turned in rotations(kernels):
        upright = [_upright(kernel) for kernel in turned]
        sign = int(np.prod([s for _, s in upright]))
        shape = tuple(k for k, _ in upright)
        key = tuple(kernel.tobytes() for kernel in shape)
        plus, minus = found.get(key, (shape, (0, 0)))[1]
        found[key] = (shape, (plus + (sign > 0), minus + (sign < 0)))
    return found


def _upright(kernel: np.ndarray) -> tuple[np.ndarray, int]:
    """A kernel or its negative, whichever begins above 0, and the sign that was taken off; -0.0 is 0.0."""
    ends = kernel[np.flatnonzero(kernel)]
    sign = -1 if len(ends) and ends[0] < 0 else 1
    return np.ascontiguousarray(sign * kernel) + 0.0, sign
