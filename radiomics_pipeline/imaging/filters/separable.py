"""Convolution with kernels along the axes, one after the other, and with all their rotations by right angles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations, product
from typing import Literal

import numpy as np

from radiomics_pipeline.imaging.filters.boundary import Boundary, beyond
from radiomics_pipeline.imaging.filters.memory import Memory
from radiomics_pipeline.kernels.taps import weigh_along
from radiomics_pipeline.types.arrays import read_only

Kernels = tuple[np.ndarray, ...]
"""One kernel of odd length an axis, the x axis first."""
Pooling = Literal["none", "average", "max"]


Step = tuple[int, np.ndarray]
"""An axis of an array and the kernel along it."""


def convolve(array: np.ndarray, steps: Sequence[Step], boundary: Boundary, memory: Memory | None = None) -> np.ndarray:
    """The array convolved with one kernel after the other; what goes before the last one is kept in the memory."""
    if not steps:
        return array
    *before, (axis, kernel) = steps
    key = (boundary, *((axis, kernel.tobytes()) for axis, kernel in before))
    start = (
        memory.once(array, key, lambda: convolve(array, before, boundary, memory))
        if memory and before
        else convolve(array, before, boundary)
    )
    places = beyond(start.shape[axis], len(kernel) // 2, boundary)
    return weigh_along(read_only(start), axis, kernel, places, np.zeros(start.shape[axis], np.int64))


def rotations(kernels: Kernels) -> Iterator[Kernels]:
    """The kernels turned by right angles about every axis: 4 ways in two dimensions, 24 in three (IBSI 2: O1AQ)."""
    for order in permutations(range(len(kernels))):
        parity = round(float(np.linalg.det(np.eye(len(kernels))[list(order)])))
        for signs in product((1, -1), repeat=len(kernels)):
            if parity * np.prod(signs) > 0:
                yield tuple(kernels[axis][::sign] for axis, sign in zip(order, signs, strict=True))


def pooled(
    array: np.ndarray, steps: Sequence[Step], boundary: Boundary, pooling: Pooling, memory: Memory
) -> np.ndarray:
    """The response to one kernel an axis, or that over all their rotations, by voxel.

    Rotations that differ in sign, or not at all, are computed once.
    """
    if pooling == "none":
        return convolve(array, steps, boundary, memory)
    axes, kernels = zip(*steps, strict=True)
    counts = _distinct(kernels)
    total = None
    for key in sorted(counts):  # those that begin alike one after the other
        turned, (plus, minus) = counts[key]
        response = convolve(array, list(zip(axes, turned, strict=True)), boundary, memory)
        if pooling == "average":
            response *= plus - minus
        elif minus:
            response = np.abs(response, out=response) if plus else np.negative(response, out=response)
        total = response if total is None else joined(total, response, pooling)
        del response  # which would else be kept while the next one is made
    assert total is not None
    if pooling == "average":
        total /= sum(plus + minus for _, (plus, minus) in counts.values())
    return total


def joined(total: np.ndarray, response: np.ndarray, pooling: Pooling) -> np.ndarray:
    """Sum or larger, by voxel, into the first."""
    return np.add(total, response, out=total) if pooling == "average" else np.maximum(total, response, out=total)


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
